/**
 * Loads the program's chunks (dist/program.js, see scripts/build-program.mjs) with the code V8 compiled for them at build time. A command
 * reads and evaluates only the chunks it imports. Knows nothing of the program; without a usable cache V8 compiles the source.
 */
import { openSync, readFileSync, readSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";

type Require = (name: string) => unknown;
type Chunk = (require: Require, module: { exports: unknown }, exports: unknown, url: string) => void;

/** Where a chunk lies in program.js, and its compiled code in program.cache: offset and length of each. */
type ChunkPlaces = Readonly<Record<string, readonly [number, number, number?, number?]>>;

/** The chunks of one dist folder, by the names that they import each other by (`./…`); others are Node's own modules. */
export interface Program {
  /** Evaluates a chunk once; its exports. */
  load(name: string): unknown;
  /** A chunk's script, not run. By another file name it is one that V8 has not compiled in this process yet. */
  compile(name: string, filename?: string): Script;
  /** Scripts of the chunks loaded so far. */
  readonly scripts: ReadonlyMap<string, Script>;
  readonly places: ChunkPlaces;
}

/** Take up to 5 ms each to load, and most short commands use none of them. They must be imported statically and by name. */
const LAZY = new Set([
  "node:crypto",
  "node:child_process",
  "node:fs/promises",
  "node:net",
  "node:stream/promises",
  "node:timers/promises",
]);

/** Opens the chunks of a dist folder; `require` gives Node's own modules. */
export function openProgram(dist: string, require: Require): Program {
  const places = JSON.parse(readFileSync(`${dist}/program.json`, "latin1")) as ChunkPlaces;
  const source = openSync(`${dist}/program.js`, "r");
  const cache = openOrNothing(`${dist}/program.cache`);
  const url = pathToFileURL(`${dist}/program.js`).href;
  const modules = new Map<string, { exports: unknown }>();
  const scripts = new Map<string, Script>();

  function compile(name: string, filename = `${dist}/program/${name.slice(2)}`): Script {
    const [offset, length, cacheOffset = 0, cacheLength = 0] = places[name] ?? [0, 0];
    const cachedData = cache === undefined || cacheLength === 0 ? undefined : slice(cache, cacheOffset, cacheLength);
    // the chunks are ASCII: Latin-1 is read without decoding
    const text = slice(source, offset, length).toString("latin1");
    return new Script(text, { filename, ...(cachedData && { cachedData }) });
  }

  function load(name: string): unknown {
    let module = modules.get(name);
    if (module !== undefined) return module.exports;
    module = { exports: name.startsWith("./") ? {} : LAZY.has(name) ? lazily(name, require) : require(name) };
    modules.set(name, module);
    if (!name.startsWith("./")) return module.exports;
    const script = compile(name);
    scripts.set(name, script);
    (script.runInThisContext() as Chunk)(load, module, module.exports, url);
    return module.exports;
  }

  return { load, compile, scripts, places };
}

function openOrNothing(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined;
  }
}

function slice(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  readSync(file, bytes, 0, length, offset);
  return bytes;
}

/** A module that is loaded when something of it is first used. Bundled code looks for `__esModule` to tell what it imports. */
function lazily(name: string, require: Require): unknown {
  let real: Record<PropertyKey, unknown> | undefined;
  return new Proxy(
    {},
    {
      get: (_target, key) => {
        if (key === "__esModule") return undefined;
        real ??= require(name) as Record<PropertyKey, unknown>;
        return real[key];
      },
    },
  );
}
