/** Follows the output and the ends of a project's containers for attached `up`. Prints through the log printer only. */
import type { Project } from "../../compose/model.js";
import type { EngineApi } from "../../engine/api.js";
import type { ContainerInfo } from "../../engine/types.js";
import { isTscError } from "../../lib/errors.js";
import { formatRfc3339Nano, parseRfc3339Nano } from "../../lib/timestamp.js";
import { LABEL } from "../../plan/labels.js";
import { isActive, type ObservedContainer, observe } from "../../plan/observe.js";
import { lockProject } from "../../project/lock.js";
import type { LogPrinter } from "../render/log-printer.js";

/** Output that has not come to its end and of which nothing came for this long is given up: somebody restarted the container. */
const QUIET_MS = 2000;
/** The name that a container has until the one that it replaces is gone. */
const REPLACEMENT = /^[0-9a-f]{12}_(.+)$/;

/** Whose output is printed, whose ends count, and what the attached command is told of them. */
export interface FollowerOptions {
  readonly printer: LogPrinter;
  readonly isShown: (service: string) => boolean;
  /** The attached command goes on while a container of such a service runs. */
  readonly isAwaited: (service: string) => boolean;
  /** A container has ended for good (its restart policy does not bring it back). */
  readonly onExit: (service: string, code: number) => void;
  /** Nothing awaited runs, and no other command is about to start some of it. */
  readonly onQuiet: () => void;
  /** A container cannot be followed any further. */
  readonly onError: (error: unknown) => void;
}

interface Followed {
  readonly service: string;
  ended: boolean;
  /** The start that was followed last. */
  startedAt: string | undefined;
  /** The time of the last line that was printed. Not that of its end, which is seen late: a later start may have written by then. */
  lastLine: string | undefined;
  /** It was started anew before its end was told. */
  again: boolean;
  done: Promise<void>;
}

/** One run of a container while its output is printed. */
interface Run {
  readonly entry: Followed;
  readonly since: string;
  endedAt: Date | undefined;
}

/** The moment after a line's time. */
function behind(time: string | undefined): string | undefined {
  const nano = time === undefined ? undefined : parseRfc3339Nano(time);
  return nano === undefined ? undefined : formatRfc3339Nano(nano + 1n);
}

/** Lives as long as the attached command. */
export class Followers {
  readonly #engine: EngineApi;
  readonly #project: Project;
  readonly #options: FollowerOptions;
  readonly #stop = new AbortController();
  /** By container id: a replacement takes over the name. */
  readonly #followed = new Map<string, Followed>();
  readonly #shownAs = new Map<string, string>();
  readonly #since = new Date().toISOString();
  #started = false;
  #printed = 0;
  #unsettled = false;
  #isSettling = false;

  constructor(engine: EngineApi, project: Project, options: FollowerOptions) {
    this.#engine = engine;
    this.#project = project;
    this.#options = options;
  }

