/** Sockets that wait for others in a process's network namespace, and who holds them; from proc(5), net/tcp and its like. Reads only. */
import { SocketAddress } from "node:net";
import { basename } from "node:path";
import { allPids, processFile, processLink, processNames } from "./proc.js";

/** A socket on which a program waits. */
export interface WaitingSocket {
  /** As the kernel has it: `0.0.0.0`, `::`, `127.0.0.1`, `::ffff:10.0.0.1`. */
  readonly address: string;
  readonly port: number;
  /** Names the socket in `/proc/PID/fd`. */
  readonly inode: string;
}

/** A process by what a person knows it by. */
export interface NamedProcess {
  readonly pid: number;
  /** Its own choice, at most 32 characters: a word from outside. */
  readonly program: string;
}

type Transport = "tcp" | "udp";

/** TCP_LISTEN, and what a UDP socket without a peer is in (include/net/tcp_states.h). */
const WAITING: Readonly<Record<Transport, string>> = { tcp: "0A", udp: "07" };

/** Sockets of both families that wait in the network namespace of `pid`; none when the process is gone. */
export function waitingSockets(pid: number | "self", transport: Transport): readonly WaitingSocket[] {
  return ["", "6"].flatMap((family) =>
    parseSockets(processFile(pid, `net/${transport}${family}`) ?? "", WAITING[transport]),
  );
}

/** The lines of a table such as /proc/net/tcp that are in the given state. Pure. */
export function parseSockets(text: string, state: string): readonly WaitingSocket[] {
  return text.split("\n").flatMap((line) => {
    const [, local = "", , status, , , , , , inode = ""] = line.trim().split(/\s+/);
    const [address = "", port = ""] = local.split(":");
    return status === state ? [{ address: addressOf(address), port: Number.parseInt(port, 16), inode }] : [];
  });
}

/** Hexadecimal words of 32 bits, each in the machine's order (little endian on every machine that we serve). */
function addressOf(words: string): string {
  const bytes = (words.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, "hex")].reverse());
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return new SocketAddress({ address: groups.join(":"), family: "ipv6" }).address;
}

/** The process that holds a socket, as far as its descriptors are for us to see. */
export function holderOf(inode: string): NamedProcess | undefined {
  const wanted = `socket:[${inode}]`;
  const pid = allPids().find((one) => processNames(one, "fd").some((fd) => processLink(one, `fd/${fd}`) === wanted));
  return pid === undefined ? undefined : { pid, program: programName(pid) };
}

/** What a process calls itself, shortened; "" when it is gone. Threads of many programs have names of their own: its first word comes first. */
export function programName(pid: number): string {
  const [first = ""] = (processFile(pid, "cmdline") ?? "").split(/[\0 ]/, 1);
  const name = basename(first).replace(/:$/, "").slice(0, 32);
  return name === "" ? (processFile(pid, "comm") ?? "").trimEnd() : name;
}
