/**
 * Commands die at every change they make to the system, in turn: the next command converges and `down -v` leaves nothing.
 * CI takes a fixed sample; `TSCOMPOSE_SWEEP=all` takes every point and `TSCOMPOSE_SWEEP=N` N points of each command;
 * `TSCOMPOSE_SWEEP_ONLY=restart` or `=restart@120-150` only these.
 */
import { appendFileSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "@jest/globals";
import { debianRootfs } from "../helpers/debian.js";
import { CACHE, eventually, isRoot, onHost, type TestHost } from "../helpers/host.js";
import { pushImage, type Registry, startRegistry } from "../helpers/registry.js";
import { viewStore } from "../helpers/strays.js";
import { putImage, tarOf } from "../integration/images/fixtures.js";
import { type Ended, runWithKillpoint, spread } from "./killpoints.js";
import { checkWhole, projectOf } from "./random-kills.js";
import { check, modes, processesOf, unfinished } from "./support.js";

const SWEEP = process.env["TSCOMPOSE_SWEEP"];
/** Where a long sweep writes what it did, one line a kill. */
const REPORT = process.env["TSCOMPOSE_SWEEP_REPORT"];
const TIMEOUT_MS = SWEEP === undefined ? 300_000 : 4 * 3_600_000;
const LAYERS = 8;
/** A control group takes the monitors of what runs with it, and those cannot come back: see random-kills.ts. */
const HOWS = ["alone", "group", "children"] as const;

let registry: Registry;
beforeAll(async () => {
  if (!isRoot) return;
  registry = await startRegistry();
  await pushImage(registry.address, "busybox", "1", { layers: [debianRootfs("busybox", CACHE)] });
  await putImage(registry.address, "many", "1", {
    layers: Array.from({ length: LAYERS }, (_, index) => ({
      tar: tarOf({ [`file${index}`]: `${index}`.repeat(50_000) }),
    })),
  });
}, 60_000);
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
});

const names = ["a", "b", "c", "d", "e"];
const service = (image: string, name: string): string => `  ${name}:
    image: ${image}
    command: sh -c "echo $$HOSTNAME >> /data/${name}; exec sleep 1000"
    init: true
    environment: [ "WORD=\${WORD:-one}" ]
    volumes: [ "data:/data"${name === "e" ? `, { type: image, source: "${image}", target: /part, image: { subpath: bin } }` : ""} ]
    stop_grace_period: 0s${name === "b" ? '\n    ports: [ "127.0.0.1:0:80" ]\n    restart: always' : ""}${name === "c" ? '\n    healthcheck: { test: ["CMD", "true"], interval: 1s }' : ""}`;
const stack = (image: string): string => `
services:
${names.map((name) => service(image, name)).join("\n")}
volumes: { data: {} }
`;

interface Count {
  kills: number;
  failures: string[];
}

/** What a host has that no container of its database explains, and running containers without what they need. */
function oddities(host: TestHost): string[] {
  const { running, strays } = viewStore(host.folder);
  const list = (name: string): string[] => {
    const folder = join(host.folder, name);
    return existsSync(folder) ? readdirSync(folder) : [];
  };
  return [
    ...strays,
    ...["run/rootfs", "run/netns", "run/containers"].flatMap((folder) =>
      [...running].filter((id) => !list(folder).includes(id)).map((id) => `no ${folder}/${id}`),
    ),
    ...processesOf(host, "conmon").flatMap(({ pid, argv }) =>
      [...running].some((id) => argv.includes(id)) ? [] : [`conmon ${pid}`],
    ),
  ];
}

/** One command under the knife: from `before`, killed, to `after`; `again` is what a person types next. */
interface Operation {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Brings the project to where the command starts from. */
  before(): Promise<void>;
  /** Converges; throws when it does not. */
  again(): Promise<void>;
  /** Share of the sample. */
  readonly weight?: number;
}

