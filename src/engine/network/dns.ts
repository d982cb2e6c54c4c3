/**
 * Keeps aardvark-dns equal to the endpoints table: one instance for ordinary networks, one without forwarding for
 * internal ones (a forwarding resolver would let them talk to the outside). Owns the configuration folders and the processes.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ProcessIdentity } from "../../kernel/kernel.js";
import { processFile } from "../../kernel/proc.js";
import { errnoOf, TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { type EndpointRecord, liveEndpoints } from "../state/endpoints.js";
import { findNetwork, isNetworkStanding } from "../state/networks.js";
import { parseAddress } from "./addresses.js";
import { type Coalescer, createCoalescer } from "./coalesce.js";
import { boundSockets, dnsFile, procAddress } from "./dns-files.js";
import { dnsServer, endServer, endServers, forgetServer, PID_FILE, recordServer, temporaryFile } from "./dns-server.js";
import { withLock } from "./locks.js";
import { helperEnv, needProgram } from "./programs.js";
import { run } from "./run.js";
import type { Site } from "./site.js";

/** `settled` resolves once every name that was in the database at `changed` is served. `TSC_DNS_FAILED`. */
export type Dns = Coalescer;

type Instance = "main" | "internal";

/** Within this time aardvark-dns has acted on a second signal. */
const EXTRA_READ_MS = 100;

interface Wanted {
  readonly files: Map<string, string>;
  readonly listen: Set<string>;
}

/** Undefined when the file is missing. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** What both instances should serve now. */
function wantedFiles(ctx: EngineContext, site: Site): Record<Instance, Wanted> {
  const wanted: Record<Instance, Wanted> = {
    main: { files: new Map(), listen: new Set() },
    internal: { files: new Map(), listen: new Set() },
  };
  const byNetwork = new Map<string, EndpointRecord[]>();
  for (const record of liveEndpoints(ctx.state, ctx.kernel.bootId())) {
    if (record.cni.phase === "leaving") continue;
    const list = byNetwork.get(record.network) ?? [];
    list.push(record);
    byNetwork.set(record.network, list);
  }
  const outside = new Set<string>();
  const epoch = site.epoch();
  const internal: { readonly id: string; readonly records: EndpointRecord[] }[] = [];
  for (const [name, records] of byNetwork) {
    const network = findNetwork(ctx.state, name);
    if (network === undefined || !network.settings.dns) continue;
    const isGenerated = network.settings.source === "generated";
    if (isGenerated && (epoch === undefined || !isNetworkStanding(ctx.state, name, epoch))) continue;
    // One family is enough to ask; a bridge's IPv6 address cannot be bound for its first second (duplicate detection).
    const all = isGenerated
      ? network.settings.subnets.flatMap(({ gateway }) => gateway ?? [])
      : [...new Set(records.flatMap(({ endpoint }) => [endpoint.gateway, endpoint.ipv6Gateway]))];
    const four = all.filter((ip) => ip !== "" && !ip.includes(":"));
    const listen = four.length > 0 ? four : all.filter((ip) => ip !== "");
    const text = dnsFile(listen, network.spec.dns ?? [], records);
    if (text === undefined) continue;
    const instance = wanted[network.settings.internal ? "internal" : "main"];
    instance.files.set(network.id, text);
    for (const address of listen) instance.listen.add(address);
    if (network.settings.internal) internal.push({ id: network.id, records });
    else for (const record of records) outside.add(record.containerId);
  }
  // A container on both kinds asks the forwarding instance first: let that one know the internal names too. It needs a
  // listen address of its own; a loopback one nobody asks will do.
  for (const [index, { id, records }] of internal.entries()) {
    if (!records.some((record) => outside.has(record.containerId))) continue;
    const text = dnsFile([`127.83.${(index >> 8) & 255}.${(index & 255) + 1}`], [], records);
    if (text !== undefined) wanted.main.files.set(id, text);
  }
  return wanted;
}

