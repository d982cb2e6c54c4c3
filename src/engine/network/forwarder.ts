/** The process of published ports (tsc-portd; native/portd.md): starts it, finds it again, tells it what should be open. Knows no containers. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { errnoOf, TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";
import type { EngineContext } from "../context.js";
import { epochFile, forwarderEpoch, forwarderFolder, runningForwarder } from "./forwarder-record.js";
import { helperEnv } from "./programs.js";
import { run } from "./run.js";

/** A port to open and where it leads. */
export interface Forwarding {
  readonly protocol: "tcp" | "udp";
  readonly hostIp: string;
  readonly hostPort: number;
  readonly target: string;
  readonly targetPort: number;
  /** Connections of a port that changes its owner end. */
  readonly owner: string;
}

/** A port that could not be opened, with the errno's name. */
export type Failure = Pick<Forwarding, "protocol" | "hostIp" | "hostPort"> & { readonly errno: string };

interface Answer {
  readonly failures: readonly Failure[];
  /** Families whose answers to foreign addresses the namespace leads back. */
  readonly keeps: readonly (4 | 6)[];
}

/** As many as the process takes in one request (native/portd/control.c). */
export const PORTS_MAX = 131_072;

const programOf = (ctx: Pick<EngineContext, "kernel">): string => ctx.kernel.helperPath("tsc-portd");

/** Whether the program is there. */
export function hasForwarder(ctx: Pick<EngineContext, "kernel">): boolean {
  return existsSync(programOf(ctx));
}

/** Open ports of the host, held by a process that lives on when the command ends. */
export interface Forwarder {
  /**
   * Makes the open ports equal to these; starts the process, and waits for its end when there are none. Those beyond `PORTS_MAX` have no room,
   * as those beyond its descriptors (`EMFILE`). `TSC_FORWARDER_FAILED`.
   */
  open(ports: readonly Forwarding[], epoch: string, keep: readonly (4 | 6)[]): Promise<Answer>;
  /** Ends it with every port; none is no error. */
  end(): Promise<void>;
}

/** The forwarder of one run root; `netns` is where containers are, "" for where this command is. Calls must not run beside each other. */
export function createForwarder(ctx: EngineContext, netns: string): Forwarder {
  const { kernel } = ctx;
  const folder = forwarderFolder(ctx);

  async function start(epoch: string): Promise<void> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(epochFile(ctx), epoch, { mode: 0o600 });
    const argv = [programOf(ctx), folder, ...(netns === "" ? [] : [netns])];
    const result = await run(kernel, argv, { env: helperEnv(ctx.env) });
    if (result.code !== 0) throw failed(printable(result.stderr) || `exit ${result.code}`);
  }

  function ask(request: string): Promise<string> {
    const socket = connect({ path: join(folder, "control"), allowHalfOpen: true });
    socket.setTimeout(10_000, () => socket.destroy(failed("it does not answer")));
    // Before anything is written: an error may come first.
    const answer = text(socket);
    socket.end(request);
    return answer;
  }

  /** Undefined when nobody listens. */
  async function tryAsk(request: string): Promise<string | undefined> {
    try {
      const answer = await ask(request);
      return answer === "" ? undefined : answer;
    } catch (error) {
      if (["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(errnoOf(error) ?? "")) return undefined;
      throw error;
    }
  }

  async function end(): Promise<void> {
    const found = runningForwarder(ctx);
    if (found !== undefined) {
      kernel.signal(found, "SIGKILL");
      await kernel.waitForExit(found, AbortSignal.timeout(5_000));
    }
    rmSync(folder, { recursive: true, force: true });
  }

  async function open(ports: readonly Forwarding[], epoch: string, keep: readonly (4 | 6)[]): Promise<Answer> {
    const known = forwarderEpoch(ctx);
    // One for a namespace that is gone serves nobody.
    if (known !== undefined && known !== epoch) await end();
    const request = requestText(ports.slice(0, PORTS_MAX), keep);
    if (ports.length === 0) {
      const last = runningForwarder(ctx);
      if (last !== undefined && (await tryAsk(request)) !== undefined) {
        // Connections with bytes under way keep it for a moment.
        await kernel.waitForExit(last, AbortSignal.timeout(3_000)).catch(() => undefined);
      }
      await end();
      return { failures: [], keeps: [] };
    }
    let answer = known === epoch ? await tryAsk(request) : undefined;
    for (let attempt = 0; answer === undefined && attempt < 3; attempt++) {
      await start(epoch);
      answer = await tryAsk(request);
    }
    if (answer === undefined) throw failed("it ended right after its start");
    const { failures, keeps } = readAnswer(answer);
    const beyond = ports.slice(PORTS_MAX).map((port): Failure => ({ ...port, errno: "EMFILE" }));
    return { failures: [...failures, ...beyond], keeps };
  }

  return { open, end };
}

function failed(why: string): TscError {
  return new TscError("TSC_FORWARDER_FAILED", `the forwarder of published ports (tsc-portd) failed: ${why}`, {
    kind: "unavailable",
    hint: "npm run setup builds the native programs",
  });
}

function requestText(ports: readonly Forwarding[], keep: readonly (4 | 6)[]): string {
  const lines = ports.map(
    ({ protocol, hostIp, hostPort, target, targetPort, owner }) =>
      `port ${protocol} ${hostIp} ${hostPort} ${target} ${targetPort} ${owner}\n`,
  );
  return [...keep.map((family) => `keep ${family}\n`), ...lines, "end\n"].join("");
}

/** What the process answered. `TSC_FORWARDER_FAILED`. */
function readAnswer(answer: string): Answer {
  const failures: Failure[] = [];
  const keeps: (4 | 6)[] = [];
  const lines = answer.split("\n");
  if (lines.at(-2) !== "done") throw failed(`it answers ${JSON.stringify(printable(answer, 100))}`);
  for (const line of lines) {
    const [word, protocol, hostIp = "", hostPort, errno = ""] = line.split(" ");
    if (word === "keeps") keeps.push(protocol === "6" ? 6 : 4);
    if (word === "failed")
      failures.push({ protocol: protocol === "udp" ? "udp" : "tcp", hostIp, hostPort: Number(hostPort), errno });
  }
  return { failures, keeps };
}
