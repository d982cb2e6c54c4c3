/** Where the time of one `up -d` goes, read off the progress events as they arrive: start-up, network, creating, starting, end. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type TestHost, TSCOMPOSE, testUser } from "../helpers/host.js";

interface Seen {
  readonly at: number;
  readonly id: string;
  readonly text: string;
}

/** Runs `up -d` in a project folder and gives the table as lines; times in ms of this one run. */
export async function profileUp(host: TestHost, folder: string): Promise<string[]> {
  const user = host.mode === "user" ? testUser() : undefined;
  const begin = performance.now();
  const child = spawn(TSCOMPOSE, ["--progress", "json", "up", "-d"], {
    cwd: folder,
    env: host.env,
    stdio: ["ignore", "ignore", "pipe"],
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  const seen: Seen[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    const { id = "", text = "" } = JSON.parse(line) as { id?: string; text?: string };
    seen.push({ at: performance.now() - begin, id, text });
  });
  await new Promise((resolve) => child.once("exit", resolve));
  const end = performance.now() - begin;
  const at = (text: string, which: "first" | "last"): number => {
    const times = seen
      .filter((event) => event.text === text && event.id.startsWith("Container"))
      .map((event) => event.at);
    return (which === "first" ? times[0] : times.at(-1)) ?? Number.NaN;
  };
  const each = (from: string, to: string): string => {
    const spans = seen
      .filter((event) => event.text === to && event.id.startsWith("Container"))
      .map((event) => event.at - (seen.find((other) => other.id === event.id && other.text === from)?.at ?? Number.NaN))
      .sort((a, b) => a - b);
    return `${(spans[Math.floor(spans.length / 2)] ?? Number.NaN).toFixed(0)} ms each at the median`;
  };
  const row = (name: string, from: number, to: number, note = ""): string =>
    `  ${name.padEnd(44)} ${(to - from).toFixed(0).padStart(6)} ms  ${note}`;
  const first = seen[0]?.at ?? end;
  return [
    row("node, bundle, compose file, store, plan", 0, first),
    row("project network recorded", first, at("Creating", "first")),
    row(
      "containers created (rows, root filesystems)",
      at("Creating", "first"),
      at("Created", "last"),
      each("Creating", "Created"),
    ),
    row(
      "containers started (CNI, conmon, runtime)",
      at("Starting", "first"),
      at("Started", "last"),
      each("Starting", "Started"),
    ),
    row("  of it while others were still being created", at("Starting", "first"), at("Created", "last")),
    row("closing down", at("Started", "last"), end),
    row("whole command", 0, end),
  ];
}
