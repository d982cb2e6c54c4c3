/**
 * The scenario vocabulary: one obligation per test, steps that are commands, checks of state rather than of text. Fixtures are read
 * from ../shared in place (they are other projects' files); each scenario runs in a copy, in a store and under a project name of its own.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, test } from "@jest/globals";
import { debianRootfs } from "./debian.js";
import { CACHE, eventually, isRoot, type Mode, REPOSITORY, type Result, TestHost } from "./host.js";
import { pushImage, pushPlatforms, type Registry, startRegistry } from "./registry.js";

const FIXTURES = resolve(REPOSITORY, "../shared/conformance/vectors/e2e/testdata");

export interface Row {
  readonly ID: string;
  readonly Name: string;
  readonly Service: string;
  readonly State: string;
  readonly Health: string;
  readonly ExitCode: number;
  readonly Labels: string;
  readonly Publishers: readonly { URL: string; TargetPort: number; PublishedPort: number; Protocol: string }[] | null;
}

/** Fails with everything a person needs to see when a claim about the outcome is false. */
function claim(truth: boolean, message: string, result?: Result): asserts truth {
  if (truth) return;
  throw new Error(
    result === undefined
      ? message
      : `${message}\nexit ${result.code}\n--- stdout\n${result.stdout}\n--- stderr\n${result.stderr}`,
  );
}

/** What one scenario can do and observe. */
export class Scenario {
  readonly host: TestHost;
  readonly folder: string;
  readonly project: string;
  readonly env: Record<string, string> = {};
  /** Typed by the person at the questions of the commands that follow. */
  input = "";
  last: Result = { code: 0, stdout: "", stderr: "" };

  constructor(host: TestHost, folder: string, project: string) {
    this.host = host;
    this.folder = folder;
    this.project = project;
  }

  /** Runs `tscompose ARGS`; the result is kept in `last`. */
  async run(...args: string[]): Promise<Result> {
    this.last = await this.host.run(this.folder, args, { env: this.env, input: this.input });
    return this.last;
  }
  async ok(...args: string[]): Promise<Result> {
    const result = await this.run(...args);
    claim(result.code === 0, `${args.join(" ")} must exit 0`, result);
    return result;
  }
  /** The command ends with `code`; every text given appears in its output. */
  async exits(code: number, args: string[], ...texts: (string | RegExp)[]): Promise<Result> {
    const result = await this.run(...args);
    claim(result.code === code, `${args.join(" ")} must exit ${code}`, result);
    this.says(...texts);
    return result;
  }
  says(...texts: (string | RegExp)[]): void {
    const all = `${this.last.stdout}\n${this.last.stderr}`;
    for (const text of texts)
      claim(typeof text === "string" ? all.includes(text) : text.test(all), `output must contain ${text}`, this.last);
  }
  saysNot(...texts: (string | RegExp)[]): void {
    const all = `${this.last.stdout}\n${this.last.stderr}`;
    for (const text of texts)
      claim(
        typeof text === "string" ? !all.includes(text) : !text.test(all),
        `output must not contain ${text}`,
        this.last,
      );
  }

