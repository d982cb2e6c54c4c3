/** docker's max-size, max-file and compress: a log stays small, and whoever reads it meanwhile misses nothing. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "@jest/globals";
import { busyboxRegistry } from "../helpers/busybox-registry.js";
import { eventually, onHost, type TestHost } from "../helpers/host.js";
import { check, killAll, modes, processesOf } from "./support.js";

const registry = busyboxRegistry();

const MAX_BYTES = 20_000;
/** More than ten files of them. */
const LINES = 3_000;

/** Numbered lines in bursts, three times, each when told so. */
const stack = (image: string): string => `
services:
  spam:
    image: "${image}"
    init: true
    command:
      - sh
      - -c
      - |
        lines() { awk -v from=$$1 'BEGIN { for (i = 1; i <= ${LINES}; i++) { print "line " (from + i) " of some spam that fills the log"; if (i % 150 == 0) { fflush(); system("sleep 0.02") } } }'; }
        while ! test -e /begin; do sleep 0.05; done
        lines 0
        while ! test -e /again; do sleep 0.05; done
        lines ${LINES}
        while ! test -e /last; do sleep 0.05; done
        lines ${2 * LINES}
    logging: { driver: json-file, options: { max-size: "20k", max-file: "3", compress: "true" } }
  one: { image: "${image}", init: true, command: sh -c 'echo single; sleep 1000', logging: { options: { max-size: "1" } } }
  quiet: { image: "${image}", init: true, command: echo hello }
`;

const numbersIn = (text: string): number[] => [...text.matchAll(/line (\d+) of/g)].map((match) => Number(match[1]));

/** First, last and the first place where the numbers do not follow each other: what fits a screen. */
const spanOf = (text: string): string => {
  const numbers = numbersIn(text);
  const gap = numbers.findIndex((number, index) => index > 0 && number !== (numbers[index - 1] ?? 0) + 1);
  return `${numbers[0]} to ${numbers.at(-1)}${gap < 0 ? "" : `, ${numbers[gap]} after ${numbers[gap - 1]}`}`;
};

const logFiles = (host: TestHost, id: string): readonly (readonly [string, number])[] => {
  const folder = join(host.folder, "store/containers", id);
  const names = readdirSync(folder).filter((name) => name.startsWith("container.log"));
  return names.map((name) => [name, statSync(join(folder, name)).size] as const);
};
const numberOf = (name: string): number => Number(/\.(\d+)(?:\.gz)?$/.exec(name)?.[1] ?? 0);

describe.each(modes)("a rotated log, %s", (mode) => {
  check(
    "loses no line for who follows, stays small, and is read across its files",
    onHost(mode, async (host) => {
      const folder = host.project("rotated", { "compose.yaml": stack(registry.image) });
      await host.must(folder, "up", "-d", "quiet");
      expect(processesOf(host, "tsc-supd")).toEqual([]);

      const up = host.run(folder, ["up", "--menu=false", "spam"]);
      const container = async (): Promise<string> =>
        (await host.must(folder, "ps", "-aq", "--no-trunc", "spam")).trim();
      await eventually(async () => (await container()) !== "");
      const id = await container();
      const followed = host.run(folder, ["logs", "-f", "spam"]);
      const newest = (): number => Math.max(0, ...logFiles(host, id).map(([name]) => numberOf(name)));
      await host.must(folder, "exec", "-T", "spam", "touch", "/begin");
      await eventually(() => newest() > 5);

      // one that is killed in the middle of it is followed by one that goes on where it was
      await host.must(folder, "exec", "-T", "spam", "touch", "/again");
      await killAll(host, "tsc-supd");
      await host.must(folder, "ps");
      await eventually(() => newest() > 15);
      await host.must(folder, "exec", "-T", "spam", "touch", "/last");
      expect(spanOf((await up).stdout)).toBe(`1 to ${3 * LINES}`);
      expect(spanOf((await followed).stdout)).toBe(`1 to ${3 * LINES}`);
      expect(newest()).toBeGreaterThan(20);

      // what somebody still read goes when he has
      const old = /^container\.log\.\d+\.gz$/;
      await eventually(
        () => logFiles(host, id).length === 3 && logFiles(host, id).filter(([name]) => old.test(name)).length === 2,
      );
      await eventually(() => processesOf(host, "tsc-supd").length === 0);
      for (const [, size] of logFiles(host, id)) expect(size).toBeLessThan(2 * MAX_BYTES);

      const all = await host.must(folder, "logs", "-t", "spam");
      expect(spanOf(all)).toMatch(new RegExp(`^\\d+ to ${3 * LINES}$`));
      const lines = all.trim().split("\n");
      // as many as fit
      expect(lines.length).toBeGreaterThan(200);
      const last = async (...args: string[]): Promise<string> =>
        spanOf(await host.must(folder, "logs", ...args, "spam"));
      const first = numbersIn(all)[0] ?? 0;
      expect(await last("-f")).toBe(spanOf(all));
      for (const tail of [3, lines.length - 5])
        expect(await last("--tail", String(tail))).toBe(`${3 * LINES - tail + 1} to ${3 * LINES}`);
      const since = /\d{4}-\S+/.exec(lines[100] ?? "")?.[0] ?? "";
      const sameTime = lines.findIndex((line) => line.includes(since));
      expect(await last("--since", since)).toBe(`${first + sameTime} to ${3 * LINES}`);

      // another run goes on in the same files
      const before = newest();
      await host.must(folder, "start", "spam");
      await eventually(() => newest() > before + 3 && processesOf(host, "tsc-supd").length === 0);
      expect(await last()).toMatch(new RegExp(`^\\d+ to ${3 * LINES}$`));

      // a log of one file begins anew
      await host.must(folder, "up", "-d", "one");
      const one = (await host.must(folder, "ps", "-q", "--no-trunc", "one")).trim();
      await eventually(() => logFiles(host, one).some(([name, size]) => name === "container.log.1" && size === 0));
      expect(await host.must(folder, "logs", "one")).toBe("");
      await host.must(folder, "down", "-t", "0");
    }),
    120_000,
  );
});
