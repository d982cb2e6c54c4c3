/**
 * Times `config` of a small file and of one with 500 services beside docker compose of ../shared/bench, turn by turn on the
 * same machine, and prints medians and ratios (at most 1 is the aim). Asserts nothing, since machines are noisy.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROUNDS = 9;
const ROOT = resolve(import.meta.dirname, "../..");
const BIN = join(ROOT, "bin/tscompose");
const PEERS = resolve(ROOT, "../shared/bench/peers");

const SMALL = "services:\n  web:\n    image: nginx\n    ports: ['80:80']\n  db:\n    image: postgres\n";

/** What large generated stacks look like: variables, short forms, several networks, dependencies as a tree. */
function large(size: number): string {
  const services = Array.from({ length: size }, (_, i) =>
    [
      `  s${i}:`,
      `    image: "registry.example.com/team/app-${i}:\${TAG:-1.${i}}"`,
      '    command: ["serve", "--port", "80"]',
      `    environment: { INDEX: "${i}", LEVEL: "\${LEVEL:-info}", URL: "http://s0:80/" }`,
      `    labels: ["traefik.http.routers.s${i}.rule=Host(\`s${i}.example.com\`)"]`,
      `    ports: ["${10000 + i}:80"]`,
      `    volumes: ["data${i % 20}:/data", "./conf:/etc/conf:ro"]`,
      "    networks: [front, back]",
      "    restart: unless-stopped",
      '    healthcheck: { test: ["CMD", "true"], interval: 10s }',
      ...(i === 0 ? [] : [`    depends_on: [s${Math.floor(i / 2)}]`]),
    ].join("\n"),
  );
  const volumes = Array.from({ length: 20 }, (_, i) => `  data${i}:`);
  return `services:\n${services.join("\n")}\nnetworks: { front: , back: }\nvolumes:\n${volumes.join("\n")}\n`;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function ours(folder: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(BIN, ["config"], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  if (status !== 0) throw new Error(String(stderr));
  return performance.now() - start;
}

/** Timed inside the peers' root, so that entering it does not count. */
function theirs(folder: string, name: string): number {
  const script = `cd /mnt/${name} && s=$(date +%s%N) && docker compose config >/dev/null && echo $(( $(date +%s%N) - s ))`;
  const { stdout } = spawnSync(PEERS, ["run", "bash", "-c", script], {
    env: { ...process.env, PEERS_MNT: folder },
    encoding: "utf8",
  });
  return Number(stdout.trim().split("\n").at(-1)) / 1e6;
}

const folder = mkdtempSync(join(tmpdir(), "tsc-bench-"));
try {
  const hasPeers = existsSync(join(process.env["PEERS_ROOT"] ?? "/var/tmp/peers", ".ready"));
  if (!hasPeers) console.log(`docker compose is not set up (${PEERS} setup): no ratios`);
  for (const [name, text] of Object.entries({ small: SMALL, large: large(500) })) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "compose.yaml"), text);
    const samples = { ours: [] as number[], theirs: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      samples.ours.push(ours(join(folder, name)));
      if (hasPeers) samples.theirs.push(theirs(folder, name));
    }
    const [own, other] = [median(samples.ours), median(samples.theirs)];
    const ratio = hasPeers ? `, docker compose ${other.toFixed(0)} ms, ratio ${(own / other).toFixed(2)}` : "";
    console.log(`config ${name}: ${own.toFixed(0)} ms${ratio}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
