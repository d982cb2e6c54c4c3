/** Laws that hold for all inputs: merging, interpolation, sizes, durations, ports, and that `config` of `config` changes nothing. */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parse } from "yaml";
import { substitute } from "../../../src/compose/env/template.js";
import { toConfigJson, toConfigYaml } from "../../../src/compose/index.js";
import { mergeTrees } from "../../../src/compose/phases/merge.js";
import { parsePorts } from "../../../src/compose/phases/short-port.js";
import { emitYaml } from "../../../src/compose/print/emit-yaml.js";
import type { Tree, TreeMap } from "../../../src/compose/tree.js";
import { cloneTree } from "../../../src/compose/tree.js";
import { parseYaml } from "../../../src/compose/yaml/parse.js";
import { formatGoDuration, parseGoDuration } from "../../../src/lib/duration.js";
import { parseSize } from "../../../src/lib/size.js";
import { load } from "./project.js";

const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,6}$/);
const word = fc.stringMatching(/^[A-Za-z0-9 .:/_-]{0,12}$/);
const variable = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,5}$/);

/** A service of the attributes whose merging has rules of its own. */
const service = fc.record(
  {
    image: fc.constantFrom("a:1", "b:2"),
    command: fc.array(word, { maxLength: 3 }),
    environment: fc.oneof(
      fc.dictionary(variable, word),
      fc.dictionary(variable, word).map((map) => Object.entries(map).map(([key, value]) => `${key}=${value}`)),
    ),
    labels: fc.dictionary(name, fc.oneof(word, fc.constantFrom("a$$b", "$${X}", "$$$$"))),
    ports: fc.uniqueArray(
      fc.integer({ min: 1, max: 65535 }).map((port) => `127.0.0.1:${port}:80`),
      { maxLength: 3 },
    ),
    volumes: fc.uniqueArray(name, { maxLength: 3 }).map((names) => names.map((one) => `./${one}:/mnt/${one}`)),
    cap_add: fc.uniqueArray(fc.constantFrom("A", "B", "C"), { maxLength: 3 }),
    dns: fc.uniqueArray(fc.constantFrom("1.1.1.1", "2.2.2.2"), { maxLength: 2 }),
    tty: fc.boolean(),
    mem_limit: fc.constantFrom("1g", "10m", 5_000_000),
    stop_grace_period: fc.constantFrom("90s", "1m30s", "500ms"),
    healthcheck: fc.record({ test: fc.constantFrom("true", ["CMD", "x"]), interval: fc.constantFrom("10s", "1h") }),
    ulimits: fc.constantFrom({ nofile: 5 }, { nofile: { soft: 1, hard: 2 } }),
    extra_hosts: fc.constantFrom(["a:1.1.1.1"], { a: "1.1.1.1", b: "::1" }),
    deploy: fc.constantFrom({ replicas: 2 }, { resources: { limits: { cpus: "0.5" } } }),
    // a `$` in a key is doubled like any other, as the reference does, and keys are not interpolated: there the law ends
    "x-own": fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value).replaceAll("$", ""))),
  },
  { requiredKeys: ["image"] },
);
const projectText = fc
  .dictionary(name, service, { minKeys: 1, maxKeys: 4 })
  .map((services) => JSON.stringify({ name: "p", services }));

const json = async (files: Readonly<Record<string, string>>) =>
  toConfigJson(await load(files, { files: Object.keys(files) }));

/** The same data in ordinary objects. Not through JSON: JSON.parse of Node 24.21 reads the key of one quote as a backslash after a like shape. */
function ordinary(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordinary);
  if (typeof value !== "object" || value === null) return typeof value === "bigint" ? Number(value) : value;
  const entries = Object.entries(value).flatMap(([key, entry]) =>
    entry === undefined ? [] : [[key, ordinary(entry)]],
  );
  return Object.fromEntries(entries) as unknown;
}

