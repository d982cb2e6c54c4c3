/** Exec and attach: streams, terminals, exit codes, volume of data. Needs root. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Bench, collect, openBench } from "./support.js";

let bench: Bench;
let id: string;
beforeAll(async () => {
  bench = await openBench();
  id = await bench.run("sleep 1000");
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

const MEGABYTES = 32;

test("exec: streams apart, exit code, and docker's codes for what cannot run", async () => {
  const { containers } = bench.engine;
  const session = await containers.exec(id, { argv: ["/bin/sh", "-c", "echo a; echo b >&2; exit 9"] });
  expect(await collect(session)).toEqual({ stdout: "a\n", stderr: "b\n", code: 9 });
  await expect(containers.exec(id, { argv: ["nope"] })).rejects.toMatchObject({ code: "TSC_EXEC", exitCode: 127 });
});

test("exec: a terminal has the size given, then the one it is changed to", async () => {
  const session = await bench.engine.containers.exec(id, {
    argv: [
      "/bin/sh",
      "-c",
      'while [ "$(stty size)" != "$1" ]; do sleep 0.05; done; echo first; read x; while [ "$(stty size)" != "$2" ]; do sleep 0.05; done; stty size',
      "-",
      "41 133",
      "20 60",
    ],
    tty: true,
    stdin: true,
    size: { rows: 41, columns: 133 },
  });
  let stdout = "";
  for await (const { data } of session.output) {
    stdout += Buffer.from(data).toString();
    if (stdout !== "first\r\n") continue;
    await session.resize(20, 60);
    await session.write(Buffer.from("go\n"));
  }
  expect(stdout).toBe("first\r\ngo\r\n20 60\r\n");
  expect(await session.exit).toBe(0);
});

test("exec: a large pipe out keeps its content even when the reader is slow", async () => {
  const script = `dd if=/dev/urandom of=/tmp/blob bs=1048576 count=${MEGABYTES} 2>/dev/null; sha256sum /tmp/blob >&2; cat /tmp/blob`;
  const session = await bench.engine.containers.exec(id, { argv: ["/bin/sh", "-c", script] });
  const hash = createHash("sha256");
  let said = "";
  let total = 0;
  let naps = 0;
  for await (const { stream, data } of session.output) {
    if (stream === "stderr") said += Buffer.from(data).toString();
    else {
      hash.update(data);
      total += data.length;
      if (total > naps * (8 << 20)) {
        naps++;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
  expect(total).toBe(MEGABYTES << 20);
  expect(hash.digest("hex")).toBe(said.slice(0, 64));
  expect(await session.exit).toBe(0);
});

test("exec: a large pipe in keeps its content and ends", async () => {
  const session = await bench.engine.containers.exec(id, { argv: ["/bin/sha256sum"], stdin: true });
  const hash = createHash("sha256");
  const block = Buffer.alloc(1 << 20, 7);
  for (let index = 0; index < MEGABYTES; index++) {
    block.writeUInt32LE(index, 0);
    hash.update(block);
    await session.write(block);
  }
  await session.endInput();
  expect((await collect(session)).stdout.slice(0, 64)).toBe(hash.digest("hex"));
});

test("attach before the start sees everything; input reaches the process", async () => {
  const { containers } = bench.engine;
  const made = await containers.create({
    name: "attached",
    image: "",
    rootfs: bench.rootfs,
    command: ["/bin/sh", "-c", "echo first; read x; echo got $x; exit 5"],
    networkMode: { kind: "none" },
    stdinOpen: true,
  });
  const session = await containers.attach(made, { stdin: true });
  await containers.start(made);
  await session.write(Buffer.from("word\n"));
  expect(await collect(session)).toEqual({ stdout: "first\ngot word\n", stderr: "", code: 5 });
});

test("leaving an attach leaves the container running", async () => {
  const { containers } = bench.engine;
  const made = await bench.run("while read x; do echo $x; done", { stdinOpen: true });
  const session = await containers.attach(made, { stdin: true });
  await session.detach();
  expect(await session.exit).toBeUndefined();
  expect((await containers.inspect(made)).state).toBe("running");
});
