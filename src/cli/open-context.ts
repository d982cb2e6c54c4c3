/** Makes the `CliContext` of one run: lazy project and engine, interrupts, warnings. Owns their lifetime. */
import type { Project } from "../compose/index.js";
import type { Engine } from "../engine/index.js";
import { TscError } from "../lib/errors.js";
import { given } from "../lib/given.js";
import { printable } from "../lib/printable.js";
import type { CliContext, GlobalOptions, ProjectRequest } from "./context.js";
import { isTrue } from "./globals.js";
import { loadOptions } from "./load-options.js";
import { joined, type PrintedStream, printed, printedJson } from "./render/printed.js";

/** What main.ts hands in from the process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Subscribes to a signal of the process; the returned function ends that. */
  onSignal(name: NodeJS.Signals, listener: () => void): () => void;
  /** Ends the process now. */
  exit(code: number): void;
}

const INTERRUPTS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Opens nothing yet; `close` releases what was opened. `title` is the command's verb, for progress. `reread` makes the global options again once `.env` has been read: what it
 * says about COMPOSE_* variables counts like the environment.
 */
export function openContext(
  around: Surroundings,
  given: GlobalOptions,
  title: string,
  reread: (env: Surroundings["env"]) => GlobalOptions,
): CliContext & { close(): Promise<void> } {
  let globals = given;
  let { env } = around;
  function adopt(environment: Readonly<Record<string, string>>): void {
    const added = Object.entries(environment).filter(
      ([key]) => key.startsWith("COMPOSE_") && key !== "COMPOSE_PROJECT_NAME" && env[key] === undefined,
    );
    if (added.length === 0) return;
    env = { ...env, ...Object.fromEntries(added) };
    globals = reread(env);
  }
  const abort = new AbortController();
  const listeners: { listener: (name: NodeJS.Signals, count: number) => void; count: number }[] = [];
  let interrupts = 0;
  const unsubscribe = INTERRUPTS.map((name) =>
    around.onSignal(name, () => {
      const owner = listeners.at(-1);
      if (owner !== undefined) {
        owner.count++;
        owner.listener(name, owner.count);
        return;
      }
      interrupts++;
      if (interrupts > 1) around.exit(130);
      else abort.abort(new TscError("TSC_CANCELLED", `interrupted by ${name}`, { kind: "cancelled" }));
    }),
  );

  const { stdout, stderr }: { readonly stdout: PrintedStream; readonly stderr: PrintedStream } = around;
  const warned = new Set<string>();
  function warn(message: string): void {
    if (warned.has(message)) return;
    warned.add(message);
    const text = printable(message, 2000);
    if (globals.progress === "json") {
      stderr.write(joined([printedJson({ level: "warning", msg: text, time: new Date().toISOString() }), printed`\n`]));
    } else stderr.write(printed`warning: ${text}\n`);
  }

  const projects = new Map<string, Promise<Project>>();
  function project(request: ProjectRequest = {}): Promise<Project> {
    const key = JSON.stringify(request);
    const known = request.fresh === true ? undefined : projects.get(key);
    if (known !== undefined) return known;
    const loading = loadRequested(around, globals, request, warn, () => (engine ??= openOnce()), abort.signal).then(
      (loaded) => {
        adopt(loaded.environment);
        return loaded;
      },
    );
    projects.set(key, loading);
    return loading;
  }

  let answers: AsyncIterator<string> | undefined;
  let engine: Promise<Engine> | undefined;
  async function openOnce(): Promise<Engine> {
    const { openEngine } = await import("../engine/index.js");
    const root = around.env["TSCOMPOSE_ROOT"];
    const runRoot = around.env["TSCOMPOSE_RUN_ROOT"];
    return await openEngine({
      env: around.env,
      warn,
      ...(root === undefined || root === "" ? {} : { root }),
      ...(runRoot === undefined || runRoot === "" ? {} : { runRoot }),
    });
  }

  return {
    get env() {
      return env;
    },
    cwd: around.cwd,
    // opening standard input costs time and, on a pipe, starts reading: only who asks for it pays
    get stdin() {
      return around.stdin;
    },
    stdout: around.stdout,
    stderr: around.stderr,
    isTty: {
      get stdin() {
        return around.stdin.isTTY === true;
      },
      stdout: around.stdout.isTTY === true,
      stderr: around.stderr.isTTY === true,
    },
    get globals() {
      return globals;
    },
    signal: abort.signal,
    onInterrupt(listener) {
      const owner = { listener, count: 0 };
      listeners.push(owner);
      return () => {
        const index = listeners.indexOf(owner);
        if (index >= 0) listeners.splice(index, 1);
      };
    },
    project,
    async projectOrName(request) {
      // docker compose's rule: `-p` alone names a project, whatever file lies in this folder
      const { projectName: given, files } = globals;
      if (given !== undefined && given !== "" && files.length === 0)
        return { name: (await import("./select.js")).checkedName(given), project: undefined };
      const name = around.env["COMPOSE_PROJECT_NAME"];
      try {
        const loaded = await project({ ...request, noEnvResolution: true });
        return { name: loaded.name, project: loaded };
      } catch (error) {
        const named = name !== undefined && name !== "" && files.length === 0;
        if (!named || !(error instanceof TscError)) throw error;
        // a broken one must not keep a person from `down`
        if (error.code !== "TSC_COMPOSE_FILE_NOT_FOUND") warn(`the compose file is not used: ${error.message}`);
        return { name, project: undefined };
      }
    },
    engine() {
      engine ??= openOnce();
      return engine;
    },
    async progress(options = {}) {
      const { openProgress } = await import("./render/open-progress.js");
      const stream = isTrue(env["COMPOSE_STATUS_STDOUT"]) ? around.stdout : around.stderr;
      const { progress: mode, ansi } = globals;
      return await openProgress({
        mode,
        ansi,
        env,
        stream,
        log: options.beforeResult === true ? stream : around.stdout,
        title,
        signal: abort.signal,
        ...options,
      });
    },
    warn,
    print(text) {
      stdout.write(text);
    },
    note(text) {
      if (globals.progress === "json") stderr.write(joined([printedJson({ text: text.trim() }), printed`\n`]));
      else if (globals.progress !== "quiet") stderr.write(text);
    },
    async confirm(question, fallback, { besideResults = false } = {}) {
      const choice = fallback ? "[Y/n]" : "[y/N]";
      const asked = joined([question, besideResults ? printed` ${choice}: ` : printed` ${choice} `]);
      const output = besideResults ? around.stdout : around.stderr;
      const { createInterface } = await import("node:readline/promises");
      // one reader for all questions of a pipe (`yes | …`): it reads ahead. Its end is no answer
      const isPipe = around.stdin.isTTY !== true;
      if (isPipe) answers ??= createInterface({ input: around.stdin })[Symbol.asyncIterator]();
      let answer: string;
      if (answers !== undefined) {
        (besideResults ? stdout : stderr).write(asked);
        const next = await answers.next();
        answer = next.done === true ? "" : next.value;
        if (besideResults) return isYes(answer);
        stderr.write(printed`\n`);
      } else {
        const reader = createInterface({ input: around.stdin, output });
        try {
          answer = await reader.question(asked, { signal: abort.signal });
        } finally {
          reader.close();
        }
      }
      return answer.trim() === "" ? fallback : isYes(answer);
    },
    async close() {
      for (const stop of unsubscribe) stop();
      if (engine === undefined) return;
      const opened = await engine.catch(() => undefined);
      await opened?.close();
    },
  };
}

function isYes(answer: string): boolean {
  return isTrue(answer.trim());
}

async function loadRequested(
  around: Surroundings,
  globals: GlobalOptions,
  request: ProjectRequest,
  warn: (message: string) => void,
  engine: () => Promise<Engine>,
  signal: AbortSignal,
): Promise<Project> {
  const { loadProject } = await import("../compose/index.js");
  return await loadProject({
    ...loadOptions({ env: around.env, cwd: around.cwd, globals, warn, engine, signal }),
    ...given({
      services: request.services,
      noDependencies: request.noDependencies,
      allProfiles: request.allProfiles,
    }),
    // who needs no environment makes no containers, and is not kept from its work by names that two services claim
    ...(request.noEnvResolution === true ? { noEnvResolution: true, sharedNames: true } : {}),
  });
}
