/**
 * The agent that a RUN step sees: it lists keys and signs, and does nothing else, whatever the step asks for. Either it holds keys itself, or it asks
 * the caller's agent. Protocol: draft-ietf-sshm-ssh-agent.
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { SshKey } from "./keys.js";
import { uint32, WireReader, wireString } from "./wire.js";

/** One client's way to an agent: a request's body to the answer's, one after the other. */
interface AgentSession extends Disposable {
  ask(request: Buffer): Promise<Buffer>;
}
/** Opens a session per client. */
export type Agent = () => AgentSession;

const FAILURE = Buffer.from([5]);
const LIST = 11;
const SIGN = 13;
/** As OpenSSH's agent: nothing longer is a message. */
const MAX_MESSAGE = 256 * 1024;
const MAX_CLIENTS = 64;

/** An agent of these keys. */
export function keyAgent(keys: readonly SshKey[]): Agent {
  const listed = keys.map((key) => Buffer.concat([wireString(key.publicBlob), wireString("")]));
  const ask = async (request: Buffer): Promise<Buffer> => {
    if (request[0] === LIST) return Buffer.concat([Buffer.from([12]), uint32(keys.length), ...listed]);
    const fields = new WireReader(request.subarray(1));
    const blob = fields.string();
    const data = fields.string();
    const key = keys.find((known) => known.publicBlob.equals(blob));
    if (key === undefined) return FAILURE;
    return Buffer.concat([Buffer.from([14]), wireString(key.sign(data, fields.uint32()))]);
  };
  return () => ({ ask, [Symbol.dispose]: () => {} });
}

/** The agent that listens at `path`. */
export function remoteAgent(path: string): Agent {
  return () => {
    const socket = connect({ path });
    // told by the iterator, if anyone asks
    socket.on("error", () => {});
    const answers = messages(socket);
    return {
      async ask(request) {
        socket.write(wireString(request));
        const answer = await answers.next();
        return answer.done === true ? FAILURE : answer.value;
      },
      [Symbol.dispose]: () => void socket.destroy(),
    };
  };
}

/** Listens at `path` until it is disposed; then its clients are cut off. */
export async function serveAgent(path: string, agent: Agent): Promise<AsyncDisposable> {
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    const session = agent();
    clients.add(client);
    // its writes meet a client that is gone
    client.on("error", () => {});
    client.on("close", () => {
      clients.delete(client);
      session[Symbol.dispose]();
    });
    void serveClient(client, session);
  });
  server.maxConnections = MAX_CLIENTS;
  server.listen(path);
  await once(server, "listening");
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of clients) client.destroy();
      }),
  };
}

async function serveClient(client: Socket, session: AgentSession): Promise<void> {
  try {
    for await (const request of messages(client)) {
      const isServed = request[0] === LIST || request[0] === SIGN;
      client.write(wireString(isServed ? await session.ask(request).catch(() => FAILURE) : FAILURE));
    }
  } catch {
    // it sent what is no message, or went away
  }
  client.destroy();
}

/** The messages that come in, without their length. Ends with the stream; throws for one that cannot be one. */
async function* messages(socket: Socket): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  for await (const data of socket) {
    held = Buffer.concat([held, data as Buffer]);
    while (held.length >= 4) {
      const length = held.readUInt32BE(0);
      if (length === 0 || length > MAX_MESSAGE) throw new RangeError("not a message of an agent");
      if (held.length < 4 + length) break;
      yield held.subarray(4, 4 + length);
      held = held.subarray(4 + length);
    }
  }
}