  /** Containers of the project, also stopped ones and one-offs. */
  async rows(): Promise<Row[]> {
    const result = await this.host.run(
      this.folder,
      ["-p", this.project, "--profile", "*", "ps", "--all", "--orphans", "--format", "json"],
      { env: this.env },
    );
    claim(result.code === 0, "ps must answer", result);
    return result.stdout
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => JSON.parse(line) as Row);
  }
  async of(service: string): Promise<Row[]> {
    const oneOff = (row: Row) => row.Labels.includes("com.docker.compose.oneoff=True");
    return (await this.rows())
      .filter((row) => row.Service === service && !oneOff(row))
      .sort((a, b) => a.Name.localeCompare(b.Name));
  }
  async oneOffs(service: string): Promise<Row[]> {
    return (await this.rows()).filter(
      (row) => row.Service === service && row.Labels.includes("com.docker.compose.oneoff=True"),
    );
  }
  async ids(service: string): Promise<string[]> {
    return (await this.of(service)).map((row) => row.ID);
  }
  /** Every container of the service is in that state, and there is at least one. */
  async state(service: string, state: string, timeoutMs = 10_000): Promise<void> {
    let seen = "";
    await eventually(async () => {
      const states = (await this.of(service)).map((row) => row.State);
      seen = states.join(", ");
      return states.length > 0 && states.every((is) => is === state);
    }, timeoutMs).catch(() => claim(false, `${service} must be ${state}, is ${seen || "not there"}`, this.last));
  }
  async absent(service: string): Promise<void> {
    const rows = await this.of(service);
    claim(
      rows.length === 0,
      `${service} must have no container, has ${rows.map((row) => `${row.Name} ${row.State}`).join(", ")}`,
      this.last,
    );
  }
  async scale(service: string, count: number): Promise<void> {
    const rows = (await this.of(service)).filter((row) => row.State === "running");
    claim(rows.length === count, `${service} must run ${count} times, runs ${rows.length}`, this.last);
  }
  /** The container numbers of a service, sorted. */
  async numbers(service: string, ...wanted: number[]): Promise<void> {
    const numbers = (await this.of(service)).map((row) => Number(row.Name.split(/[-_]/).at(-1))).sort((a, b) => a - b);
    claim(numbers.join() === wanted.join(), `${service} must have numbers ${wanted}, has ${numbers}`, this.last);
  }
  async inspect(name: string): Promise<Record<string, unknown>> {
    const result = await this.host.run(this.folder, ["container", "inspect", name]);
    claim(result.code === 0, `inspect ${name}`, result);
    const parsed: unknown = JSON.parse(result.stdout);
    return (Array.isArray(parsed) ? parsed[0] : parsed) as Record<string, unknown>;
  }
  async label(name: string, key: string): Promise<string | undefined> {
    const info = await this.inspect(name);
    const labels = (info["labels"] ?? (info["Config"] as Record<string, unknown> | undefined)?.["Labels"]) as
      | Record<string, string>
      | undefined;
    return labels?.[key];
  }
  /** The containers of the service are the same ones before and after. */
  async keeps(service: string, step: () => Promise<unknown>, kept = true): Promise<void> {
    const before = (await this.ids(service)).join();
    await step();
    const after = (await this.ids(service)).join();
    claim(before !== "" && (before === after) === kept, `${service} must ${kept ? "not " : ""}be recreated`, this.last);
  }
  async imageExists(name: string, exists = true): Promise<void> {
    const result = await this.host.run(this.folder, ["image", "inspect", name]);
    claim((result.code === 0) === exists, `image ${name} must ${exists ? "" : "not "}exist`, result);
  }
  /** A line of this text in `exec` of a service. */
  async inside(service: string, ...command: string[]): Promise<string> {
    const result = await this.host.run(this.folder, ["exec", "-T", service, ...command], { env: this.env });
    claim(result.code === 0, `exec ${service} ${command.join(" ")}`, result);
    return result.stdout;
  }
  write(path: string, text: string): void {
    mkdirSync(resolve(this.folder, path, ".."), { recursive: true });
    writeFileSync(join(this.folder, path), text);
    chmodSync(join(this.folder, path), 0o755);
  }
}

/** `TSCOMPOSE_SCENARIO_MODES=user,root` runs every scenario as both, whatever it says of itself. */
const EVERY_MODE = process.env["TSCOMPOSE_SCENARIO_MODES"]?.split(",") as readonly Mode[] | undefined;

/** A platform that this machine is not. */
export const FOREIGN_PLATFORM = process.arch === "arm64" ? "linux/amd64" : "linux/arm64";

let registry: Registry | undefined;

/** Call once at the top of a scenario file: a registry that stands in for docker.io, filled with Debian's programs. */
export function dockerIo(): void {
  beforeAll(async () => {
    if (!isRoot) return;
    registry = await startRegistry({ storage: join(CACHE, "docker-io") });
    const busybox = debianRootfs("busybox", CACHE);
    const push = (name: string, tag: string, layers: string[], config: Record<string, unknown> = {}) =>
      pushImage((registry as Registry).address, `library/${name}`, tag, { layers, config });
    for (const tag of ["latest", "3.12", "3.13.12", "3.14", "3.15", "3.18"])
      await push("alpine", tag, [busybox], { Cmd: ["/bin/sh"], Labels: { tag } });
    for (const tag of ["latest", "1.35.0"]) await push("busybox", tag, [busybox]);
    await pushPlatforms(registry.address, "library/alpine", ["3.19", "3.20"], [busybox], { Cmd: ["/bin/sh"] });
    await push("bash", "latest", [busybox, debianRootfs("bash", CACHE)], { Cmd: ["bash"] });
    await push("hello-world", "latest", [busybox], { Cmd: ["echo", "Hello from Docker!"] });
    const nginx = [debianRootfs("nginx", CACHE), join(import.meta.dirname, "images/nginx-static")];
    for (const tag of ["latest", "alpine"])
      await push("nginx", tag, [busybox, ...nginx], { Cmd: ["nginx"], ExposedPorts: { "80/tcp": {} } });
  }, 120_000);
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
  });
}

