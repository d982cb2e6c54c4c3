/** What the prunes have in common: docker's warning and question, its list of what went, and the total. */
import type { PruneFilter, PrunePlan, PruneRequest } from "../engine/index.js";
import { TscError } from "../lib/errors.js";
import { given } from "../lib/given.js";
import type { OptionSpec, ParsedOptions } from "./command.js";
import type { CliContext } from "./context.js";
import { DRY_RUN_PREFIX } from "./dry-run.js";
import { joined, type Printed, printed, printedLines } from "./render/printed.js";
import { humanSize } from "./render/units.js";
import { usage } from "./usage.js";

/** `--filter` and `--force`, which every prune has. */
export const pruneOptions: readonly OptionSpec[] = [
  {
    long: "filter",
    value: "list",
    placeholder: "KEY=VALUE",
    help: 'Only what fits: "label=KEY[=VALUE]", "label!=KEY[=VALUE]", "until=TIMESTAMP|DURATION"',
  },
  { long: "force", short: "f", help: "Do not prompt for confirmation" },
];

/** The sentences of docker's warning about a request. */
export function pruneWarning(request: PruneRequest): readonly string[] {
  const { containers, networks, volumes, images, buildCache } = request;
  const lines: string[] = [];
  if (containers === true) lines.push("all stopped containers");
  if (networks === true) lines.push("all networks not used by at least one container");
  if (volumes !== undefined) {
    lines.push(`${volumes.all ? "all" : "anonymous local"} volumes not used by at least one container`);
  }
  if (images !== undefined) {
    lines.push(images.all ? "all images without at least one container associated to them" : "all dangling images");
  }
  if (buildCache !== undefined) lines.push(buildCache.all ? "all build cache" : "unused build cache");
  return lines;
}

/** The filters as a request has them. `TSC_USAGE` for a key that prunes do not know. */
export function pruneFilter(filters: readonly string[], now: number, allowUntil: boolean): PruneFilter {
  const labels: string[] = [];
  const notLabels: string[] = [];
  let until: number | undefined;
  for (const filter of filters) {
    const [, key = "", not = "", value = ""] = /^([^=!]*)(!?)=(.*)$/s.exec(filter) ?? [];
    if (key === "label" && value !== "") (not === "" ? labels : notLabels).push(value);
    else if (key === "until" && not === "" && allowUntil) until = untilTime(value, now);
    else {
      const known = allowUntil ? "label, label!, until" : "label, label!";
      throw usage(`invalid filter "${filter}"`, `filters are: ${known}`);
    }
  }
  return {
    ...(labels.length === 0 ? {} : { labels }),
    ...(notLabels.length === 0 ? {} : { notLabels }),
    ...given({ until }),
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A Go duration back from now, seconds since the epoch, or a date. */
function untilTime(text: string, now: number): number {
  if (/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) {
    const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
    return now - [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * (UNIT_MS[unit ?? ""] ?? 0), 0);
  }
  const at = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (!Number.isNaN(at)) return at;
  throw usage(
    `invalid filter "until=${text}": neither a duration nor a time`,
    "write 24h, 2026-01-31 or 2026-01-31T10:00:00Z",
  );
}

/** Warns and asks unless `--force`, removes, prints what went; under `--dry-run` tells it only. The exit code. */
export async function runPrune(
  ctx: CliContext,
  name: string,
  request: Omit<PruneRequest, "filter">,
  options: ParsedOptions,
): Promise<number> {
  const allowUntil = request.volumes === undefined;
  const whole = { ...request, filter: pruneFilter(options.list("filter"), Date.now(), allowUntil) };
  if (ctx.globals.dryRun) {
    const plan = await (await ctx.engine()).disk.plan(whole, ctx.signal);
    ctx.print(pruneText(plan, whole, DRY_RUN_PREFIX));
    return 0;
  }
  if (!options.flag("force")) await confirmOrCancel(ctx, name, pruneQuestion(whole, options.list("filter")));
  const done = await (await ctx.engine()).disk.prune(whole, ctx.signal);
  ctx.print(pruneText(done, whole, ""));
  return 0;
}

function pruneQuestion(request: PruneRequest, filters: readonly string[]): Printed {
  const things = pruneWarning(request);
  const only = things.length === 1 ? things[0] : undefined;
  return joined([
    only === undefined
      ? printedLines(["WARNING! This will remove:", ...things.map((thing) => `  - ${thing}`), ""])
      : printedLines([`WARNING! This will remove ${only}.`]),
    ...(filters.length === 0
      ? []
      : [printedLines(["  Items to be pruned will be filtered with:", ...filters.map((one) => `  - ${one}`), ""])]),
    printed`Are you sure you want to continue?`,
  ]);
}

/** Asks; `TSC_CANCELLED` unless the answer is yes. */
export async function confirmOrCancel(ctx: CliContext, name: string, question: Printed): Promise<void> {
  if (await ctx.confirm(question, false)) return;
  throw new TscError("TSC_CANCELLED", `${name} has been cancelled`, {
    kind: "cancelled",
    hint: "use --force where nobody can answer",
  });
}

function pruneText(plan: PrunePlan, request: PruneRequest, prefix: string): Printed {
  const images = plan.images.flatMap(({ id, tags, repoDigests }) => [
    ...[...tags, ...repoDigests].map((name) => `untagged: ${familiar(name)}`),
    `deleted: ${id}`,
  ]);
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ["Deleted Containers:", plan.containers.map(({ id }) => id)],
    ["Deleted Networks:", plan.networks.map(({ name }) => name)],
    ["Deleted Volumes:", plan.volumes.map(({ name }) => name)],
    ["Deleted Images:", [...images, ...plan.imageLayers.map(({ chainId }) => `deleted: ${chainId}`)]],
    [
      "Deleted build cache objects:",
      [...plan.cacheMounts.map(({ name }) => name), ...plan.cacheLayers.map(({ chainId }) => chainId)],
    ],
  ];
  const body = sections.filter(([, names]) => names.length > 0).flatMap(([title, names]) => [title, ...names, ""]);
  const isNetworksOnly = pruneWarning(request).length === 1 && request.networks === true;
  const total = isNetworksOnly ? [] : [`Total reclaimed space: ${humanSize(plan.bytes)}`];
  return printedLines([...body, ...total].map((line) => (line === "" ? line : `${prefix}${line}`)));
}

/** `docker.io/library/redis:7` as docker shows it. */
function familiar(name: string): string {
  return name.replace(/^docker\.io\/(library\/)?/, "");
}