async function sweep(
  host: TestHost,
  folder: string,
  operation: Operation,
  sample: number,
  afterFailure: () => void = () => undefined,
): Promise<Count> {
  const { args, env = {} } = operation;
  const only = /^([^@]*)(?:@(\d+)-(\d+))?$/.exec(process.env["TSCOMPOSE_SWEEP_ONLY"] ?? "");
  const isLeftOut = only?.[1] !== undefined && only[1] !== "" && only[1] !== operation.name;
  if (isLeftOut || (SWEEP === undefined && sample === 0)) return { kills: 1, failures: [] };
  await operation.before();
  const whole = await runWithKillpoint(host, folder, args, 0, { env });
  expect({ name: operation.name, code: whole.code, stderr: whole.code === 0 ? "" : whole.stderr }).toEqual({
    name: operation.name,
    code: 0,
    stderr: "",
  });
  await operation.again();
  const count: Count = { kills: 0, failures: [] };
  const points = spread(whole.changes, SWEEP === "all" ? whole.changes : Number(SWEEP ?? sample)).filter(
    (point) => only?.[2] === undefined || (point >= Number(only[2]) && point <= Number(only[3])),
  );
  for (const point of points) {
    const at = `${host.mode} ${operation.name} ${point}/${whole.changes} ${HOWS[point % HOWS.length]}`;
    let ended: Ended | undefined;
    try {
      await operation.before();
      ended = await runWithKillpoint(host, folder, args, point, { env, how: HOWS[point % HOWS.length] ?? "alone" });
      if (ended.killed) count.kills++;
      await operation.again();
    } catch (error) {
      count.failures.push(`${at}: ${error instanceof Error ? error.message : String(error)}`);
      await host.run(folder, ["down", "-v", "-t", "0", "--remove-orphans"]);
      afterFailure();
    }
    if (REPORT !== undefined)
      appendFileSync(
        REPORT,
        `${at} ${ended?.killed === true ? "killed" : "ended"} ${count.failures.length} failures\n`,
      );
  }
  if (REPORT !== undefined) {
    writeFileSync(`${REPORT}.${host.mode}.${operation.name.replaceAll(/\W+/g, "-")}`, count.failures.join("\n\n"));
    appendFileSync(
      REPORT,
      `== ${host.mode} ${operation.name}: ${count.kills} kills, ${count.failures.length} failures\n`,
    );
  }
  return count;
}

