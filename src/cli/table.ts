/**
 * Every command and the module that declares it. Static on purpose: the bundler splits at each `import()`, so a command loads
 * its own code only. Order is the order of `--help`.
 */
import type { CommandSpec, CommandTable, TableEntry } from "./command.js";

type Load = TableEntry["load"];

/** The same command under another name, which its help and example say. */
function sameAs(name: string, load: Load): TableEntry {
  return {
    name,
    load: async () => {
      const { aliases: _, ...command } = (await load()).command;
      const example = command.example.replace(`tscompose ${command.name}`, `tscompose ${name}`);
      return { command: { ...command, name, example, engine: true } };
    },
  };
}

/** A command that speaks of all commands is handed the table. */
function over(load: () => Promise<{ readonly commandOver: (table: CommandTable) => CommandSpec }>): Load {
  return async () => ({ command: (await load()).commandOver(wholeTable) });
}

/** The commands by name; `noun verb` for the engine's own. */
export const commandTable: readonly TableEntry[] = [
  { name: "attach", load: () => import("./commands/attach.js") },
  { name: "build", load: () => import("./commands/build.js") },
  { name: "check", load: () => import("./commands/check.js") },
  { name: "commit", load: () => import("./commands/commit.js") },
  { name: "completion", load: () => import("./commands/completion.js") },
  { name: "config", load: () => import("./commands/config.js") },
  { name: "convert", hidden: true, load: () => import("./commands/convert.js") },
  { name: "cp", load: () => import("./commands/cp.js") },
  { name: "create", load: () => import("./commands/create.js") },
  { name: "doctor", load: () => import("./commands/doctor.js") },
  { name: "down", load: () => import("./commands/down.js") },
  { name: "events", load: () => import("./commands/events.js") },
  { name: "exec", load: () => import("./commands/exec.js") },
  { name: "export", load: () => import("./commands/export.js") },
  { name: "images", load: () => import("./commands/images.js") },
  { name: "info", load: () => import("./commands/info.js") },
  { name: "kill", load: () => import("./commands/kill.js") },
  { name: "logs", load: () => import("./commands/logs.js") },
  { name: "ls", load: () => import("./commands/ls.js") },
  { name: "pause", load: () => import("./commands/pause.js") },
  { name: "port", load: () => import("./commands/port.js") },
  { name: "ps", load: () => import("./commands/ps.js") },
  { name: "publish", load: () => import("./commands/publish.js") },
  { name: "pull", load: () => import("./commands/pull.js") },
  { name: "push", load: () => import("./commands/push.js") },
  { name: "restart", load: () => import("./commands/restart.js") },
  { name: "rm", load: () => import("./commands/rm.js") },
  { name: "run", load: () => import("./commands/run.js") },
  { name: "scale", load: () => import("./commands/scale.js") },
  { name: "start", load: () => import("./commands/start.js") },
  { name: "stats", load: () => import("./commands/stats.js") },
  { name: "stop", load: () => import("./commands/stop.js") },
  { name: "top", load: () => import("./commands/top.js") },
  { name: "unpause", load: () => import("./commands/unpause.js") },
  { name: "up", load: () => import("./commands/up.js") },
  { name: "version", load: () => import("./commands/version.js") },
  { name: "viz", load: () => import("./commands/viz.js") },
  { name: "volumes", load: () => import("./commands/volumes.js") },
  { name: "wait", load: () => import("./commands/wait.js") },
  { name: "watch", load: () => import("./commands/watch.js") },
  sameAs("history", () => import("./commands/image-history.js")),
  { name: "inspect", load: () => import("./commands/inspect.js") },
  sameAs("load", () => import("./commands/image-load.js")),
  { name: "login", load: () => import("./commands/login.js") },
  { name: "logout", load: () => import("./commands/logout.js") },
  sameAs("rename", () => import("./commands/container-rename.js")),
  sameAs("rmi", () => import("./commands/image-rm.js")),
  sameAs("save", () => import("./commands/image-save.js")),
  sameAs("tag", () => import("./commands/image-tag.js")),
  sameAs("update", () => import("./commands/container-update.js")),
  { name: "builder prune", load: () => import("./commands/builder-prune.js") },
  { name: "container attach", load: () => import("./commands/container-attach.js") },
  { name: "container cp", load: () => import("./commands/container-cp.js") },
  { name: "container create", load: () => import("./commands/container-create.js") },
  { name: "container exec", load: () => import("./commands/container-exec.js") },
  { name: "container inspect", load: () => import("./commands/container-inspect.js") },
  { name: "container kill", load: () => import("./commands/container-kill.js") },
  { name: "container logs", load: () => import("./commands/container-logs.js") },
  { name: "container ls", aliases: ["list", "ps"], load: () => import("./commands/container-ls.js") },
  { name: "container pause", load: () => import("./commands/container-pause.js") },
  { name: "container port", load: () => import("./commands/container-port.js") },
  { name: "container prune", load: () => import("./commands/container-prune.js") },
  { name: "container rename", load: () => import("./commands/container-rename.js") },
  { name: "container restart", load: () => import("./commands/container-restart.js") },
  { name: "container rm", aliases: ["remove"], load: () => import("./commands/container-rm.js") },
  { name: "container run", load: () => import("./commands/container-run.js") },
  { name: "container start", load: () => import("./commands/container-start.js") },
  { name: "container stats", load: () => import("./commands/container-stats.js") },
  { name: "container stop", load: () => import("./commands/container-stop.js") },
  { name: "container top", load: () => import("./commands/container-top.js") },
  { name: "container unpause", load: () => import("./commands/container-unpause.js") },
  { name: "container update", load: () => import("./commands/container-update.js") },
  { name: "container wait", load: () => import("./commands/container-wait.js") },
  { name: "image build", load: () => import("./commands/image-build.js") },
  { name: "image history", load: () => import("./commands/image-history.js") },
  { name: "image inspect", load: () => import("./commands/image-inspect.js") },
  { name: "image load", load: () => import("./commands/image-load.js") },
  { name: "image ls", aliases: ["list"], load: () => import("./commands/image-ls.js") },
  { name: "image prune", load: () => import("./commands/image-prune.js") },
  { name: "image pull", load: () => import("./commands/image-pull.js") },
  { name: "image push", load: () => import("./commands/image-push.js") },
  { name: "image rm", aliases: ["remove"], load: () => import("./commands/image-rm.js") },
  { name: "image save", load: () => import("./commands/image-save.js") },
  { name: "image tag", load: () => import("./commands/image-tag.js") },
  { name: "network connect", load: () => import("./commands/network-connect.js") },
  { name: "network create", load: () => import("./commands/network-create.js") },
  { name: "network disconnect", load: () => import("./commands/network-disconnect.js") },
  { name: "network graph", load: () => import("./commands/network-graph.js") },
  { name: "network inspect", load: () => import("./commands/network-inspect.js") },
  { name: "network ls", aliases: ["list"], load: () => import("./commands/network-ls.js") },
  { name: "network prune", load: () => import("./commands/network-prune.js") },
  { name: "network rm", aliases: ["remove"], load: () => import("./commands/network-rm.js") },
  { name: "net trace", load: () => import("./commands/net-trace.js") },
  { name: "volume create", load: () => import("./commands/volume-create.js") },
  { name: "volume inspect", load: () => import("./commands/volume-inspect.js") },
  { name: "volume ls", aliases: ["list"], load: () => import("./commands/volume-ls.js") },
  { name: "volume prune", load: () => import("./commands/volume-prune.js") },
  { name: "volume rm", aliases: ["remove"], load: () => import("./commands/volume-rm.js") },
  { name: "system boot", load: () => import("./commands/system-boot.js") },
  { name: "system df", load: () => import("./commands/system-df.js") },
  { name: "system events", load: () => import("./commands/system-events.js") },
  sameAs("system info", () => import("./commands/info.js")),
  { name: "system prune", load: () => import("./commands/system-prune.js") },
  { name: "system reset", load: () => import("./commands/system-reset.js") },
  { name: "alpha", hidden: true, load: over(() => import("./commands/alpha.js")) },
  { name: "alpha dry-run", hidden: true, load: () => import("./commands/alpha-dry-run.js") },
  { name: "alpha generate", hidden: true, load: () => import("./commands/alpha-generate.js") },
  { name: "alpha publish", hidden: true, load: () => import("./commands/alpha-publish.js") },
  { name: "alpha scale", hidden: true, load: () => import("./commands/alpha-scale.js") },
  { name: "alpha viz", hidden: true, load: () => import("./commands/alpha-viz.js") },
  { name: "alpha watch", hidden: true, load: () => import("./commands/alpha-watch.js") },
  { name: "bridge", hidden: true, load: over(() => import("./commands/bridge.js")) },
  { name: "bridge convert", hidden: true, load: () => import("./commands/bridge-convert.js") },
  { name: "bridge transformations", hidden: true, load: over(() => import("./commands/bridge-transformations.js")) },
  {
    name: "bridge transformations create",
    hidden: true,
    load: () => import("./commands/bridge-transformations-create.js"),
  },
  {
    name: "bridge transformations list",
    aliases: ["ls"],
    hidden: true,
    load: () => import("./commands/bridge-transformations-list.js"),
  },
  { name: "commands", hidden: true, load: over(() => import("./commands/commands.js")) },
  { name: "__complete", hidden: true, load: over(() => import("./commands/complete.js")) },
  { name: "internal cleanup", hidden: true, load: () => import("./commands/internal-cleanup.js") },
  { name: "internal restart", hidden: true, load: () => import("./commands/internal-restart.js") },
];

/** Finds the command that `words` begin with (longest name first) and how many words name it; undefined when none does. */
export function findCommand(
  words: readonly string[],
): { readonly entry: TableEntry; readonly consumed: number } | undefined {
  for (const length of [3, 2, 1]) {
    if (words.length < length) continue;
    const parents = words.slice(0, length - 1).join(" ");
    const last = words[length - 1] ?? "";
    const wanted = parents === "" ? last : `${parents} ${last}`;
    const entry = commandTable.find(
      ({ name, aliases }) =>
        name === wanted ||
        (aliases?.includes(last) === true && name.includes(" ") && name.slice(0, name.lastIndexOf(" ")) === parents),
    );
    if (entry !== undefined) return { entry, consumed: length };
  }
  return undefined;
}

/** Loads every declaration: for help, completion scripts and the list of flags. Never on a command's own path. */
export async function loadAllCommands(): Promise<readonly CommandSpec[]> {
  return await Promise.all(
    commandTable.map(async ({ load, hidden }) => {
      const { command } = await load();
      return hidden === true ? { ...command, hidden: true } : command;
    }),
  );
}

const wholeTable: CommandTable = { entries: commandTable, loadAll: loadAllCommands, find: findCommand };
