/** Ordinary programs: how they are started and what is known of their end. */
import { expect, test } from "@jest/globals";
import { type ProgramOptions, runProgram } from "../../../src/lib/program.js";

const env = { PATH: process.env["PATH"], SAID: "yes", UNSET: undefined };
const limits = { timeoutMs: 60_000, maxOutput: 1 << 20 };
const shell = (script: string, options: Partial<ProgramOptions> = {}) =>
  runProgram("sh", ["-c", script], { env, ...limits, ...options } as ProgramOptions);

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
  expect(await shell("exit 7")).toMatchObject({ exitCode: 7, errno: undefined, stopped: undefined });
  expect(await shell("kill -9 $$")).toMatchObject({ exitCode: undefined, errno: undefined, stopped: undefined });
  const none = await runProgram("no-such-program-here", [], { env, ...limits });
  expect(none).toMatchObject({ exitCode: undefined, errno: "ENOENT" });
  const ended = (stopped: string) => ({ exitCode: undefined, errno: undefined, stopped });
  for (const stream of ["", ">&2"]) {
    expect(await shell(`yes ${stream}`, { maxOutput: 100 })).toMatchObject(ended("output"));
    expect(await shell(`yes ${stream}`, { maxOutput: 100, onOutput: () => undefined })).toMatchObject(ended("output"));
  }
  expect(await shell("exec sleep 100", { timeoutMs: 20 })).toMatchObject(ended("time"));
  expect(await shell("exec sleep 100", { signal: AbortSignal.timeout(20) })).toMatchObject(ended("cancelled"));
  expect(await shell("exec sleep 100", { signal: AbortSignal.abort() })).toMatchObject(ended("cancelled"));
});

test("a limit holds for a program that ignores it, and for one whose children keep its pipes", async () => {
  const left = "sleep 30 & echo $!; exec sleep 30";
  const { stdout, ...end } = await shell(left, { timeoutMs: 100 });
  expect(end).toMatchObject({ exitCode: undefined, stopped: "time" });
  process.kill(Number(stdout), "SIGKILL");
  expect((await shell("trap '' TERM; while :; do sleep 0.1; done", { timeoutMs: 100 })).stopped).toBe("time");
});

test("output is heard as it comes, and a program that reads nothing does no harm", async () => {
  const heard: string[] = [];
  const onOutput = (stream: string, data: Buffer): void => void heard.push(`${stream}:${data.toString()}`);
  const result = await shell("printf a; printf b >&2", { onOutput, input: "x".repeat(1 << 20) });
  expect(heard.toSorted()).toEqual(["stderr:b", "stdout:a"]);
  expect(result).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
});
