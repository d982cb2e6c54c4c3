/** What a person reads about the mistakes that are made most: place and hint. */
import { describe, expect, test } from "@jest/globals";
import type { TscError } from "../../../src/lib/errors.js";
import { load } from "./project.js";

const web = (body: string): string => `services:\n  web:\n    image: nginx\n    ${body}\n`;

/** `line:column hint` of every problem. */
async function told(files: Parameters<typeof load>[0]): Promise<readonly string[]> {
  const error = await load(files).then(
    () => undefined,
    (thrown: TscError & { readonly errors?: readonly TscError[] }) => thrown,
  );
  return (error?.errors ?? (error === undefined ? [] : [error])).map(({ where, hint }) =>
    `${where?.line ?? "?"}:${where?.column ?? "?"} ${hint ?? ""}`.trim(),
  );
}

describe("YAML", () => {
  test.each([
    ["services:\n  web:\n\timage: nginx\n", "3:1 indent with spaces"],
    ["services:\n  web:\n    image: x\n   ports: []\n", "4:4 entries of one mapping or list start at the same column"],
    ["services:\n  web\n    image: nginx\n", "2:3 for instance `web:`"],
    [web("command: echo foo: bar"), "4:14 quote the value"],
    [web("image: nginx:\n    ports: []"), "4:12 quote the value, or take the colon away"],
    [web("command: echo a: # why\n    ports: []"), "4:14 quote the value, or take the colon away"],
    [web("environment:\n      - A: b:\n      - c"), "5:12 quote the value, or take the colon away"],
    [web("image: nginx\n      ports: []"), "4:12 put them at the column of the key, or quote a value that holds `: `"],
    [web("hostname: @foo"), "4:15 quote the value"],
    [web("hostname: *.foo"), "4:15 quote text that starts with *"],
    [web('hostname: "foo\n    ports: []'), "4:15"],
    [`x-a: &base {}\n${web("<<: *bsae")}`, "5:9 did you mean *base?"],
    [web("<<: *common"), "4:9 write &common behind the key it stands for, further up"],
    [`x-a: &a foo\n${web("<<: *a")}`, "5:9"],
    ["- services\n", "1:1"],
  ])("%j", async (text, expected) => {
    expect(await told(text)).toEqual([expected]);
  });
});

describe("values", () => {
  test.each([
    [web("healthcheck: {test: x, interval: 5}"), ["4:38 a duration has a unit, for instance 5s"]],
    [web("environment:\n      - A: 1"), ["5:9 write A=1, or leave out the dashes"]],
    ["services:\n  web:\n", ["2:7 give it an image or a build"]],
    [web("depends_on: {web2: {condition: healthy}}"), ['4:36 did you mean "service_healthy"?']],
    [web("deploy: {update_config: {order: start}}"), ['4:37 did you mean "start-first"?']],
    [web("gpus: [{capabilities: [gpu, gpu]}]"), ["4:13"]],
    [web('labels: {"": x}'), ["4:14"]],
    [web('volumes:\n      - a:/a\n      - ":/x"'), ["6:9"]],
    [web('expose:\n      - "80"\n      - []'), ["6:9"]],
  ] as const)("%j", async (text, expected) => {
    expect(await told(text)).toEqual(expected);
  });

  test("every port of a list that cannot be read is told, at its own place", async () => {
    const hint = "write [[IP:]HOST:]CONTAINER[/PROTOCOL], for instance 127.0.0.1:8080:80/tcp";
    expect(await told(web("ports: ['80:80', '8080:http', '99999:80']"))).toEqual([`4:22 ${hint}`, `4:35 ${hint}`]);
  });
  test("a secret or config without a source is not known", async () => {
    expect(await told(`${web("secrets: [{target: /x}]")}secrets: {a: {file: f}}\n`)).toEqual([
      '4:15 did you mean "a"?',
    ]);
  });
  test("numbers of replicas, watches and contexts of other services", async () => {
    expect(await told(web("scale: -1"))).toEqual(["4:12"]);
    expect(await told(web("develop: {watch: [{path: ., action: sync}]}"))).toEqual([
      "4:23 write where in the container the files of `path` go",
    ]);
    const text = `${web("build: {additional_contexts: [b=service:db]}")}  db: {image: x}\n`;
    expect(await told(text)).toEqual(['4:13 give "db" a build']);
  });
  test("what is no boolean", async () => {
    expect(await told(web("tty: '1'"))).toEqual(["4:10"]);
    expect((await load(web("attach: 'no'"))).warnings.map(({ message }) => message)).toEqual([
      '"no" for boolean is not supported by YAML 1.2, please use `false`',
    ]);
  });
});

describe("other files", () => {
  test("a missing one is told where it is named", async () => {
    expect(await told(web("env_file: prod.env"))).toEqual([
      "4:15 write `required: false` beside its path when it may be missing",
    ]);
    expect(await told(web("extends: {file: common.yaml, service: a}"))).toEqual([
      "4:5 check the path of the compose file common.yaml",
    ]);
    expect(await told(`include:\n  - more.yaml\n${web("")}`)).toEqual([
      "2:5 check the path of the compose file more.yaml",
    ]);
  });
  test("a service that is extended under a misspelt name", async () => {
    expect(await told(`${web("extends: bsae")}  base: {image: x}\n`)).toEqual(['4:14 did you mean "base"?']);
  });
  test("includes that include each other", async () => {
    const files = { "compose.yaml": "include: [b.yaml]\n", "b.yaml": "include: [compose.yaml]\n" };
    expect(await told(files)).toEqual(["1:11"]);
  });
});

test("dependencies must exist, also optional ones; links name a service before one colon, else the whole is the name", async () => {
  const project = await load(`${web("links: [db, 'db:d']")}  db: {image: x}\n`);
  expect(Object.keys(project.services["web"]?.depends_on ?? {})).toEqual(["db"]);
  await expect(load(`${web("depends_on: {nope: {condition: service_started, required: false}}")}`)).rejects.toThrow(
    'undefined service "nope"',
  );
  await expect(load(`${web("links: ['db:d:e']")}  db: {image: x}\n`)).rejects.toThrow('undefined service "db:d:e"');
});

test("whole numbers are cut from decimals where the schema allows both", async () => {
  const project = await load(web("cpu_shares: 1.5\n    pids_limit: 2.7"));
  expect(project.services["web"]).toMatchObject({ cpu_shares: 1, pids_limit: 2 });
});

test("an empty source of a bind mount is the project folder", async () => {
  const project = await load(web("volumes: [{type: bind, source: '', target: /x}]"));
  expect(project.services["web"]?.volumes?.[0]?.source).toBe("/proj/app");
});

test("a raw env_file: values as they are, bare names inherited, blanks in names refused", async () => {
  const raw = web("env_file: [{path: r.env, format: raw}]");
  const files = (text: string) => ({ "compose.yaml": raw, "r.env": text });
  const project = await load(files(" # c\nA='b' #c\n  HOME\nNOPE\nB= $x\n"));
  expect(project.services["web"]?.environment).toEqual({ A: "'b' #c", B: " $x", HOME: "/home/u" });
  const hint = "a raw file has KEY=value lines; leave `format: raw` out for quotes, blanks and variables";
  expect(await told(files("A=1\nA B=1\n"))).toEqual([`4:5 ${hint}`]);
  expect(await told(files("=1\n"))).toEqual([`4:5 ${hint}`]);
});
