/** slirp4netns's API socket: one JSON request per connection. Knows nothing about containers. */
import { connect } from "node:net";
import { errnoOf, TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";

/** An entry of `list_hostfwd`, in slirp4netns's words. */
export interface HostForward {
  readonly id: number;
  readonly proto: string;
  readonly host_addr: string;
  readonly host_port: number;
  readonly guest_addr: string;
  readonly guest_port: number;
}

const BUSY_MS = 5_000;
const BUSY_PAUSE_MS = 10;

/** Requests of this process wait for each other: slirp4netns listens with a backlog of one, and a full one is EAGAIN. */
let previous: Promise<unknown> = Promise.resolve();

function call(socketPath: string, request: unknown): Promise<Record<string, unknown>> {
  const result = previous.then(() => whenFree(socketPath, request));
  previous = result.catch(() => undefined);
  return result;
}

/** Other commands may ask at the same time; there is no event for room in a backlog. */
async function whenFree(socketPath: string, request: unknown): Promise<Record<string, unknown>> {
  const end = Date.now() + BUSY_MS;
  for (;;) {
    try {
      return await ask(socketPath, request);
    } catch (error) {
      if (errnoOf(error) !== "EAGAIN" || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS));
    }
  }
}

function ask(socketPath: string, request: unknown): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    let answer = "";
    socket.setTimeout(5_000, () =>
      socket.destroy(new TscError("TSC_SLIRP_FAILED", "slirp4netns does not answer", { kind: "timeout" })),
    );
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      answer += chunk;
      if (answer.length > 4 * 1024 * 1024)
        socket.destroy(new TscError("TSC_SLIRP_FAILED", "slirp4netns answers without end"));
    });
    socket.on("error", reject);
    socket.on("end", () => {
      socket.destroy();
      try {
        const parsed = JSON.parse(answer) as { return?: Record<string, unknown>; error?: { desc?: unknown } };
        if (parsed.error !== undefined) {
          reject(
            new TscError("TSC_SLIRP_FAILED", `slirp4netns: ${printable(String(parsed.error.desc))}`, {
              kind: "conflict",
            }),
          );
          return;
        }
        // 1.2 answers `list_hostfwd` without the envelope that its manual shows
        resolve(parsed.return ?? (parsed as Record<string, unknown>));
      } catch (error) {
        reject(new TscError("TSC_SLIRP_FAILED", "slirp4netns gave an answer that is not JSON", { cause: error }));
      }
    });
    socket.on("connect", () => socket.end(JSON.stringify(request)));
  });
}

/** Opens host:port → guest:port. `TSC_SLIRP_FAILED` when slirp4netns refuses (port taken). */
export async function addHostForward(
  socketPath: string,
  forward: { proto: "tcp" | "udp"; hostIp: string; hostPort: number; guestPort: number },
): Promise<void> {
  await call(socketPath, {
    execute: "add_hostfwd",
    arguments: {
      proto: forward.proto,
      host_addr: forward.hostIp === "" ? "0.0.0.0" : forward.hostIp,
      host_port: forward.hostPort,
      guest_addr: "10.0.2.100",
      guest_port: forward.guestPort,
    },
  });
}

/** All ports that are open now. `TSC_SLIRP_FAILED`. */
export async function listHostForwards(socketPath: string): Promise<HostForward[]> {
  const answer = await call(socketPath, { execute: "list_hostfwd" });
  return Array.isArray(answer["entries"]) ? (answer["entries"] as HostForward[]) : [];
}

/** Closes the port with the id that `listHostForwards` tells. `TSC_SLIRP_FAILED`. */
export async function removeHostForward(socketPath: string, id: number): Promise<void> {
  await call(socketPath, { execute: "remove_hostfwd", arguments: { id } });
}
