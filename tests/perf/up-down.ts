/**
 * Times `up -d`, `ps` and `down -t 0` of N busybox services with tscompose (root and ordinary user), and the same with
 * the peers of ../shared/bench when they are there. Prints ratios; asserts nothing, since machines are noisy.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { debianRootfs } from "../helpers/debian.js";
import { CACHE, REPOSITORY, TestHost } from "../helpers/host.js";
import { pushImage, startRegistry } from "../helpers/registry.js";
import { profileUp } from "./profile.js";
import { rootlessPodmanCompose } from "./rootless-peer.js";

const sizes = process.argv
  .slice(2)
  .map(Number)
  .filter((size) => size > 0);
const chosen = sizes.length > 0 ? sizes : [1, 5, 20];
const profiles: string[] = [];
const rounds = 3;
const peers = resolve(REPOSITORY, "../shared/bench/peers");

type Times = Record<"up" | "again" | "ps" | "down", number>;
const VERBS = ["up", "again", "ps", "down"] as const;
const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

function composeFile(image: string, size: number): string {
  const services = Array.from(
    { length: size },
    (_, i) => `  s${i}:\n    image: ${image}\n    command: [sleep, "1000"]\n    init: true`,
  );
  return `services:\n${services.join("\n")}\n`;
}

async function ours(mode: "root" | "user", image: string, size: number): Promise<Times> {
  const host = new TestHost(mode);
  const project = host.project(`bench${size}`, { "compose.yaml": composeFile(image, size) });
  await host.must(project, "pull", "-q");
  const samples: Times[] = [];
  for (let round = 0; round < rounds; round++) {
    const time = async (...args: string[]) => {
      const start = performance.now();
      await host.must(project, ...args);
      return performance.now() - start - 20; // the test host waits 20 ms for late output
    };
    samples.push({
      up: await time("up", "-d"),
      again: await time("up", "-d"),
      ps: await time("ps"),
      down: await time("down", "-t", "0"),
    });
  }
  if (size === Math.max(...chosen)) profiles.push(`up -d of ${size} as ${mode}:`, ...(await profileUp(host, project)));
  await host[Symbol.asyncDispose]();
  const of = (verb: keyof Times) => median(samples.map((sample) => sample[verb]));
  return { up: of("up"), again: of("again"), ps: of("ps"), down: of("down") };
}

/** Parses the peers script's `tool verb rc=0 123 ms` lines. */
function theirs(size: number): Record<string, Times> {
  const { stdout } = spawnSync(peers, ["up", String(size)], { encoding: "utf8" });
  const found: Record<string, Times> = {};
  for (const line of stdout.split("\n")) {
    const match = /^(podman-compose|docker compose) (up|ps|down).*rc=0 +(\d+) ms/.exec(line);
    if (match === null) continue;
    const [, tool = "", verb = "up", ms] = match;
    const times = found[tool] ?? { up: Number.NaN, again: Number.NaN, ps: Number.NaN, down: Number.NaN };
    times[verb as keyof Times] = Number(ms);
    found[tool] = times;
  }
  return found;
}

const registry = await startRegistry();
await pushImage(registry.address, "busybox", "1", { layers: [debianRootfs("busybox", CACHE)] });
const image = `${registry.address}/busybox:1`;
try {
  for (const size of chosen) {
    const results: Record<string, Times> = {
      "tscompose (root)": await ours("root", image, size),
      "tscompose (user)": await ours("user", image, size),
    };
    if (existsSync(peers)) Object.assign(results, theirs(size));
    const rootless = rootlessPodmanCompose(size);
    if (rootless !== undefined) results["podman-compose (user)"] = { again: Number.NaN, ...rootless };
    const base = results["docker compose"];
    console.log(
      `\n${size} services             up         again (no-op)        ps              down     (ms, and ratio to docker compose of this run)`,
    );
    for (const [name, times] of Object.entries(results)) {
      const cell = (verb: keyof Times) => {
        const ratio =
          base === undefined || Number.isNaN(base[verb]) ? "" : `(${(times[verb] / base[verb]).toFixed(2)})`;
        if (Number.isNaN(times[verb])) return "     - ".padEnd(15);
        return `${times[verb].toFixed(0).padStart(6)} ${ratio.padEnd(8)}`;
      };
      console.log(`${name.padEnd(21)} ${VERBS.map(cell).join(" ")}`);
    }
    if (rootless !== undefined) {
      const ours = results["tscompose (user)"] as Times;
      const ratios = (["up", "ps", "down"] as const).map(
        (verb) => `${verb} ${(ours[verb] / rootless[verb]).toFixed(3)}`,
      );
      console.log(`tscompose (user) to podman-compose (user): ${ratios.join(", ")}`);
    }
  }
  console.log(`\n${profiles.join("\n")}`);
} finally {
  await registry[Symbol.asyncDispose]();
}
