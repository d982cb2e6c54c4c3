/**
 * One round of random kills: a project with conditions, health checks, restart policies, hooks, secrets, replicas, ports and two networks is
 * brought up and taken down by commands that die at a random moment, and must be whole after the next command each time. The same for the
 * bounded sample of the tests and for `npm run soak`.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { eventually, type TestHost } from "../helpers/host.js";
import { Doomed, type How, hows } from "./together.js";
import { unfinished } from "./traces.js";

/** Reproducible numbers in [0, 1) (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The files of the project. */
export const projectOf = (image: string): Record<string, string> => ({
  "word.txt": "sesame\n",
  "compose.yaml": `
services:
  db:
    image: "${image}"
    command: sh -c "touch /data/ready; exec sleep 1000"
    init: true
    restart: always
    stop_grace_period: 0s
    volumes: ["data:/data"]
    networks: [back]
    healthcheck: { test: ["CMD", "test", "-f", "/data/ready"], interval: 300ms, retries: 30 }
  job:
    image: "${image}"
    command: sh -c "echo job >> /data/job"
    volumes: ["data:/data"]
    networks: [back]
    depends_on: { db: { condition: service_healthy } }
  web:
    image: "${image}"
    command: sh -c "mkdir -p /www && cp /run/secrets/word /www/index.html && exec httpd -f -p 80 -h /www"
    init: true
    restart: unless-stopped
    stop_grace_period: 0s
    environment: [ "WORD=\${WORD:-one}" ]
    ports: ["127.0.0.1:0:80"]
    networks: [front, back]
    secrets: [word]
    post_start: [ { command: "true" } ]
    pre_stop: [ { command: "true" } ]
    depends_on:
      db: { condition: service_healthy, restart: true }
      job: { condition: service_completed_successfully }
  worker:
    image: "${image}"
    command: sleep 1000
    init: true
    restart: on-failure
    stop_grace_period: 0s
    deploy: { replicas: 2 }
    networks: [back]
    healthcheck: { test: ["CMD", "wget", "-q", "-O-", "http://web/"], interval: 300ms, retries: 30 }
    depends_on: [web]
networks: { front: {}, back: {} }
volumes: { data: {} }
secrets: { word: { file: ./word.txt } }
`,
});

const WAIT_MS = 90_000;

async function clean(host: TestHost, folder: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await host.run(folder, args, { timeoutMs: WAIT_MS });
  if (code !== 0 || /TSC_INTERNAL|\n\s+at /.test(stderr))
    throw new Error(`${args.join(" ")} exited ${code}: ${stderr.slice(-1500)}`);
  return stdout;
}

/** Everything runs, is watched, has its secret and answers to others and on its port. */
export async function checkWhole(host: TestHost, folder: string): Promise<void> {
  const text = await clean(host, folder, ["ps", "-a", "--format", "{{.Service}} {{.State}} {{.Health}}"]);
  const states = text
    .trim()
    .split("\n")
    .sort()
    .map((line) => line.trim());
  const wanted = [
    "db running healthy",
    "job exited",
    "web running",
    "worker running healthy",
    "worker running healthy",
  ];
  if (states.join() !== wanted.join()) throw new Error(`states: ${states.join(", ")}`);
  const watches = readdirSync(join(host.folder, "run/supervise")).filter((name) => /^[0-9a-f]{64}$/.test(name));
  if (watches.length !== 4) throw new Error(`${watches.length} watches for 4 supervised containers`);
  const word = await clean(host, folder, ["exec", "-T", "worker", "wget", "-q", "-O-", "http://web/"]);
  if (word !== "sesame\n") throw new Error(`web answers ${JSON.stringify(word)}`);
  const address = (await clean(host, folder, ["port", "web", "80"])).trim();
  const answer = await eventually(async () => await (await fetch(`http://${address}/`)).text(), 10_000);
  if (answer !== "sesame\n") throw new Error(`port ${address} answers ${JSON.stringify(answer)}`);
}

export interface Round {
  readonly seed: number;
  /** What was killed, for a person who looks for the reason. */
  readonly kills: string[];
}

/** Plays one round; throws when a command after a kill does not bring the project to where it should be. */
export async function playRound(host: TestHost, folder: string, round: Round): Promise<void> {
  const random = randomOf(round.seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const killed = async (args: readonly string[], withinMs: number, how: How = pick(hows)): Promise<void> => {
    const afterMs = Math.floor(random() * withinMs);
    const command = new Doomed(host, folder, args, { WORD: String(round.seed) });
    await Promise.race([new Promise((resolve) => setTimeout(resolve, afterMs)), command.end()]);
    const was = await command.kill(how);
    round.kills.push(`${args.join(" ")}: ${was ? `${how} after ${afterMs} ms` : "ended before"}`);
  };
  const up = ["up", "-d", "--wait"];
  const down = ["down", "-v", "-t", "0"];
  await killed(random() < 0.5 ? ["up", "-d"] : up, 1500);
  await clean(host, folder, up);
  await checkWhole(host, folder);
  const second = pick([
    down,
    down,
    ["restart", "-t", "0"],
    ["up", "-d", "--force-recreate"],
    ["up", "-d"],
    ["stop", "-t", "0"],
    ["rm", "-fs"],
    ["up", "-d", "--scale", "worker=4"],
    ["run", "--rm", "-T", "worker", "true"],
  ]);
  await killed(second, 1200);
  if (second !== down) {
    await clean(host, folder, up);
    await checkWhole(host, folder);
  }
  await clean(host, folder, [...down, "--remove-orphans"]);
  const left = [...unfinished(host), ...(await host.leaks()).lines];
  const containers = join(host.folder, "store/containers");
  if (existsSync(containers)) left.push(...readdirSync(containers).map((name) => `container ${name}`));
  if (left.length > 0) throw new Error(`left: ${left.join(", ")}`);
}
