/** Ordinary programs: how they are started and what is known of their end. */
import { expect, test } from "@jest/globals";
import { runProgram } from "../../../src/lib/program.js";

const env = { PATH: process.env["PATH"], SAID: "yes", UNSET: undefined };
const shell = (script: string, options: Partial<Parameters<typeof runProgram>[2]> = {}) =>
  runProgram("sh", ["-c", script], { env, ...options });

test("a program gets the environment, the input and the umask that it is given, no more", async () => {
  process.env["LEAKED"] = "1";
  try {
    const script = 'read -r line; echo "$line $SAID ${LEAKED:-none} ${UNSET-none}"; umask; echo told >&2';
    const callerUmask = { TSCOMPOSE_CALLER_UMASK: "027" };
    const result = await shell(script, { input: "in\n", callerUmask });
    expect(result).toMatchObject({ exitCode: 0, stdout: "in yes none none\n0027\n", stderr: "told\n" });
  } finally {
    delete process.env["LEAKED"];
  }
  expect((await shell("cat")).stdout).toBe("");
});

test("every end is an answer: a code, a signal, no program, too much output, an abort", async () => {
  expect(await shell("exit 7")).toMatchObject({ exitCode: 7, errno: undefined, isCancelled: false });
  expect(await shell("kill -9 $$")).toMatchObject({ exitCode: undefined, errno: undefined });
  expect(await runProgram("no-such-program-here", [], { env })).toMatchObject({ exitCode: undefined, errno: "ENOENT" });
  expect((await shell("yes", { maxOutput: 100 })).exitCode).toBeUndefined();
  expect((await shell("exec sleep 100", { timeoutMs: 20 })).exitCode).toBeUndefined();
  expect((await shell("exec sleep 100", { signal: AbortSignal.timeout(20) })).isCancelled).toBe(true);
});

test("output is heard as it comes, and a program that reads nothing does no harm", async () => {
  const heard: string[] = [];
  const onOutput = (stream: string, data: Buffer): void => void heard.push(`${stream}:${data.toString()}`);
  const result = await shell("printf a; printf b >&2", { onOutput, input: "x".repeat(1 << 20) });
  expect(heard.toSorted()).toEqual(["stderr:b", "stdout:a"]);
  expect(result).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
});
