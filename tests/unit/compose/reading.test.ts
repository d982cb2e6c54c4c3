/** How a file is read where readers of YAML and of compose files tend to disagree; every expectation is what Docker Compose 2.40.3 prints. */
import { describe, expect, test } from "@jest/globals";
import { toConfigJson, toConfigYaml } from "../../../src/compose/index.js";
import { load } from "./project.js";

const service = async (text: string, name = "a") => (await load(`name: t\nservices:\n${text}`)).services[name];
const ports = async (list: string) =>
  (await service(`  a: {image: x, ports: ${list}}\n`))?.ports?.map(({ published, target }) => [published, target]);

describe("an entry of a list is lost only to one with the same whole key", () => {
  test.each([
    [
      '["17912:17912", 17912]',
      [
        ["17912", 17912],
        [undefined, 17912],
      ],
    ],
    [
      '["80:80", "80:80/udp"]',
      [
        ["80", 80],
        ["80", 80],
      ],
    ],
    [
      '["80:80", "127.0.0.1:80:80"]',
      [
        ["80", 80],
        ["80", 80],
      ],
    ],
    ['["80:80", {target: 80, published: 80}]', [["80", 80]]],
    [
      '[{target: 80}, {target: 80, published: "80"}]',
      [
        [undefined, 80],
        ["80", 80],
      ],
    ],
  ])("%s", async (list, expected) => {
    expect(await ports(list)).toEqual(expected);
  });
});

describe("extensions are merged like other keys and printed in order", () => {
  test("across files", async () => {
    const project = await load(
      {
        "a.yaml": "name: t\nx-env: {A: 1, B: 2}\nx-list: [a]\nservices: {a: {image: x, x-s: {A: 1, l: [1]}}}\n",
        "b.yaml": "x-env: {B: 3}\nx-list: [b]\nservices: {a: {x-s: {B: 2, l: [2]}}}\n",
      },
      { files: ["a.yaml", "b.yaml"] },
    );
    expect(project["x-env"]).toEqual({ A: 1, B: 3 });
    expect(project["x-list"]).toEqual(["a", "b"]);
    expect(project.services["a"]).toMatchObject({ "x-s": { A: 1, B: 2, l: [1, 2] } });
  });

  test("across documents and extends", async () => {
    const a = await service(
      "  b: {image: x, x-s: {A: 1}}\n  a: {extends: b, x-s: {B: 2}}\n---\nservices: {a: {x-s: {C: 3}}}\n",
    );
    expect(a).toMatchObject({ "x-s": { A: 1, B: 2, C: 3 } });
  });

  test("in the order of their names", async () => {
    const project = await load("name: t\nservices: {a: {x-b: 1, image: x, x-a.c: 2, x-a.b: 3}}\n");
    const yaml = await toConfigYaml(project);
    expect(yaml.match(/x-[a-c.]+/g)).toEqual(["x-a.b", "x-a.c", "x-b"]);
  });
});

describe("a file's tags reach only what its own services extend", () => {
  const base = "services:\n  init: {image: x, environment: {A: '1'}, ports: ['80:80']}\n";
  const over = (file: string) => ({
    "base.yaml": file,
    "compose.yaml": "name: t\nservices:\n  web: {extends: {file: base.yaml, service: web}}\n",
  });

  test("what the base marks !override is kept", async () => {
    const project = await load(
      over("services: {web: {image: x, environment: !override {B: '2'}, hostname: !override h}}\n"),
    );
    expect(project.services["web"]).toMatchObject({ environment: { B: "2" }, hostname: "h" });
  });

  test("it still replaces what the base extends", async () => {
    const project = await load(
      over(`${base}  web: {extends: init, environment: !override {B: '2'}, ports: !reset []}\n`),
    );
    expect(project.services["web"]?.environment).toEqual({ B: "2" });
    expect(project.services["web"]?.ports).toBeUndefined();
  });

  test("a service of the same name in that file is another one", async () => {
    const project = await load({
      "base.yaml": `${base}  web: {extends: init, environment: {A: !reset null}}\n`,
      "compose.yaml": "name: t\nservices: {web: {extends: {file: base.yaml, service: init}}}\n",
    });
    expect(project.services["web"]?.environment).toEqual({ A: "1" });
  });

  test("tags of the extending file replace what another file gives", async () => {
    const project = await load({
      "base.yaml": base,
      "compose.yaml":
        "name: t\nservices: {web: {extends: {file: base.yaml, service: init}, environment: !override {Z: '9'}, ports: !reset []}}\n",
    });
    expect(project.services["web"]?.environment).toEqual({ Z: "9" });
    expect(project.services["web"]?.ports).toBeUndefined();
  });
});

describe("the project's name is read by the reader of the file", () => {
  test.each([
    ["a byte order mark", "\ufeffname: t\nservices: {a: {image: x}}\n"],
    ["quotes behind a byte order mark", '\ufeff"name": t\nservices: {a: {image: x}}\n'],
    ["an explicit key", "services: {a: {image: x}}\n? name\n: t\n"],
    ["a merge", "x-n: &n {name: t}\n<<: *n\nservices: {a: {image: x}}\n"],
    ["an alias as key", "x-k: &k name\n*k : t\nservices: {a: {image: x}}\n"],
    ["an escape", '"\\x6eame": t\nservices: {a: {image: x}}\n'],
    ["JSON", '{"services": {"a": {"image": "x"}}, "name": "t"}'],
  ])("behind %s", async (_name, text) => {
    expect((await load(text)).name).toBe("t");
  });

  test("one that comes to nothing is refused, an empty one is none", async () => {
    await expect(load("name: ${UNSET_N}\nservices: {a: {image: x}}\n")).rejects.toThrow(
      "project name must not be empty",
    );
    expect((await load('name: ""\nservices: {a: {image: x}}\n')).name).toBe("app");
  });
});

