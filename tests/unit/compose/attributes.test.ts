/** No attribute of the schema is dropped in silence: each is in the table that plan, linter and documentation share. */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { attributesPage } from "../../../scripts/attribute-table.js";
import { DESCRIPTIVE, EXTENSIONS, HONOURED } from "../../../src/compose/attributes/honoured.js";
import { allLimitsMet, limitText, namesAt } from "../../../src/compose/attributes/index.js";
import { LIMITS, LIMITS_ELSEWHERE } from "../../../src/compose/attributes/limits.js";
import { schemaAttributes } from "../../conformance/support/schema-paths.js";
import { load } from "./project.js";

const PAGE = resolve(import.meta.dirname, "../../../docs/attributes.md");

const named = (table: Readonly<Record<string, string>>) =>
  Object.entries(table).flatMap(([place, names]) =>
    names.split(" ").map((name) => (place === "" ? name : `${place}.${name}`)),
  );
const honoured = [...named(HONOURED), ...named(DESCRIPTIVE)];
const unconditional = [
  ...LIMITS.filter(({ only }) => only === undefined).map(({ path }) => path),
  ...LIMITS_ELSEWHERE.map(({ path }) => path),
];
const isBelow = (path: string, other: string) =>
  path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`);
const schema = schemaAttributes();

describe("attributes", () => {
  test("the schema is really read", () => {
    expect(schema.length).toBeGreaterThan(300);
    expect(schema).toContain(
      "services.*.deploy.resources.reservations.generic_resources[].discrete_resource_spec.kind",
    );
  });

  test("each of the schema is honoured, told or refused", () => {
    const homeless = schema.filter(
      (path) => !honoured.includes(path) && !unconditional.some((limit) => isBelow(path, limit)),
    );
    expect(homeless).toEqual([]);
  });

  test("the table names none that the schema has not, and none twice", () => {
    const rows = [...honoured, ...LIMITS.map(({ path }) => path), ...LIMITS_ELSEWHERE.map(({ path }) => path)];
    expect(rows.filter((path) => !path.includes("x-podman") && !schema.includes(path))).toEqual([]);
    expect(honoured.filter((path, i) => honoured.indexOf(path) !== i)).toEqual([]);
    const always = LIMITS.filter(({ only }) => only === undefined).map(({ path }) => path);
    expect(honoured.filter((path) => always.some((limit) => isBelow(path, limit)))).toEqual([]);
    // a row for some values says nothing of the others
    const conditional = LIMITS.filter(({ only, path }) => only !== undefined && !path.includes("x-podman"));
    expect(conditional.map(({ path }) => path).filter((path) => !honoured.includes(path))).toEqual([]);
  });

  test("what may be written at a place is known for hints", () => {
    expect(namesAt([])).toEqual(expect.arrayContaining(["services", "models", "version"]));
    expect(namesAt(["services", "a"])).toEqual(expect.arrayContaining(["image", "storage_opt", "pull_refresh_after"]));
    expect(namesAt(["services", "a", "build"])).toContain("no_cache_filter");
    expect(namesAt(["services", "a", "networks", "n"])).toContain("ipv4_address");
    expect(namesAt(["services", "a", "volumes", 0, "bind"]).toSorted()).toEqual(
      "create_host_path propagation recursive selinux".split(" "),
    );
    expect(namesAt(["services", "a", "labels"])).toEqual([]);
  });

  test("docs/attributes.md is what the table prints (`npm run docs` writes it)", () => {
    const text = attributesPage({
      honoured: HONOURED,
      descriptive: DESCRIPTIVE,
      extensions: EXTENSIONS,
      limits: LIMITS,
      elsewhere: LIMITS_ELSEWHERE,
    });
    if (process.env["UPDATE_DOCS"] === "1") writeFileSync(PAGE, text);
    expect(readFileSync(PAGE, "utf8")).toBe(text);
  });

  test("what is met is said with its place, and twins that are honoured are not", async () => {
    const project = await load(
      {
        "compose.yaml": `