export interface ScenarioOptions {
  /** Fixture folder when it is not the scenario's name. */
  readonly fixture?: string;
  /** Files instead of a fixture. */
  readonly files?: Record<string, string>;
  readonly modes?: readonly Mode[];
  readonly env?: Record<string, string>;
  readonly timeoutMs?: number;
}

/** Where a failed scenario leaves what one looks at first. */
const ARTEFACTS = process.env["TSCOMPOSE_TEST_ARTEFACTS"] ?? join(tmpdir(), "tscompose-artefacts");

/** Keeps the compose files, the last command's output, `ps`, plan, logs and events of a scenario that failed; the failure, which names the folder. */
async function withArtefacts(current: Scenario, failure: unknown): Promise<unknown> {
  const { host, folder, project, env, last } = current;
  const kept = join(ARTEFACTS, `${project}-${host.mode}-${process.pid}`);
  rmSync(kept, { recursive: true, force: true });
  mkdirSync(kept, { recursive: true });
  cpSync(folder, join(kept, "project"), { recursive: true });
  const write = (name: string, { code, stdout, stderr }: Result) =>
    writeFileSync(join(kept, `${name}.txt`), `exit ${code}\n--- stdout\n${stdout}\n--- stderr\n${stderr}`);
  write("last", last);
  const looks: Record<string, string[]> = {
    ps: ["ps", "--all", "--orphans"],
    plan: ["--dry-run", "up", "-d"],
    logs: ["logs", "--timestamps"],
    events: ["events", "--json", "--since", "1h", "--until", "0s"],
  };
  for (const [name, args] of Object.entries(looks)) {
    await host.run(folder, ["-p", project, "--profile", "*", ...args], { env }).then(
      (result) => write(name, result),
      (error: unknown) => writeFileSync(join(kept, `${name}.txt`), String(error)),
    );
  }
  if (failure instanceof Error) failure.message += `\nps, plan, logs and events: ${kept}`;
  return failure;
}

/** One scenario; rootless unless `modes` says more. Skips loudly without the fixtures or without root. */
export function scenario(
  name: string,
  obligation: string,
  body: (s: Scenario) => Promise<void>,
  options: ScenarioOptions = {},
): void {
  const fixture = join(FIXTURES, options.fixture ?? name);
  const runnable = isRoot && (options.files !== undefined || existsSync(fixture));
  for (const mode of EVERY_MODE ?? options.modes ?? ["user"]) {
    const declare = runnable ? test : test.skip;
    declare(
      `${name} (${mode}): ${obligation}${runnable ? "" : " [needs root and ../shared]"}`,
      async () => {
        const host = new TestHost(mode, options.env);
        const project = name.toLowerCase().replaceAll(" ", "-");
        const folder = host.project(project, options.files ?? {});
        if (options.files === undefined) {
          cpSync(fixture, folder, { recursive: true });
          for (const file of readdirSync(folder)) if (/golden.*\.(json|err)$/.test(file)) rmSync(join(folder, file));
        }
        const mirrors = host.project("config", {
          "registries.conf": `[[registry]]\nprefix = "docker.io"\nlocation = "${registry?.address}"\ninsecure = true\n`,
        });
        host.env["CONTAINERS_REGISTRIES_CONF"] = join(mirrors, "registries.conf");
        host.project(project, {});
        let failure: unknown;
        const current = new Scenario(host, folder, project);
        try {
          await body(current);
        } catch (error) {
          failure = await withArtefacts(current, error);
        }
        await host.run(folder, ["-p", project, "--profile", "*", "down", "-v", "-t", "0", "--remove-orphans"], {
          env: current.env,
        });
        try {
          await host[Symbol.asyncDispose]();
        } catch (error) {
          failure ??= error;
        }
        if (failure !== undefined) throw failure;
      },
      options.timeoutMs ?? 90_000,
    );
  }
}