  /**
   * From now on follows what runs and what this or another command starts: a scaled service, a container made anew. The display names
   * of the containers there are, registered so that prefixes line up.
   */
  async begin(): Promise<readonly string[]> {
    // listening begins before looking, so that no start falls between
    this.#listen().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#options.onError(error);
    });
    const { containers } = await observe(this.#engine, this.#project.name, { resources: false });
    const names: string[] = [];
    for (const container of containers) {
      const name = this.#nameOf(container.info);
      if (container.oneOff || !this.#options.isShown(container.service)) continue;
      this.#options.printer.register(name);
      names.push(name);
    }
    for (const container of containers.filter((one) => this.#isOurs(one) && isActive(one)))
      this.#follow(container.info);
    return names;
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stop;
    const scope = { labels: { [LABEL.project]: this.#project.name }, follow: true, signal };
    for await (const { type, action, id, name, attributes } of this.#engine.events.stream(scope)) {
      const service = attributes[LABEL.service] ?? "";
      if (type !== "container" || attributes[LABEL.oneOff] === "True") continue;
      if (this.#project.services[service] === undefined) continue;
      const replaced = action === "create" ? REPLACEMENT.exec(name)?.[1] : undefined;
      if (replaced !== undefined && this.#options.isShown(service)) {
        this.#options.printer.status(this.#shownAs.get(replaced) ?? replaced, "has been recreated");
      }
      if (action !== "start") continue;
      const info = await this.#engine.containers.inspect(id).catch(() => undefined);
      if (info !== undefined) this.#follow(info);
    }
  }

  #isOurs(container: ObservedContainer): boolean {
    return !container.oneOff && this.#project.services[container.service] !== undefined;
  }

  /** Begins with a container that has started; again after it ended and was started anew. */
  #follow(info: ContainerInfo): void {
    const known = this.#followed.get(info.id);
    // a start may be told twice
    if (known !== undefined && known.startedAt === info.startedAt) return;
    if (known !== undefined && !known.ended) {
      known.again = true;
      return;
    }
    const service = info.labels[LABEL.service] ?? "";
    const { startedAt } = info;
    const entry: Followed = {
      service,
      ended: false,
      startedAt,
      lastLine: known?.lastLine,
      again: false,
      done: Promise.resolve(),
    };
    this.#followed.set(info.id, entry);
    entry.done = this.#watch(info, entry)
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted || isTscError(error, "TSC_CONTAINER_NOT_FOUND")) return;
        this.#options.onError(error);
      })
      .then(async () => {
        entry.ended = true;
        const now = entry.again ? await this.#engine.containers.inspect(info.id).catch(() => undefined) : undefined;
        if (now !== undefined) this.#follow(now);
        this.#settle();
      });
  }

  /** A line of a hook, by the name of its container. */
  hookOutput(containerName: string, text: string): void {
    this.#options.printer.hook(this.#shownAs.get(containerName) ?? containerName, text);
  }

  /** From now on the command ends when everything awaited has ended. */
  allStarted(): void {
    this.#started = true;
    this.#settle();
  }

  #settle(): void {
    this.#unsettled = true;
    if (this.#isSettling) return;
    this.#isSettling = true;
    this.#untilSettled().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#options.onError(error);
    });
  }

  /**
   * Containers that end are the end only if nothing takes their place. Who restarts, replaces or scales holds the project's lock from the
   * end of the old ones until the new ones run; so what is there once the lock is ours is what counts.
   */
  async #untilSettled(): Promise<void> {
    const { signal } = this.#stop;
    try {
      while (this.#unsettled && this.#started && !signal.aborted) {
        this.#unsettled = false;
        if (this.#runsAny()) continue;
        await using _lock = await lockProject(this.#engine, this.#project.name, { signal });
        const { containers } = await observe(this.#engine, this.#project.name, { resources: false });
        for (const container of containers.filter((one) => this.#isOurs(one))) {
          const { startedAt = "" } = container.info;
          // started and ended since: its event is on its way
          if (isActive(container) || startedAt > this.#since) this.#follow(container.info);
        }
        if (!this.#runsAny()) this.#options.onQuiet();
      }
    } finally {
      this.#isSettling = false;
    }
  }

  #runsAny(): boolean {
    return [...this.#followed.values()].some(({ ended, service }) => !ended && this.#options.isAwaited(service));
  }

  /** Waits until the ends of all are told and their last lines printed; called when none runs any more. */
  async drain(): Promise<void> {
    // the end of one that just ended comes after its last lines
    await this.#unlessQuiet(Promise.allSettled([...this.#followed.values()].map(({ done }) => done)), 2 * QUIET_MS);
  }

  close(): void {
    this.#stop.abort();
  }

  async #watch(info: ContainerInfo, entry: Followed): Promise<void> {
    const { containers } = this.#engine;
    const signal = this.#stop.signal;
    const { service } = entry;
    const shown = this.#options.isShown(service);
    const name = this.#nameOf(info);
    for (;;) {
      const stopLogs = new AbortController();
      const until = AbortSignal.any([signal, stopLogs.signal]);
      const run: Run = { entry, since: behind(entry.lastLine) ?? this.#since, endedAt: undefined };
      const logs = shown ? this.#print(info.id, name, run, until) : Promise.resolve();
      const code = await containers.wait(info.id, signal);
      run.endedAt = new Date();
      const now = await containers.inspect(info.id).catch(() => undefined);
      const again = now?.state === "restarting" || now?.state === "running";
      // The log reader ends by itself once it has read all that the ended container wrote.
      await this.#unlessQuiet(logs, QUIET_MS);
      stopLogs.abort();
      if (shown) this.#options.printer.status(name, `exited with code ${code}${again ? " (restarting)" : ""}`);
      if (again) {
        await this.#untilRunning(info.id, entry, signal);
        continue;
      }
      this.#options.onExit(service, code);
      return;
    }
  }

  /** A restarting container counts as not running for `wait`: look when its next start is recorded. */
  async #untilRunning(id: string, entry: Followed, signal: AbortSignal): Promise<void> {
    const { ContainerWatch } = await import("../../execute/watch.js");
    const watch = new ContainerWatch(this.#engine);
    try {
      while (!signal.aborted) {
        const changed = watch.changed(id);
        const { state, startedAt } = await this.#engine.containers.inspect(id);
        entry.startedAt = startedAt;
        if (state !== "restarting") return;
        await changed;
      }
    } finally {
      watch.close();
    }
  }

  async #print(id: string, name: string, run: Run, signal: AbortSignal): Promise<void> {
    try {
      for await (const line of this.#engine.containers.logs(id, { follow: true, since: run.since, signal })) {
        // of the next run
        if (run.endedAt !== undefined && Date.parse(line.time) > run.endedAt.getTime()) return;
        this.#options.printer.log(name, line);
        run.entry.lastLine = line.time;
        this.#printed++;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Waits for what ends when lines have been printed, for as long as any come. */
  async #unlessQuiet(work: Promise<unknown>, quietMs: number): Promise<void> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    for (let seen = -1; !isDone && seen !== this.#printed; ) {
      seen = this.#printed;
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, quietMs).unref())]);
    }
  }

  /** `web-1`: without the project, unless the person chose the name. */
  #nameOf(info: ContainerInfo): string {
    const service = info.labels[LABEL.service] ?? "";
    const fixed = this.#project.services[service]?.container_name;
    const number = info.labels[LABEL.number];
    const name =
      fixed !== undefined && fixed !== "" ? fixed : number === undefined ? info.name : `${service}-${number}`;
    this.#shownAs.set(info.name, name);
    return name;
  }
}
