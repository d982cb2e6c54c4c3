/** Follows the output and the ends of a project's containers for attached `up`. Prints through the log printer only. */
import type { Project } from "../../compose/model.js";
import type { EngineApi } from "../../engine/api.js";
import { isTscError } from "../../lib/errors.js";
import { LABEL } from "../../plan/labels.js";
import type { Observed } from "../../plan/observe.js";
import type { LogPrinter } from "../render/log-printer.js";

/** Past this, output that does not come to an end (a container that somebody restarted) is given up. */
const DRAIN_MS = 5000;

export interface FollowerOptions {
  readonly printer: LogPrinter;
  readonly isShown: (service: string) => boolean;
  /** The attached command goes on while a container of such a service runs. */
  readonly isAwaited: (service: string) => boolean;
  /** A container has ended for good (its restart policy does not bring it back). */
  readonly onExit: (service: string, code: number) => void;
  /** A container cannot be followed any further. */
  readonly onError: (error: unknown) => void;
}

interface Followed {
  service: string;
  ended: boolean;
  /** The start that was followed last; undefined until it is known. */
  startedAt: string | undefined;
  /** When it ended: what a later start writes comes after it. */
  endedAt: string | undefined;
  done: Promise<void>;
}

/** Lives as long as the attached command. */
export class Followers {
  readonly #engine: EngineApi;
  readonly #project: Project;
  readonly #options: FollowerOptions;
  readonly #stop = new AbortController();
  readonly #followed = new Map<string, Followed>();
  readonly #services = new Map<string, string>();
  readonly #since = new Date().toISOString();
  #started = false;

  constructor(engine: EngineApi, project: Project, options: FollowerOptions) {
    this.#engine = engine;
    this.#project = project;
    this.#options = options;
  }

  /** Display names of the containers that will be shown, registered so that prefixes line up. */
  names(observed: Observed): string[] {
    const names: string[] = [];
    for (const container of observed.containers) {
      this.#services.set(container.name, container.service);
      if (container.oneOff || !this.#options.isShown(container.service)) continue;
      const name = this.#displayName(container.name, container.service, container.info.labels);
      this.#options.printer.register(name);
      names.push(name);
    }
    return names;
  }

  /** Begins with a container that has started; again after it ended and was started anew. */
  follow(containerName: string): void {
    const known = this.#followed.get(containerName);
    if (known !== undefined && !known.ended) return;
    const service = this.#services.get(containerName) ?? "";
    const entry: Followed = {
      service,
      ended: false,
      startedAt: undefined,
      endedAt: undefined,
      done: Promise.resolve(),
    };
    this.#followed.set(containerName, entry);
    entry.done = this.#watch(containerName, entry, known).catch((error: unknown) => {
      entry.ended = true;
      if (this.#stop.signal.aborted || isTscError(error, "TSC_CONTAINER_NOT_FOUND")) return;
      this.#options.onError(error);
    });
  }

  /** From now on also follows what another command starts: a scaled service, a container made anew. */
  followStarts(): void {
    const scope = { labels: { [LABEL.project]: this.#project.name }, follow: true, signal: this.#stop.signal };
    const listen = async (): Promise<void> => {
      for await (const { type, action, name, attributes } of this.#engine.events.stream(scope)) {
        const service = attributes[LABEL.service] ?? "";
        if (type !== "container" || action !== "start" || attributes[LABEL.oneOff] === "True") continue;
        if (this.#project.services[service] === undefined) continue;
        this.#services.set(name, service);
        this.follow(name);
      }
    };
    listen().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#options.onError(error);
    });
  }

  hookOutput(containerName: string, stream: "stdout" | "stderr", text: string): void {
    const prefix = `${this.#project.name}-`;
    const name = containerName.startsWith(prefix) ? containerName.slice(prefix.length) : containerName;
    this.#options.printer.log(name, { stream, text, time: new Date().toISOString(), partial: false });
  }

  /** From now on the command ends when everything awaited has ended. */
  allStarted(): void {
    this.#started = true;
    if (this.allAwaitedEnded()) this.#options.onExit("", 0);
  }

  allAwaitedEnded(): boolean {
    if (!this.#started) return false;
    const awaited = [...this.#followed.values()].filter(({ service }) => this.#options.isAwaited(service));
    return awaited.every(({ ended }) => ended);
  }

  /** Waits until the ends of all are told and their last lines printed; called when none runs any more. */
  async drain(): Promise<void> {
    const all = Promise.allSettled([...this.#followed.values()].map(({ done }) => done));
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref())]);
  }

  close(): void {
    this.#stop.abort();
  }

  async #watch(containerName: string, entry: Followed, before: Followed | undefined): Promise<void> {
    const { containers } = this.#engine;
    const signal = this.#stop.signal;
    const info = await containers.inspect(containerName);
    entry.service = info.labels[LABEL.service] ?? "";
    entry.startedAt = info.startedAt;
    if (info.startedAt === before?.startedAt) {
      // told twice of the same start, which has been followed to its end
      Object.assign(entry, { ended: true, endedAt: before.endedAt });
      return;
    }
    const { service } = entry;
    const shown = this.#options.isShown(service);
    const name = this.#displayName(info.name, service, info.labels);
    for (let since = before?.endedAt ?? this.#since; ; since = entry.endedAt ?? since) {
      const stopLogs = new AbortController();
      const until = AbortSignal.any([signal, stopLogs.signal]);
      const logs = shown ? this.#print(info.id, name, since, until) : Promise.resolve();
      const code = await containers.wait(info.id, signal);
      entry.endedAt = new Date().toISOString();
      const now = await containers.inspect(info.id).catch(() => undefined);
      const again = now?.state === "restarting" || now?.state === "running";
      // The log reader ends by itself once it has read all that the ended container wrote.
      await Promise.race([logs, new Promise((resolve) => setTimeout(resolve, 2000).unref())]);
      stopLogs.abort();
      if (shown) this.#options.printer.status(name, `exited with code ${code}${again ? " (restarting)" : ""}`);
      if (again) {
        await this.#untilRunning(info.id, entry, signal);
        continue;
      }
      entry.startedAt = now?.startedAt ?? entry.startedAt;
      entry.ended = true;
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

  async #print(id: string, name: string, since: string, signal: AbortSignal): Promise<void> {
    try {
      for await (const line of this.#engine.containers.logs(id, { follow: true, since, signal })) {
        this.#options.printer.log(name, line);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** `web-1`: without the project, unless the person chose the name. */
  #displayName(containerName: string, service: string, labels: Readonly<Record<string, string>>): string {
    const fixed = this.#project.services[service]?.container_name;
    if (fixed !== undefined && fixed !== "") return fixed;
    const number = labels[LABEL.number];
    return number === undefined ? containerName : `${service}-${number}`;
  }
}