services:
  a:
    image: a
    use_api_socket: true
    isolation: process
    userns_mode: keep-id
    x-podman.passwd: true
    deploy: {labels: {k: v}, restart_policy: {condition: any, max_attempts: 3, delay: 1s}}
    gpus: [{driver: nvidia, options: {k: v}}]
    build: {context: ., isolation: hyperv, sbom: true, secrets: [{source: s, mode: 0400}]}
    volumes:
      - {type: volume, source: data, target: /v, bind: {propagation: shared}, volume: {labels: {k: v}}}
      - {type: bind, source: /b, target: /b, tmpfs: {size: 1m}}
      - {type: tmpfs, source: x, target: /t}
      - {type: npipe, source: x, target: /n}
  b:
    image: b
    use_api_socket: false
    cgroup: host
    isolation: default
    userns_mode: host
    x-podman.passwd: false
    deploy: {restart_policy: {condition: on-failure, max_attempts: 3}}
    build: {context: ., isolation: default, sbom: false, secrets: [s]}
    volumes:
      - data:/v:z
      - {type: volume, target: /w, volume: {labels: {k: v}}}
      - {type: tmpfs, target: /t}
networks:
  n:
    ipam: {driver: other, options: {k: v}, config: [{gateway: 10.0.0.1}]}
    x-podman.routes: [10.0.0.0/8]
  m:
    ipam: {driver: default, config: [{subnet: 10.1.0.0/24, gateway: 10.1.0.1}]}
volumes: {data: }
secrets:
  s: {file: ./s, labels: {k: v}, driver: d, x-podman.relabel: z}
configs:
  c: {file: ./s, template_driver: t}
x-podman: {in_pod: true, default_net_name_compat: true}
`,
        s: "",
      },
      { allResources: true, noDependencies: true },
    );
    const said = allLimitsMet(project).map((met) => `${met.limit.outcome} ${limitText(met)} @${met.path.join(".")}`);
    expect(said.toSorted()).toEqual([
      'refused config "c": template_driver is not supported @configs.c.template_driver',
      'refused network "n": ipam.config[0].gateway: 10.0.0.1 is not supported @networks.n.ipam.config.0.gateway',
      'refused network "n": ipam.driver: other is not supported @networks.n.ipam.driver',
      'refused secret "s": driver is not supported @secrets.s.driver',
      'refused service "a": use_api_socket is not supported @services.a.use_api_socket',
      'refused service "a": userns_mode: keep-id is not supported @services.a.userns_mode',
      'refused service "a": volumes[2].source: x is not supported @services.a.volumes.2.source',
      'refused service "a": volumes[3].type: npipe is not supported @services.a.volumes.3.type',
      'told network "n": ipam.options has no effect: addresses are given out by the engine itself @networks.n.ipam.options',
      'told network "n": x-podman.routes has no effect: networks have the route to their gateway @networks.n.x-podman.routes',
      'told secret "s": labels has no effect: a secret is a file here @secrets.s.labels',
      'told secret "s": x-podman.relabel has no effect: secrets keep their label @secrets.s.x-podman.relabel',
      'told service "a": build.isolation: hyperv has no effect: it is for Windows @services.a.build.isolation',
      'told service "a": build.sbom: true has no effect: no attestations are made @services.a.build.sbom',
      'told service "a": build.secrets[0].mode has no effect: the `RUN --mount=type=secret` that reads it says who may @services.a.build.secrets.0.mode',
      'told service "a": deploy.labels has no effect: there is no cluster on one machine whose service could carry them; use labels @services.a.deploy.labels',
      'told service "a": deploy.restart_policy.delay has no effect: the pause doubles from 100 ms to a minute @services.a.deploy.restart_policy.delay',
      'told service "a": deploy.restart_policy.max_attempts: 3 has no effect: it needs condition on-failure @services.a.deploy.restart_policy.max_attempts',
      'told service "a": gpus[0].options has no effect: a device is given by its CDI name, which takes no options @services.a.gpus.0.options',
      'told service "a": isolation: process has no effect: it is for Windows @services.a.isolation',
      'told service "a": volumes[0].bind has no effect: the mount is of another type @services.a.volumes.0.bind',
      'told service "a": volumes[0].volume.labels has no effect: a named volume has the labels of its declaration below `volumes` @services.a.volumes.0.volume.labels',
      'told service "a": volumes[1].tmpfs has no effect: the mount is of another type @services.a.volumes.1.tmpfs',
      "told service \"a\": x-podman.passwd: true has no effect: a container's /etc/passwd is its image's @services.a.x-podman.passwd",
      "told x-podman.in_pod has no effect: there are no pods: a project is what holds its containers @x-podman.in_pod",
    ]);
  });
});
