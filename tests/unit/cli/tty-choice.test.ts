/** Whether a process gets a terminal: docker compose's rules. */
import { expect, test } from "@jest/globals";
import type { ParsedOptions } from "../../../src/cli/command.js";
import { checkTty, chooseTty } from "../../../src/cli/tty.js";

const DEFAULTS: Readonly<Record<string, boolean>> = { tty: true, "no-tty": false };
const options = (given: Readonly<Record<string, boolean>>) =>
  ({
    given: (long: string) => long in given,
    flag: (long: string) => given[long] ?? DEFAULTS[long] ?? false,
  }) as unknown as ParsedOptions;
const on = (stdin: boolean, stdout: boolean) => ({ isTty: { stdin, stdout, stderr: true } });

test("a word decides, else both streams", () => {
  expect(chooseTty(on(true, true), options({}))).toBe(true);
  expect(chooseTty(on(false, true), options({}))).toBe(false);
  expect(chooseTty(on(true, false), options({}))).toBe(false);
  expect(chooseTty(on(false, false), options({ tty: true }))).toBe(true);
  expect(chooseTty(on(false, false), options({ "no-tty": false }))).toBe(true);
  expect(chooseTty(on(true, true), options({ tty: false }))).toBe(false);
  expect(chooseTty(on(true, true), options({ "no-tty": true }))).toBe(false);
  expect(() => chooseTty(on(true, true), options({ tty: true, "no-tty": true }))).toThrow("can't be used together");
});

test("a terminal does not take its input from a pipe", () => {
  expect(() => checkTty(on(false, true), { tty: true, stdin: true })).toThrow(
    "cannot attach stdin to a TTY-enabled container because stdin is not a terminal",
  );
  for (const [stdin, mode] of [
    [true, { tty: true, stdin: true }],
    [false, { tty: true, stdin: false }],
    [false, { tty: false, stdin: true }],
  ] as const)
    expect(() => checkTty(on(stdin, true), mode)).not.toThrow();
});