/** Runs a command that must succeed without a word about errors. */
async function clean(
  host: TestHost,
  folder: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  const result = await host.run(folder, args, { env, timeoutMs: 60_000 });
  if (result.code !== 0 || /error\[|TSC_INTERNAL|\n\s+at /.test(result.stderr))
    throw new Error(`${args.join(" ")} exited ${result.code}: ${result.stderr.slice(-1500)}`);
  return result.stdout;
}

describe.each(modes)("kill points, %s", (mode) => {
  const onStack = (body: (host: TestHost, folder: string) => Promise<Count[]>) =>
    onHost(mode, async (host) => {
      const folder = host.project("swept", { "compose.yaml": stack(`${registry.address}/busybox:1`) });
      await host.must(folder, "pull", "-q");
      const counts = await body(host, folder);
      expect(counts.flatMap((count) => count.failures)).toEqual([]);
      // most points must really have been met, or this proves nothing
      for (const { kills } of counts) expect(kills).toBeGreaterThan(0);
    });

  const running = async (host: TestHost, folder: string, wanted: number): Promise<void> => {
    // what died with the command comes back by its policy, a moment later
    await eventually(async () => {
      const states = (await clean(host, folder, ["ps", "-a", "--format", "{{.Service}} {{.State}}"]))
        .trim()
        .split("\n")
        .sort();
      if (states.length === wanted && states.every((line) => line.endsWith(" running"))) return true;
      throw new Error(`${wanted} should run: ${states.join(", ")}`);
    });
    const odd = oddities(host);
    if (odd.length > 0) throw new Error(`odd: ${odd.join(", ")}`);
    const conmons = processesOf(host, "conmon").length;
    if (conmons !== wanted) throw new Error(`${conmons} conmon for ${wanted} containers`);
    // names, addresses and the packet's way; aardvark-dns answers nobody for a moment while it reads its files again
    await eventually(() => clean(host, folder, ["exec", "-T", "a", "ping", "-c1", "-W2", "e"]), 3_000);
  };
  const gone = async (host: TestHost): Promise<void> => {
    const odd = [...oddities(host), ...unfinished(host), ...(await host.leaks()).lines];
    if (odd.length > 0) throw new Error(`left: ${odd.join(", ")}`);
  };

  check(
    "up, down",
    onStack(async (host, folder) => {
      const down = (): Promise<string> => clean(host, folder, ["down", "-v", "-t", "0"]);
      const up = (): Promise<string> => clean(host, folder, ["up", "-d"]);
      return [
        await sweep(
          host,
          folder,
          {
            name: "up",
            args: ["up", "-d"],
            before: async () => undefined,
            again: async () => {
              await up();
              await running(host, folder, 5);
              await down();
              await gone(host);
            },
          },
          mode === "root" ? 4 : 2,
        ),
        await sweep(
          host,
          folder,
          {
            name: "down",
            args: ["down", "-v", "-t", "0"],
            before: async () => {
              await up();
            },
            again: async () => {
              await down();
              await gone(host);
            },
          },
          mode === "root" ? 3 : 2,
        ),
      ];
    }),
    TIMEOUT_MS,
  );

  check(
    "recreate, scale, restart, stop, rm, run, exec, cp",
    onStack(async (host, folder) => {
      let word = 0;
      const env: Record<string, string> = {};
      const up = (...more: string[]): Promise<string> => clean(host, folder, ["up", "-d", ...more], env);
      const lines = async (): Promise<number> =>
        Number((await clean(host, folder, ["exec", "-T", "a", "sh", "-c", "cat /data/* | wc -l"], env)).trim());
      let kept = 0;
      /** Up, all there, and nothing of the volume was lost. */
      const whole = async (wanted: number, ...more: string[]): Promise<void> => {
        await up(...more);
        await running(host, folder, wanted);
        const now = await lines();
        if (now < kept) throw new Error(`the volume lost data: ${kept} lines, now ${now}`);
        kept = now;
      };
      const counts: Count[] = [];
      const operations: readonly [Operation, number][] = [
        [
          {
            name: "recreate",
            args: ["up", "-d"],
            env,
            before: async () => {
              await up();
              env["WORD"] = `word${++word}`;
            },
            again: async () => {
              await whole(5);
              const seen = await clean(host, folder, ["exec", "-T", "d", "printenv", "WORD"], env);
              if (seen.trim() !== env["WORD"]) throw new Error(`WORD is ${seen}`);
            },
          },
          mode === "root" ? 3 : 1,
        ],
        [
          {
            name: "scale up",
            args: ["up", "-d", "--scale", "a=3"],
            env,
            before: async () => whole(5, "--scale", "a=1"),
            again: () => whole(7, "--scale", "a=3"),
          },
          mode === "root" ? 1 : 0,
        ],
        [
          {
            name: "scale down",
            args: ["up", "-d", "--scale", "a=1"],
            env,
            before: async () => {
              await up("--scale", "a=3");
            },
            again: () => whole(5, "--scale", "a=1"),
          },
          mode === "root" ? 1 : 0,
        ],
        [
          {
            name: "restart",
            args: ["restart", "-t", "0"],
            env,
            before: async () => void (await up()),
            again: () => whole(5),
          },
          mode === "root" ? 2 : 1,
        ],
        [
          {
            name: "stop",
            args: ["stop", "-t", "0"],
            env,
            before: async () => void (await up()),
            again: () => whole(5),
          },
          mode === "root" ? 1 : 0,
        ],
        [
          {
            name: "rm",
            args: ["rm", "-fs", "a", "b"],
            env,
            before: async () => void (await up()),
            again: async () => {
              await clean(host, folder, ["rm", "-fs", "a", "b"], env);
              await whole(5);
            },
          },
          mode === "root" ? 1 : 0,
        ],
        [
          {
            name: "run --rm",
            args: ["run", "--rm", "-T", "a", "true"],
            env,
            before: async () => void (await up()),
            again: async () => {
              await clean(host, folder, ["run", "--rm", "-T", "a", "true"], env);
              const { stdout } = await host.run(folder, ["ps", "-aq", "--filter", "status=running"], { env });
              if (stdout.trim().split("\n").length < 5) throw new Error(`running: ${stdout}`);
              await clean(host, folder, ["down", "-t", "0", "--remove-orphans"], env);
              await gone(host);
            },
          },
          mode === "root" ? 2 : 1,
        ],
        [
          {
            name: "pause",
            args: ["pause", "a", "b"],
            env,
            before: async () => void (await up()),
            again: async () => {
              await host.run(folder, ["unpause"], { env });
              await whole(5);
            },
          },
          mode === "root" ? 2 : 0,
        ],
        [
          {
            name: "exec",
            args: ["exec", "-T", "a", "sh", "-c", "echo x"],
            env,
            before: async () => void (await up()),
            again: () => whole(5),
          },
          mode === "root" ? 1 : 0,
        ],
        [
          {
            name: "cp",
            args: ["cp", "compose.yaml", "a:/tmp/copied"],
            env,
            before: async () => void (await up()),
            again: async () => {
              await clean(host, folder, ["cp", "compose.yaml", "a:/tmp/copied"], env);
              await whole(5);
            },
          },
          mode === "root" ? 1 : 0,
        ],
      ];
      const afterFailure = (): void => {
        kept = 0;
      };
      for (const [operation, sample] of operations)
        counts.push(await sweep(host, folder, operation, sample, afterFailure));
      await clean(host, folder, ["down", "-v", "-t", "0"], env);
      await gone(host);
      return counts;
    }),
    TIMEOUT_MS,
  );

  check(
    "up and down of a project with conditions, health checks, policies, hooks, secrets, replicas and ports",
    onHost(mode, async (host) => {
      const folder = host.project("everything", projectOf(`${registry.address}/busybox:1`));
      await host.must(folder, "pull", "-q");
      const up = (): Promise<string> => clean(host, folder, ["up", "-d", "--wait"]);
      const down = (): Promise<string> => clean(host, folder, ["down", "-v", "-t", "0"]);
      const whole = async (): Promise<void> => {
        await up();
        await checkWhole(host, folder);
      };
      const counts = [
        await sweep(
          host,
          folder,
          {
            name: "up of everything",
            args: ["up", "-d", "--wait"],
            before: async () => undefined,
            again: async () => {
              await whole();
              await down();
              await gone(host);
            },
          },
          mode === "root" ? 2 : 1,
        ),
        await sweep(
          host,
          folder,
          {
            name: "recreation of everything",
            args: ["up", "-d", "--force-recreate"],
            before: async () => void (await up()),
            again: whole,
          },
          mode === "root" ? 1 : 0,
        ),
      ];
      await down();
      await gone(host);
      expect(counts.flatMap((count) => count.failures)).toEqual([]);
    }),
    // every round waits for health checks
    3 * TIMEOUT_MS,
  );

  check(
    "pull, build",
    onHost(mode, async (host) => {
      const image = `${registry.address}/many:1`;
      const folder = host.project("images", {
        "compose.yaml": `services: { a: { image: "${image}" }, b: { build: ., image: swept-build } }`,
        Dockerfile: `FROM ${registry.address}/busybox:1\nRUN echo one > /one\nCOPY compose.yaml /copy\nENV A=b\nRUN cat /one /copy > /three\n`,
      });
      const layers = (): number => readdirSync(join(host.folder, "store/storage/layers")).length;
      const nothing = (): void => {
        const odd = [...oddities(host), ...unfinished(host)];
        if (odd.length > 0) throw new Error(`left: ${odd.join(", ")}`);
      };
      const counts = [
        await sweep(
          host,
          folder,
          {
            name: "pull",
            args: ["pull", "a"],
            before: async () => {
              await host.run(folder, ["image", "rm", image]);
            },
            again: async () => {
              await clean(host, folder, ["pull", "a"]);
              nothing();
              if (layers() !== LAYERS) throw new Error(`${layers()} layers`);
              await clean(host, folder, ["image", "rm", image]);
              if (layers() !== 0) throw new Error(`${layers()} layers stay`);
              const blobs = readdirSync(join(host.folder, "store/images/blobs/sha256"));
              if (blobs.length > 0) throw new Error(`${blobs.length} blobs stay`);
            },
          },
          mode === "root" ? 3 : 0,
        ),
        await sweep(
          host,
          folder,
          {
            name: "build",
            args: ["build", "--no-cache", "b"],
            before: async () => undefined,
            again: async () => {
              await clean(host, folder, ["build", "b"]);
              nothing();
              if (processesOf(host, "conmon").length > 0) throw new Error("a conmon is left");
              const three = await clean(host, folder, ["run", "--rm", "-T", "b", "head", "-c3", "/three"]);
              if (three !== "one") throw new Error(`/three begins with ${three}`);
              await clean(host, folder, ["down", "-t", "0"]);
              await gone(host);
            },
          },
          mode === "root" ? 3 : 1,
        ),
      ];
      expect(counts.flatMap((count) => count.failures)).toEqual([]);
    }),
    TIMEOUT_MS,
  );
});
