import { describe, expect, test } from "@jest/globals";
import type { Project } from "../../../src/compose/model.js";
import type { ContainerSpec } from "../../../src/engine/types.js";
import type { TscError } from "../../../src/lib/errors.js";
import { serviceSpec } from "../../../src/plan/service-spec/index.js";
import { load } from "../compose/project.js";
import { project, type ServiceInput } from "./fixtures.js";

function spec(service: ServiceInput, rest = {}): { readonly spec: ContainerSpec; readonly warnings: string[] } {
  const warnings: string[] = [];
  return {
    spec: serviceSpec({
      project: project({ web: service }, rest),
      service: "web",
      number: 1,
      separator: "-",
      imageId: "",
      containerOf: (other) => `p-${other}-1`,
      warn: (message) => warnings.push(message),
    }),
    warnings,
  };
}

const specOf = (from: Project) => (): ContainerSpec =>
  serviceSpec({
    project: from,
    service: "web",
    number: 1,
    separator: "-",
    imageId: "",
    containerOf: (other) => other,
    warn: () => undefined,
  });

describe("what a service cannot have is told where it stands", () => {
  test.each([
    ["volumes: [data:/data, 'd:/x']", "23 one letter before a colon", 'invalid mount path "d:/x"'],
    ["volumes: ['d:/x:ro']", "11 one letter before a colon", 'invalid mount path "ro"'],
    ["volumes: [x]", "11 write the path", 'invalid mount path "x"'],
    ["network_mode: nowhere", "15 ", "network_mode: invalid value"],
    ["userns_mode: keep-id", "14 ", "userns_mode: keep-id is not supported"],
    ["use_api_socket: true", "17 ", "use_api_socket is not supported"],
  ])("%s", async (line, place, message) => {
    const loaded = await load(`services:\n  web:\n    image: a\n    ${line}\nvolumes: {data: {}}\n`);
    let thrown: TscError | undefined;
    try {
      specOf(loaded)();
    } catch (error) {
      thrown = error as TscError;
    }
    expect(thrown?.message).toContain(`service "web": ${message}`);
    expect(thrown?.where?.line).toBe(4);
    expect(`${(thrown?.where?.column ?? 0) - 4} ${thrown?.hint ?? ""}`).toMatch(new RegExp(`^${place}`));
  });
});

