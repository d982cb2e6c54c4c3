/** Groups instructions into stages and finds those a target needs. Pure. */
import { TscError } from "../../lib/errors.js";
import { type ExpandBudget, ExpandError, expandBudget, expandWord } from "./dockerfile/expand.js";
import type { ArgInstruction, FromInstruction, Instruction } from "./dockerfile/instructions.js";
import { dockerfileError, type ParsedDockerfile } from "./dockerfile/parse.js";

/** A stage of a Dockerfile. */
export interface Stage {
  readonly index: number;
  /** Lowercase; empty when unnamed. */
  readonly name: string;
  readonly from: FromInstruction;
  /** FROM's image or stage with variables replaced. */
  readonly base: string;
  readonly platform: string;
  /** Everything after FROM. */
  readonly instructions: readonly Exclude<Instruction, FromInstruction>[];
}

/** The stages, and those of them that the target needs. */
export interface StagePlan {
  /** Stages that the target needs, in file order; the target is the last. */
  readonly stages: readonly Stage[];
  readonly all: readonly Stage[];
  /** Values of ARGs before the first FROM. */
  readonly globalArgs: ReadonlyMap<string, string>;
  /** What the file's words may still become. */
  readonly budget: ExpandBudget;
}

/** Real files have a dozen; a chain of more would only overflow the stack. */
const MAX_STAGES = 1000;

/** What decides over stages besides the file. */
export interface StageRequest {
  readonly file: string;
  readonly target?: string | undefined;
  /** Build arguments given by the caller. */
  readonly args: Readonly<Record<string, string>>;
  /** TARGETPLATFORM and its kind. */
  readonly platformArgs: Readonly<Record<string, string>>;
  /** Names replaced by an additional context: they are no stages any more. */
  readonly contexts: ReadonlySet<string>;
}

/** The stages to build. `TSC_DOCKERFILE` for structure errors, `TSC_BUILD_TARGET` for an unknown target. */
export function planStages(parsed: ParsedDockerfile, request: StageRequest): StagePlan {
  const globalArgs = new Map<string, string>(Object.entries(request.platformArgs));
  const globals: Globals = { values: globalArgs, budget: expandBudget() };
  const all: Stage[] = [];
  let current: Exclude<Instruction, FromInstruction>[] | undefined;
  for (const instruction of parsed.instructions) {
    if (instruction.kind === "FROM") {
      current = [];
      if (all.length >= MAX_STAGES) {
        throw dockerfileError(request.file, instruction, `more than ${MAX_STAGES} stages`);
      }
      const base = expand(instruction.base, globals, parsed, request.file, instruction);
      if (base === "") {
        throw dockerfileError(request.file, instruction, `base name (${instruction.base}) should not be blank`);
      }
      all.push({
        index: all.length,
        name: instruction.name?.toLowerCase() ?? "",
        from: instruction,
        base,
        platform: expand(instruction.platform ?? "", globals, parsed, request.file, instruction),
        instructions: current,
      });
    } else if (current !== undefined) {
      current.push(instruction);
    } else if (instruction.kind === "ARG") {
      declareGlobals(instruction, globals, parsed, request);
    } else {
      throw dockerfileError(request.file, instruction, "no build stage in current context", "begin with FROM");
    }
  }
  if (all.length === 0) {
    throw new TscError("TSC_DOCKERFILE", `${request.file}: no build stage: FROM is missing`, { kind: "invalid-input" });
  }
  const seen = new Map<string, Stage>();
  for (const stage of all) {
    if (stage.name !== "" && seen.has(stage.name)) {
      throw dockerfileError(request.file, stage.from, `duplicate name ${stage.name}`);
    }
    seen.set(stage.name, stage);
  }
  const target = findTarget(all, request.target, request.file);
  return { stages: reachable(all, target, request.contexts), all, globalArgs, budget: globals.budget };
}

interface Globals {
  readonly values: Map<string, string>;
  readonly budget: ExpandBudget;
}

function declareGlobals(
  instruction: ArgInstruction,
  globals: Globals,
  parsed: ParsedDockerfile,
  request: StageRequest,
): void {
  for (const { name, value } of instruction.names) {
    const given = request.args[name];
    if (given !== undefined) globals.values.set(name, given);
    else if (value !== undefined) globals.values.set(name, expand(value, globals, parsed, request.file, instruction));
  }
}

function expand(
  word: string,
  { values, budget }: Globals,
  parsed: ParsedDockerfile,
  file: string,
  place: { line: number; source: string },
): string {
  try {
    return expandWord(word, { lookup: (name) => values.get(name), escape: parsed.escape, budget });
  } catch (error) {
    if (error instanceof ExpandError) throw dockerfileError(file, place, error.message);
    throw error;
  }
}

function findTarget(all: readonly Stage[], target: string | undefined, file: string): Stage {
  const last = all.at(-1);
  if (target === undefined || target === "") {
    if (last !== undefined) return last;
  } else {
    const found =
      all.find((stage) => stage.name === target.toLowerCase()) ?? all[/^\d+$/.test(target) ? Number(target) : -1];
    if (found !== undefined) return found;
  }
  throw new TscError("TSC_BUILD_TARGET", `${file}: target stage ${JSON.stringify(target)} could not be found`, {
    kind: "not-found",
    hint: `stages here: ${all.map((stage) => stage.name || stage.index).join(", ")}`,
  });
}

/** The earlier stage that a name means at a stage: `COPY --from` also takes numbers. */
export function stageNamed(all: readonly Stage[], name: string, before: number, numbers: boolean): Stage | undefined {
  const earlier = all.slice(0, before);
  const byName = earlier.findLast((stage) => stage.name !== "" && stage.name === name.toLowerCase());
  return byName ?? (numbers && /^\d+$/.test(name) ? earlier[Number(name)] : undefined);
}

/** What a stage reads from other stages or images besides its base. */
function sourcesOf(stage: Stage): string[] {
  return stage.instructions.flatMap((instruction) => {
    if (instruction.kind === "COPY") return instruction.from ?? [];
    if (instruction.kind === "RUN") return instruction.mounts.flatMap((mount) => mount.options.from ?? []);
    return [];
  });
}

function reachable(all: readonly Stage[], target: Stage, contexts: ReadonlySet<string>): Stage[] {
  const needed = new Set<Stage>();
  const visit = (stage: Stage): void => {
    if (needed.has(stage)) return;
    needed.add(stage);
    const names = [{ name: stage.base, numbers: false }, ...sourcesOf(stage).map((name) => ({ name, numbers: true }))];
    for (const { name, numbers } of names) {
      const other = contexts.has(name.toLowerCase()) ? undefined : stageNamed(all, name, stage.index, numbers);
      if (other !== undefined) visit(other);
    }
  };
  visit(target);
  return [...needed].sort((a, b) => (a === target ? 1 : b === target ? -1 : a.index - b.index));
}
