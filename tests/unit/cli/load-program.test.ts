import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { openProgram } from "../../../src/cli/load-program.js";

let dist: string;
let asked: string[];
const require = (name: string): unknown => {
  asked.push(name);
  return createRequire(import.meta.url)(name);
};

/** Writes chunks as scripts/build-program.mjs does. */
function pack(chunks: Record<string, string>, cache?: Buffer): void {
  const places: Record<string, number[]> = {};
  let program = "";
  for (const [name, code] of Object.entries(chunks)) {
    const text = `(function(require,module,exports,__url){${code}})\n`;
    places[name] = [program.length, text.length, ...(cache === undefined ? [] : [0, cache.length])];
    program += text;
  }
  writeFileSync(join(dist, "program.js"), program);
  writeFileSync(join(dist, "program.json"), JSON.stringify(places));
  if (cache !== undefined) writeFileSync(join(dist, "program.cache"), cache);
}

beforeEach(() => {
  dist = mkdtempSync(join(tmpdir(), "tsc-dist-"));
  asked = [];
});
afterEach(() => rmSync(dist, { recursive: true }));

test("a chunk is evaluated once, when it is first asked for; chunks that need each other see what is there", () => {
  pack({
    "./main.js": `exports.early=1;exports.other=require("./other.js");exports.again=require("./other.js")`,
    "./other.js": `exports.count=(globalThis.__loaded=(globalThis.__loaded??0)+1);exports.saw={...require("./main.js")}`,
    "./unused.js": "throw new Error()",
  });
  const { load, scripts } = openProgram(dist, require);
  const main = load("./main.js") as { other: { count: number; saw: object }; again: object };
  expect(main.other).toEqual({ count: 1, saw: { early: 1 } });
  expect(main.again).toBe(main.other);
  expect([...scripts.keys()]).toEqual(["./main.js", "./other.js"]);
});

test("Node's modules are themselves; slow ones are loaded at first use", () => {
  pack({
    "./main.js": `const c=require("node:crypto");exports.path=require("node:path");exports.esm=c.__esModule;exports.hash=()=>c.createHash("md5").digest("hex")`,
  });
  const main = openProgram(dist, require).load("./main.js") as { path: unknown; esm: unknown; hash(): string };
  expect(main.path).toBe(createRequire(import.meta.url)("node:path"));
  expect(main.esm).toBeUndefined();
  expect(asked).toEqual(["node:path"]);
  expect(main.hash()).toBe("d41d8cd98f00b204e9800998ecf8427e");
  expect(asked).toEqual(["node:path", "node:crypto"]);
});

test("a cache of another program is not used", () => {
  pack({ "./main.js": "exports.answer=400+1" });
  const foreign = openProgram(dist, require).compile("./main.js").createCachedData();
  // different texts: V8 keeps what it has compiled in this process
  for (const [cache, sum] of [
    [foreign, "41+1"],
    [Buffer.from("rubbish"), "40+2"],
  ] as const) {
    pack({ "./main.js": `exports.answer=${sum}` }, cache);
    const program = openProgram(dist, require);
    expect(program.load("./main.js")).toEqual({ answer: 42 });
    expect(program.scripts.get("./main.js")?.cachedDataRejected).toBe(true);
  }
});