describe("laws", () => {
  test("config of config is identical, in YAML and in JSON", async () => {
    await fc.assert(
      fc.asyncProperty(projectText, async (text) => {
        const yaml = await toConfigYaml(await load(text));
        expect(await toConfigYaml(await load(yaml))).toBe(yaml);
        const first = await json({ "compose.yaml": text });
        expect(await json({ "compose.yaml": first })).toBe(first);
      }),
      { numRuns: 150 },
    );
  });

  test("merging an empty file, or the same file again, changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(projectText, async (text) => {
        const once = await json({ "compose.yaml": text });
        expect(await json({ "compose.yaml": text, "b.yaml": "services: {}" })).toBe(once);
        expect(await json({ "compose.yaml": text, "b.yaml": text })).toBe(once);
      }),
      { numRuns: 100 },
    );
  });

  test("three files give the same however they are grouped, where no rule looks at a whole list", () => {
    const tree = fc.letrec<{ map: TreeMap; value: Tree }>((tie) => ({
      map: fc.dictionary(name, tie("value")).map((map) => Object.assign(Object.create(null), map) as TreeMap),
      value: fc.oneof({ depthSize: "small" }, word, fc.integer(), fc.boolean(), tie("map")),
    })).map;
    fc.assert(
      fc.property(tree, tree, tree, (a, b, c) => {
        const copy = (one: TreeMap) => cloneTree(one) as TreeMap;
        const result = (work: () => TreeMap) => {
          try {
            return JSON.stringify(work());
          } catch {
            return "refused";
          }
        };
        const left = result(() => mergeTrees(mergeTrees(copy(a), copy(b)), copy(c)));
        const right = result(() => mergeTrees(copy(a), mergeTrees(copy(b), copy(c))));
        // a map against a scalar is refused in one grouping and overwritten in the other
        if (left !== "refused" && right !== "refused") expect(JSON.parse(right)).toEqual(JSON.parse(left));
      }),
      { numRuns: 300 },
    );
  });

  test("doubled dollars protect any text; a set variable never takes its default", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(substitute(text.replaceAll("$", "$$$$"), () => "x")).toBe(text);
      }),
    );
    fc.assert(
      fc.property(variable, fc.string({ minLength: 1 }), word, (key, value, fallback) => {
        const lookup = (asked: string) => (asked === key ? value : undefined);
        expect(substitute(`\${${key}:-${fallback}}`, lookup)).toBe(value);
        expect(substitute(`\${OTHER_${key}:-\${${key}}}`, lookup)).toBe(value);
        expect(substitute(`\${${key}:+${fallback}}`, lookup)).toBe(fallback);
      }),
    );
  });

  test("sizes, durations and ports read what they print", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 50n }), (bytes) => expect(parseSize(String(bytes))).toBe(bytes)),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4096 }), fc.constantFrom("k", "m", "g"), (count, unit) => {
        expect(parseSize(`${count}${unit}`)).toBe(parseSize(`${count}${unit.toUpperCase()}iB`));
        expect(parseSize(`${count}${unit}b`)).toBe(BigInt(count) * 1024n ** BigInt("kmg".indexOf(unit) + 1));
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (nanoseconds) =>
        expect(parseGoDuration(formatGoDuration(nanoseconds))).toBe(nanoseconds),
      ),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65000 }), fc.integer({ min: 0, max: 20 }), (first, count) => {
        const ports = parsePorts(`${first}-${first + count}:${first}-${first + count}/udp`);
        expect(ports.map(({ target, published }) => `${target} ${published}`)).toEqual(
          Array.from({ length: count + 1 }, (_, i) => `${first + i} ${first + i}`),
        );
        expect(ports.every(({ protocol }) => protocol === "udp")).toBe(true);
      }),
    );
  });

  test("printed YAML is read back as it was, by readers of 1.1 and of 1.2 and by our own", () => {
    const tricky = fc.constantFrom(
      "yes",
      "0x1f",
      "1e3",
      "1_0",
      "2001-01-01",
      "12:30:45",
      "~",
      "<<",
      "a: b",
      "a #b",
      "- a",
      "a\n",
      "a\n\n",
      "\na",
      " a\n b",
      "\u0085",
      "\ufeff",
      "$x",
      "'",
      '"',
      "\\",
    );
    // The general reader of 1.1 takes an exponent or a point without digits for a number, and underscores behind a point for digits;
    // the reference prints such text plain.
    const text = fc
      .oneof(fc.string(), fc.string({ unit: "binary" }), tricky)
      .filter((one) => !/^(?:[-+]?(?:\.[._]*|_*)|\.[0-9]*_[0-9_]*)(?:[eE][-+]?[0-9]+)?$/.test(one) || one === "");
    // the general reader takes even a quoted "<<" for a merge when it reads 1.1
    const key = text.filter((one) => one !== "<<");
    const value = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        text,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("value")),
        fc.dictionary(key, tie("value")),
      ),
    })).value;
    fc.assert(
      fc.property(fc.dictionary(key, value), (data) => {
        const plain = ordinary(data);
        const yaml = emitYaml(data);
        for (const version of ["1.1", "1.2"] as const)
          expect(parse(yaml, { version, merge: false, logLevel: "silent" })).toEqual(plain);
        expect(ordinary(parseYaml(yaml, "f").documents[0]?.tree)).toEqual(plain);
      }),
      { numRuns: 500 },
    );
  });
});

describe("bombs", () => {
  const refusedFast = async (text: string) => {
    const before = process.memoryUsage().rss;
    const start = process.cpuUsage();
    await expect(load(text)).rejects.toMatchObject({ code: expect.stringMatching(/^TSC_COMPOSE_/) });
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(1000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  };

  test("aliases that multiply", async () => {
    const level = (i: number) => `l${i}: &l${i} [${Array.from({ length: 10 }, () => `*l${i - 1}`).join(", ")}]`;
    await refusedFast(`x-a: &l0 [a, a]\n${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => `x-${level(i)}`).join("\n")}\n`);
  });
  test("merge keys that multiply", async () => {
    const level = (i: number) =>
      `x-m${i}: &m${i}\n  a: { <<: *m${i - 1} }\n  b: { <<: *m${i - 1} }\n  c: { <<: *m${i - 1} }`;
    await refusedFast(`x-m0: &m0 {a: 1}\n${Array.from({ length: 18 }, (_, i) => level(i + 1)).join("\n")}\n`);
  });
  test.each([
    ["flow lists", `x: ${"[".repeat(100_000)}`],
    ["flow maps", `x: ${"{a: ".repeat(50_000)}`],
    ["dashes", `x:\n  ${"- ".repeat(50_000)}a`],
    ["indentation", Array.from({ length: 3000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
    ["variables", `name: p\nservices: {a: {image: "${"${A:-".repeat(20_000)}${"}".repeat(20_000)}"}}`],
  ] as const)("deep %s", async (...[, text]) => {
    await refusedFast(text);
  });
});
