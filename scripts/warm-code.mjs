// Writes dist/program.cache: the code V8 compiles for the commands people type most, so that no start compiles it again. Runs them in this
// process on a project in a folder that is removed again; starts nothing and leaves nothing.
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { Script } from "node:vm";

const dist = join(import.meta.dirname, "../dist");
const filename = join(dist, "program.cjs");
const source = readFileSync(filename);
if (source.some((byte) => byte > 127)) throw new Error("dist/program.cjs must be ASCII: it is read as Latin-1");
const script = new Script(source.toString("latin1"), { filename });
const module = { exports: {} };
script.runInThisContext()(createRequire(filename), module, module.exports, filename);

const folder = mkdtempSync(join(tmpdir(), "tscompose-warm-"));
const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });
const io = {
  env: { PATH: process.env.PATH, HOME: folder, TSCOMPOSE_ROOT: join(folder, "store"), TSCOMPOSE_RUN_ROOT: join(folder, "run") },
  cwd: folder,
  stdin: process.stdin,
  stdout: nowhere(),
  stderr: nowhere(),
  onSignal: () => () => {},
  exit: () => {},
};
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
  for (const line of ["config", "config -q", "ps", "ps -a --format json", "ls", "up -d --dry-run", "logs", "down", "images", "stop"])
    await module.exports.runProgram(["--progress", "plain", ...line.split(" ")], io);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const target = join(dist, "program.cache");
writeFileSync(`${target}.new`, script.createCachedData());
renameSync(`${target}.new`, target);
process.exit(0);