describe("serviceSpec", () => {
  test("an empty command clears, null keeps the image's", () => {
    expect(spec({ command: [] }).spec.command).toEqual([]);
    expect("command" in spec({ command: null }).spec).toBe(false);
  });

  test("names, aliases and labels follow docker compose", () => {
    const { spec: made } = spec({ networks: { default: { aliases: ["x"] } }, labels: { a: "b" } });
    expect(made.name).toBe("p-web-1");
    expect(made.networks).toEqual([{ network: "p_default", aliases: ["p-web-1", "web", "x"] }]);
    expect(made.labels).toMatchObject({
      a: "b",
      "com.docker.compose.project": "p",
      "com.docker.compose.service": "web",
      "com.docker.compose.oneoff": "False",
      "com.docker.compose.container-number": "1",
    });
  });

  test("a person's labels that are ours to set are left out, each with a word; compose's own win", () => {
    const { spec: made, warnings } = spec({
      labels: {
        "com.tscompose.build": "build-2-1-abc",
        "com.tscompose.remover": "2-1-abc",
        "org.tscompose.files-hash": "forged",
        "com.docker.compose.project": "victim",
        "com.docker.compose.oneoff": "True",
        plain: "kept",
      },
    });
    expect(made.labels).toMatchObject({
      plain: "kept",
      "com.docker.compose.project": "p",
      "com.docker.compose.oneoff": "False",
    });
    expect(Object.keys(made.labels ?? {}).filter((key) => key.includes("tscompose"))).toEqual([]);
    expect(warnings.filter((line) => line.includes("reserved"))).toHaveLength(3);
  });

  test("secrets and configs become files with their owner and mode", () => {
    const { spec: made } = spec(
      { secrets: [{ source: "s", uid: "5", mode: "0400" }], configs: [{ source: "c", target: "etc/c" }] },
      { secrets: { s: { environment: "S" } }, configs: { c: { file: "/proj/c" } }, environment: { S: "value" } },
    );
    expect(made.files).toEqual([
      { target: "/etc/c", sourcePath: "/proj/c" },
      { target: "/run/secrets/s", content: "value", uid: 5, mode: 0o400 },
    ]);
  });

  test("refused: an external secret, an unset variable, a model, start_interval alone", () => {
    expect(() => spec({ secrets: [{ source: "s" }] }, { secrets: { s: { external: true } } })).toThrow(
      "unsupported external secret s",
    );
    expect(() => spec({ secrets: [{ source: "s" }] }, { secrets: { s: { environment: "S" } } })).toThrow(
      '"S" required by secret "s" is not set',
    );
    expect(() => spec({ models: { m: null } })).toThrow("models is not supported");
    expect(() => spec({ healthcheck: { start_interval: "1s" } })).toThrow(
      "start_interval requires healthcheck.start_period",
    );
  });

  test("what has no effect here is told by name", () => {
    const { warnings } = spec({
      isolation: "process",
      deploy: { resources: {}, placement: { constraints: ["a"] }, endpoint_mode: "dnsrr" },
    });
    expect(warnings).toHaveLength(3);
    expect(warnings.join("\n")).toMatch(/isolation.*\n.*deploy\.placement.*\n.*deploy\.endpoint_mode/);
  });

  test("every refusal is said at once, with what to do", () => {
    const ask = () => spec({ use_api_socket: true, userns_mode: "keep-id", cgroup: "service:db" });
    expect(ask).toThrow("use_api_socket is not supported");
    expect(ask).toThrow("userns_mode: keep-id is not supported");
    expect(ask).toThrow("cgroup: service:db is not supported");
    expect(() => spec({ secrets: [{ source: "s" }] }, { secrets: { s: { file: "/s", driver: "d" } } })).toThrow(
      'secret "s": driver is not supported',
    );
    const { warnings } = spec({ configs: [{ source: "c" }] }, { configs: { c: { file: "/c", labels: { k: "v" } } } });
    expect(warnings).toEqual(['config "c": labels has no effect: a config is a file here']);
  });

  test("gpus are CDI names", () => {
    expect(spec({ gpus: [{ count: -1 }] }).spec.cdiDevices).toEqual(["nvidia.com/gpu=all"]);
    expect(spec({ gpus: [{ driver: "cdi", device_ids: ["v.com/c=x"] }] }).spec.cdiDevices).toEqual(["v.com/c=x"]);
    expect(() => spec({ gpus: [{ driver: "3dfx" }] })).toThrow('device driver "3dfx"');
  });

  test("links are names that only the linking container knows", () => {
    const made = serviceSpec({
      project: project({ db: {}, web: { links: ["db:database"], external_links: ["other:friend"] } }),
      service: "web",
      number: 1,
      separator: "-",
      imageId: "",
      containerOf: (other) => other,
      warn: () => undefined,
    });
    expect(made.networks?.[0]?.aliases).toEqual(["p-web-1", "web"]);
    expect(made.links).toEqual([
      { container: "p-db-1", names: ["database", "db", "p-db-1"] },
      { container: "other", names: ["friend", "other"] },
    ]);
  });

  test("restart policies", () => {
    expect(spec({ restart: "on-failure:3" }).spec.restart).toEqual({ policy: "on-failure", maxRetries: 3 });
    expect(() => spec({ restart: "sometimes" })).toThrow("restart");
    const deploy = { resources: {}, placement: {}, restart_policy: { condition: "any" } };
    expect(spec({ deploy }).spec.restart).toEqual({ policy: "unless-stopped" });
    // the reference lets deploy win
    expect(spec({ deploy, restart: "no" }).spec.restart).toEqual({ policy: "unless-stopped" });
    const of = (condition: string) => spec({ deploy: { ...deploy, restart_policy: { condition } } }).spec.restart;
    expect([of("none"), of("no"), of("always")].map((made) => made?.policy)).toEqual(["no", "no", "always"]);
    expect(() => of("sometimes")).toThrow("deploy.restart_policy.condition");
  });
});
