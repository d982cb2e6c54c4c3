/**
 * Check, then use: neighbours that swap folders and links while the engine works in what they share (CVE-2018-15664, CVE-2019-14271,
 * CVE-2021-30465, CVE-2023-0778, CVE-2024-23651 and their like). TSCOMPOSE_ROUNDS plays more rounds, TSCOMPOSE_ATTACKED another build.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { debianRootfs } from "../../helpers/debian.js";
import { CACHE, isRoot, type Mode, onHost, REPOSITORY, type TestHost, testUser } from "../../helpers/host.js";
import { pushImage, type Registry, startRegistry } from "../../helpers/registry.js";
import type { Outcome } from "../../helpers/swap-attacks.js";

const check = isRoot ? test : test.skip;
const modes: Mode[] = ["root", "user"];
const asked = Number(process.env.TSCOMPOSE_ROUNDS ?? 0);
const attacked = process.env.TSCOMPOSE_ATTACKED ?? REPOSITORY;
const MS_PER_ROUND = 3_000;

let registry: Registry;
let work = "";
beforeAll(async () => {
  if (!isRoot) return;
  registry = await startRegistry();
  work = execFileSync("mktemp", ["-d", "/tmp/tsc-swap-XXXXXX"], { encoding: "utf8" }).trim();
  const root = join(work, "image");
  cpSync(debianRootfs("busybox", CACHE), root, { recursive: true, verbatimSymlinks: true });
  execFileSync("gcc", ["-O2", "-static", "-o", join(root, "swap"), join(REPOSITORY, "tests/helpers/swap.c")]);
  await pushImage(registry.address, "swap", "1", { layers: [root] });
}, 120_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  if (work !== "") rmSync(work, { recursive: true, force: true });
});

function bait(host: TestHost): string {
  const folder = join(host.folder, "bait");
  mkdirSync(folder);
  writeFileSync(join(folder, "secret"), "host secret\n");
  chmodSync(folder, 0o755);
  if (host.mode === "user") execFileSync("chown", ["-R", String(testUser().uid), folder]);
  return folder;
}

async function play(host: TestHost, attack: string, rounds: number, runtime: string): Promise<Outcome> {
  const folder = bait(host);
  const launcher = join(attacked, "native/build/tscompose-launcher");
  const script = join(REPOSITORY, "tests/helpers/swap-attacks.ts");
  const args = [attacked, attack, String(rounds), folder, `${registry.address}/swap:1`, runtime];
  const result = await host.exec(host.folder, [launcher, script, ...args], {
    timeoutMs: 60_000 + rounds * MS_PER_ROUND,
  });
  if (result.code !== 0) throw new Error(`${attack}: exit code ${result.code}\n${result.stdout}\n${result.stderr}`);
  expect([readdirSync(folder), readFileSync(join(folder, "secret"), "utf8")]).toEqual([["secret"], "host secret\n"]);
  const outcome = JSON.parse(result.stdout) as Outcome;
  if (asked > 0) console.warn(`${host.mode} ${runtime} ${attack}: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** Rounds in an ordinary run of the tests: many enough that each of these was met before it was mended. */
const attacks: readonly (readonly [string, number, string?])[] = [
  ["start with subpath", 20],
  ["start with subpath", 10, "runc"],
  ["cp out", 25],
  ["cp out through a link", 20],
  ["cp in", 25],
  ["stat", 50],
  ["commit", 8],
  ["copy-up", 10],
  ["working directory", 8],
  ["secrets target", 8],
  ["build mounts", 8],
  ["COPY from the context", 10],
];

describe.each(modes)("a neighbour that swaps folders for links, %s", (mode) => {
  for (const [attack, rounds, runtime = "crun"] of attacks) {
    const count = asked > 0 ? asked : rounds;
    check(
      `${attack} (${runtime}) never reaches the host`,
      onHost(mode, async (host) => {
        const outcome = await play(host, attack, count, runtime);
        expect(outcome.hits).toBe(0);
        expect(outcome.rounds).toBeGreaterThanOrEqual(count);
        // an attack that stops everything by errors proves nothing
        expect(outcome.done).toBeGreaterThan(0);
      }),
      90_000 + count * MS_PER_ROUND,
    );
  }
});