/** The name service of one engine. */
export function createDns(ctx: EngineContext, site: Site): Dns {
  const { kernel } = ctx;
  const base = join(ctx.paths.network, "dns");
  const env = helperEnv(ctx.env);

  const dirOf = (instance: Instance): string => join(base, instance);

  const sockets = (pid: number): Map<string, string> =>
    boundSockets(processFile(pid, "net/udp") ?? "", processFile(pid, "net/udp6") ?? "", 53);

  async function start(dir: string, instance: Instance): Promise<ProcessIdentity> {
    rmSync(join(dir, PID_FILE), { force: true });
    const program = needProgram(ctx.env, "aardvark-dns");
    const result = await run(
      kernel,
      [...site.prefix({ resolver: true }), program, "--config", dir, "-p", "53", "run"],
      {
        env: instance === "internal" ? { ...env, AARDVARK_NO_PROXY: "1" } : env,
      },
    );
    const identity = recordServer(kernel, dir);
    if (identity === undefined) {
      throw new TscError("TSC_DNS_FAILED", `aardvark-dns did not start (exit ${result.code})`, { kind: "unavailable" });
    }
    return identity;
  }

  /** Waits until every listen address has a socket that was not there before; signals again when a HUP was lost. */
  async function settle(
    dir: string,
    instance: Instance,
    listen: ReadonlySet<string>,
    first: ProcessIdentity | undefined,
  ) {
    let current = first ?? (await start(dir, instance));
    const before = first === undefined ? new Map<string, string>() : sockets(first.pid);
    if (first !== undefined) kernel.signal(first, "SIGHUP");
    const wanted = [...listen].map((text) => {
      const address = parseAddress(text);
      return { text, key: procAddress(address.family, address.value) };
    });
    const begin = Date.now();
    let lastSignal = begin;
    for (let wait = 1; ; wait = Math.min(wait * 2, 20)) {
      const now = sockets(current.pid);
      const missing = wanted.filter(({ key }) => now.get(key) === undefined || now.get(key) === before.get(key));
      if (missing.length === 0) {
        // A signal too many makes it read its files once more: if that fell into the next update, its sockets would be taken for that
        // update's, before the files of that one were read.
        if (lastSignal !== begin) await delay(EXTRA_READ_MS);
        return;
      }
      if (Date.now() - begin > 5_000) {
        throw new TscError(
          "TSC_DNS_FAILED",
          `name service cannot listen on ${missing.map(({ text }) => `${text}:53`).join(", ")}`,
          {
            kind: "unavailable",
            hint: "another DNS server may hold port 53 on all addresses: bind it to its own address",
          },
        );
      }
      // No event tells that another process has bound its sockets.
      await delay(wait);
      if (!kernel.isAlive(current)) {
        current = await start(dir, instance);
        before.clear();
      } else if (Date.now() - lastSignal > 200) {
        kernel.signal(current, "SIGHUP");
        lastSignal = Date.now();
      }
    }
  }

  async function update(instance: Instance, wanted: Wanted): Promise<void> {
    const dir = dirOf(instance);
    const temporary = temporaryFile(dir);
    // left by a command that was killed before its rename
    rmSync(temporary, { force: true });
    let present: string[];
    try {
      present = readdirSync(dir).filter((file) => file !== PID_FILE);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      if (wanted.files.size === 0) return;
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      present = [];
    }
    const alive = dnsServer(kernel, dir);
    // Files without a server: a command was killed while it started one, which may run without its pid file.
    if (alive === undefined && present.length > 0) await endServers(kernel, dir);
    let changed = false;
    for (const file of present) {
      if (wanted.files.has(file)) continue;
      rmSync(join(dir, file), { force: true });
      changed = true;
    }
    // Any unreadable file in the folder ends the server: files appear whole, by rename from outside.
    for (const [file, text] of wanted.files) {
      if (readText(join(dir, file)) === text) continue;
      writeFileSync(temporary, text, { mode: 0o600 });
      renameSync(temporary, join(dir, file));
      changed = true;
    }
    if (wanted.files.size === 0) {
      if (alive !== undefined) await endServer(kernel, alive);
      forgetServer(dir);
      return;
    }
    if (alive !== undefined && !changed) return;
    await settle(dir, instance, wanted.listen, alive);
  }

  async function flush(): Promise<void> {
    await withLock(ctx, "dns", async () => {
      const wanted = wantedFiles(ctx, site);
      await update("main", wanted.main);
      await update("internal", wanted.internal);
    });
  }

  return createCoalescer(flush);
}