describe("anchors belong to their place in the text", () => {
  test.each([
    ["inside a merge", "  a: {<<: &d {labels: {l: '1'}}, image: x, x-q: *d}\n", { "x-q": { labels: { l: "1" } } }],
    [
      "the last one before the alias",
      "  a:\n    x-0: &x {hostname: first}\n    <<: *x\n    image: i\n    x-q: &x {hostname: second}\n",
      { hostname: "first" },
    ],
    [
      "inside what !reset removes",
      "  b: {image: x, x-q: !reset {p: &p [1]}}\n  a: {image: x, ports: *p}\n",
      { ports: [{ target: 1 }] },
    ],
  ])("%s", async (_name, text, expected) => {
    expect(await service(text)).toMatchObject(expected);
  });
});

test.each([
  ["|", "foo", "foo"],
  [">", "foo", "foo"],
  ["|", "foo   ", "foo   "],
  ["|", "foo\n", "foo\n"],
  ["|+", "foo", "foo"],
  ["|+", "foo\n\n", "foo\n\n"],
  ["|-", "foo\n", "foo"],
  ["|", "foo\n      # no comment in here", "foo\n# no comment in here"],
])("a block scalar %j of %j at the end of a file", async (mark, tail, expected) => {
  const a = await service(
    `  a:\n    image: x\n    labels:\n      l: ${mark}\n        ${tail.replace("\n      #", "\n        #")}`,
  );
  expect(a?.labels?.["l"]).toBe(expected);
});

test("a carriage return alone ends a line", async () => {
  const project = await load("name: t\r\rservices:\r  a:\r    image: x\r");
  expect(project.services["a"]?.image).toBe("x");
});

test.each(['"-1k"', '"-1.5"', '"-0.5g"'])("a text that asks for %s bytes is refused", async (size) => {
  await expect(service(`  a: {image: x, mem_limit: ${size}}\n`)).rejects.toThrow(`invalid size: '${JSON.parse(size)}'`);
});
test.each(["-1", '"-1"'])("%s lifts a limit", async (limit) => {
  expect((await service(`  a: {image: x, memswap_limit: ${limit}}\n`))?.memswap_limit).toBe("-1");
});

test("an include that says something else about a name is merged, and told", async () => {
  const warnings: string[] = [];
  const files = {
    "c.yaml": "services: {a: {image: i, hostname: h}}\n",
    "compose.yaml": "name: t\ninclude: [c.yaml]\nservices: {a: {image: l}}\n",
  };
  const project = await load(files, { warn: ({ message }) => warnings.push(message) });
  expect(project.services["a"]).toMatchObject({ image: "l", hostname: "h" });
  expect(warnings).toEqual([expect.stringContaining("services.a conflicts with imported resource")]);
  warnings.length = 0;
  await load(
    { ...files, "compose.yaml": "name: t\ninclude: [c.yaml]\nservices: {a: {image: i, hostname: h}}\n" },
    { warn: ({ message }) => warnings.push(message) },
  );
  expect(warnings).toEqual([]);
});

describe("names that look like numbers", () => {
  const text =
    'name: t\nservices: {a: {image: x, labels: {"10": a, "9": b, "1a": c}, environment: {"10": a, "9": b}}}\nx-z: {"10": 1, "9": 1}\n';
  test("JSON has them in byte order, without a last newline", async () => {
    const json = toConfigJson(await load(text));
    expect(json.match(/"(?:10|9|1a)"/g)).toEqual(['"10"', '"9"', '"10"', '"1a"', '"9"', '"10"', '"9"']);
    expect(json.endsWith("}")).toBe(true);
  });
  test("YAML has them in the order of numbers", async () => {
    const keys = (await toConfigYaml(await load(text))).match(/^ +"?(?:10|9|1a)"?:/gm);
    expect(keys?.map((key) => key.trim())).toEqual(['"9":', '"10":', "1a:", '"9":', '"10":', '"9":', '"10":']);
  });
});

describe(".env", () => {
  test.each([
    ["A='x\\\\' # c\nB=2", { A: "x\\\\", B: "2" }],
    ["A='it\\'s'", { A: "it's" }],
    ["A='a\\nb'", { A: "a\\nb" }],
    ['A="x\\\\" # c', { A: "x\\" }],
  ])("%j", async (text, expected) => {
    const project = await load({
      "compose.yaml": "name: t\nservices: {a: {image: x, environment: [A, B]}}\n",
      ".env": text,
    });
    expect(project.services["a"]?.environment).toMatchObject(expected);
  });
});

test("an option of a volume's short form that is not known is told", async () => {
  const { warnings } = await load(
    "services: {a: {image: x, volumes: ['/a:/b:ro,cached', 'data:/c:z,subpath=d']}}\nvolumes: {data: {}}",
  );
  expect(warnings.map(({ code, message }) => `${code} ${message}`)).toEqual([
    'TSC_COMPOSE_NO_EFFECT services.a.volumes[1]: the option "subpath=d" has no effect',
  ]);
});
