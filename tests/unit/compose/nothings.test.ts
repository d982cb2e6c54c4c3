/** Empty values that a phase could drop or make up; every expectation is what Docker Compose 2.40.3 prints or says. */
import { describe, expect, test } from "@jest/globals";
import { toConfigObject } from "../../../src/compose/index.js";
import { load } from "./project.js";

const warnings: string[] = [];
async function read(body: string): Promise<unknown> {
  warnings.length = 0;
  const warn = ({ message }: { readonly message: string }): void => void warnings.push(message);
  const project = await load(`services: {x: {image: a, ${body}}}`, { warn });
  const { services } = toConfigObject(project, "json") as { services: { x: Record<string, unknown> } };
  return services.x;
}

describe("refused", () => {
  test.each([
    ['build: {ssh: [""]}', 'invalid ssh key ""'],
    ["build: {ssh: [k]}", 'invalid ssh key "k"'],
    ['build: {additional_contexts: [""]}', "services.x.build.additional_contexts: invalid value , expected key=value"],
    ["build: {additional_contexts: [a]}", "services.x.build.additional_contexts: invalid value a, expected key=value"],
    ['ports: [{target: 80, host_ip: ""}]', "services.x.ports.[]: invalid ip address: "],
    ["ports: [{target: 80, host_ip: '$UNSET'}]", "services.x.ports.[]: invalid ip address: "],
    ['extra_hosts: {"a:b": "::1"}', "bad host name 'a:b'"],
  ])("%s", async (body, message) => {
    await expect(read(body)).rejects.toThrow(message);
  });
});

describe("read", () => {
  test.each([
    ["build: {ssh: [default]}", { build: expect.objectContaining({ ssh: ["default"] }) }],
    [
      'blkio_config: {weight_device: [{path: ""}], device_read_bps: [{}]}',
      { blkio_config: { weight_device: [{ Path: "", Weight: 0 }], device_read_bps: [{ Path: "", Rate: "0" }] } },
    ],
    [
      "deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: {}}]}}}",
      {
        deploy: expect.objectContaining({
          resources: { reservations: { generic_resources: [{ discrete_resource_spec: { kind: "", value: 0 } }] } },
        }),
      },
    ],
    ["extra_hosts: {k: []}", { extra_hosts: [] }],
    ["extra_hosts: {k: '1.1.1.1,2.2.2.2'}", { extra_hosts: ["k=1.1.1.1,2.2.2.2"] }],
    ["extra_hosts: ['k=1.1.1.1,[::1]']", { extra_hosts: ["k=1.1.1.1", "k=::1"] }],
    ["provider: {type: p, options: {k: []}}", { provider: { type: "p" } }],
  ])("%s", async (body, expected) => {
    expect(await read(body)).toMatchObject(expected);
    expect(warnings).toEqual([]);
  });

  test("no hosts are none", async () => {
    expect(await read("extra_hosts: {}")).not.toHaveProperty("extra_hosts");
    expect(await read("provider: {type: p, options: {k: []}}")).toHaveProperty("provider", { type: "p" });
  });
});

describe("what the schema lets pass and the model has no place for is told", () => {
  test.each([
    ["gpus: [{k: null}]", "services.x.gpus[0].k has no effect"],
    ["pull_refresh_after: 1d", "services.x.pull_refresh_after has no effect: write pull_policy: every_<duration>"],
  ])("%s", async (body, message) => {
    await read(body);
    expect(warnings).toEqual([message]);
  });

  test.each(["[null]", "[{}]", "[{path: null}]", "[{path: []}]"])("include: %s", async (include) => {
    const told: string[] = [];
    const project = await load(`include: ${include}\nservices: {x: {image: a}}`, {
      warn: ({ message }) => void told.push(message),
    });
    expect(Object.keys(project.services)).toEqual(["x"]);
    expect(told).toEqual(["include[0] has no effect: it names no path"]);
  });

  test("but a list in it is refused", async () => {
    await expect(load("include: [[a.yaml]]\nservices: {x: {image: a}}")).rejects.toThrow("include.0 must be a string");
  });

  test("external", async () => {
    const told: string[] = [];
    const text = "services: {x: {image: a, secrets: [s]}}\nsecrets: {s: {external: {name: n, k: 1}}}";
    const project = await load(text, { warn: ({ message }) => void told.push(message) });
    expect(project.secrets["s"]).toEqual({ name: "n", external: true });
    expect(told).toEqual([
      "secrets.s.external.k has no effect",
      "secrets.s: external.name is deprecated. Please set name and external: true",
    ]);
  });
});
