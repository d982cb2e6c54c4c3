// Writes dist/program.cache: the code V8 compiles for the program's chunks, so that no start compiles it again. Of chunks that short commands
// load, it is the code that common commands use: they run in this process, on a project in a folder that is removed again, start nothing and
// leave nothing. Of all other chunks it is everything: what starts and stops containers cannot be run here.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { setFlagsFromString } from "node:v8";

const dist = join(import.meta.dirname, "../dist");
const require = createRequire(import.meta.url);
const program = require(join(dist, "main.cjs")).openProgram(dist, require);
const { runProgram } = program.load("./main.js");

const folder = mkdtempSync(join(tmpdir(), "tscompose-warm-"));
const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });
const io = {
  env: {
    PATH: process.env.PATH,
    HOME: folder,
    TSCOMPOSE_ROOT: join(folder, "store"),
    TSCOMPOSE_RUN_ROOT: join(folder, "run"),
    // an ordinary user may mount with fuse out here, but not unmount the way we do inside the namespaces
    TSCOMPOSE_STORAGE_DRIVER: process.getuid() === 0 ? "" : "vfs",
  },
  cwd: folder,
  stdin: process.stdin,
  stdout: nowhere(),
  stderr: nowhere(),
  onSignal: () => () => {},
  exit: () => {},
};
const type = (line) => runProgram(["--progress", "plain", ...line.split(" ")], io);
const short = new Set();
try {
  writeFileSync(
    join(folder, "compose.yaml"),
    `services:
  web:
    image: warm
    build: .
    command: [sleep, "1"]
    environment: {A: "\${A:-1}"}
    ports: ["127.0.0.1::80"]
    volumes: ["data:/data", ".:/src:ro"]
    depends_on: {db: {condition: service_healthy}}
  db:
    image: warm
    environment: [B=2]
    healthcheck: {test: [CMD, "true"], interval: 1s}
    networks: {back: {aliases: [base]}}
volumes: {data: {}}
networks: {back: {}}
`,
  );
  for (const line of ["config", "config -q", "ps", "ps -a --format json", "ls", "logs", "images"]) await type(line);
  for (const name of program.scripts.keys()) short.add(name);
  for (const line of ["up -d --dry-run", "down", "stop"]) await type(line);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** By another file name: V8 knows the script of a chunk that was loaded here, and would give that again. */
function compileWhole(name) {
  // V8 refuses cached code of other flags, and looks at them when it writes: eager compilation must be over by then
  setFlagsFromString("--no-lazy");
  const script = program.compile(name, "whole");
  setFlagsFromString("--lazy");
  return script;
}

const places = {};
const compiled = [];
let offset = 0;
for (const [name, [from, length]] of Object.entries(program.places)) {
  const script = short.has(name) ? program.scripts.get(name) : compileWhole(name);
  const code = script.createCachedData();
  places[name] = [from, length, offset, code.length];
  compiled.push(code);
  offset += code.length;
}
// a cache that does not fit its places is refused by V8, never run
for (const [file, data] of [["program.cache", Buffer.concat(compiled)], ["program.json", JSON.stringify(places)]]) {
  writeFileSync(join(dist, `${file}.new`), data);
  renameSync(join(dist, `${file}.new`), join(dist, file));
}
process.exit(0);
