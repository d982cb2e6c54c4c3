/** Runs one stage's instructions from its base to its final state: expansion, cache lookups, history. Steps do the work. */
import { PatternError } from "../../lib/glob.js";
import { createPace } from "../../lib/pace.js";
import type { StepRecord } from "../state/build-steps.js";
import { cacheKey, onceForAll, stateKey } from "./cache.js";
import { SourceChangedError } from "./context.js";
import type { Build, StepScope } from "./deps.js";
import { ExpandError, expandWord, spend } from "./dockerfile/expand.js";
import type { ArgInstruction, FromInstruction, Instruction } from "./dockerfile/instructions.js";
import { dockerfileError, parseTrigger } from "./dockerfile/parse.js";
import { checkEntitlements } from "./entitlements.js";
import { withLayer } from "./layer.js";
import type { Stage } from "./stages.js";
import { environmentOf, type HistoryEntry, type StageState } from "./state.js";
import { applyMetadata, MetadataError } from "./steps/metadata.js";

type StepInstruction = Exclude<Instruction, FromInstruction>;

/** Times that sources are looked at before a step gives up on them. */
const READ_ATTEMPTS = 10;

/** Counts steps over the whole build, for progress. */
export interface StepCounter {
  done: number;
  total: number;
}

/** The state after the stage's last instruction. */
export async function executeStage(
  build: Build,
  stage: Stage,
  base: StageState,
  counter: StepCounter,
): Promise<StageState> {
  const triggers = base.config.onBuild.map((text) => parseTrigger(text, `ONBUILD of ${stage.base}`));
  counter.total += triggers.length;
  for (const trigger of triggers) checkEntitlements(build.request, trigger, `ONBUILD of ${stage.base}`);
  let state: StageState = { ...base, args: base.args, hasCommand: false, config: { ...base.config, onBuild: [] } };
  const all = [
    ...triggers.map((instruction) => ({ instruction, file: `ONBUILD of ${stage.base}` })),
    ...stage.instructions.map((instruction) => ({ instruction, file: build.file })),
  ];
  // steps that change only the configuration wait for nothing, and a file may have fifty thousand
  const pace = createPace(build.signal);
  for (const { instruction, file } of all) {
    await pace();
    build.signal?.throwIfAborted();
    if (instruction.kind === "FROM")
      throw dockerfileError(file, instruction, "FROM is not allowed as an ONBUILD trigger");
    state = await executeStep(build, stage, state, instruction, file, counter);
  }
  return state;
}

async function executeStep(
  build: Build,
  stage: Stage,
  state: StageState,
  instruction: StepInstruction,
  file: string,
  counter: StepCounter,
): Promise<StageState> {
  const scope = scopeOf(build, stage, state, instruction, file);
  counter.done++;
  let isTold = false;
  const announce = (cached: boolean): void => {
    if (isTold) return;
    isTold = true;
    build.progress({
      type: "build-step",
      image: build.image,
      step: counter.done,
      steps: counter.total,
      text: shownText(scope, instruction),
      cached,
    });
  };
  if (instruction.kind === "ARG") {
    announce(false);
    return declareArgs(scope, instruction);
  }
  try {
    switch (instruction.kind) {
      case "RUN": {
        const { planRun } = await import("./steps/run.js");
        return await onSettledSources(async () => {
          const plan = await planRun(scope, instruction);
          return await layerStep(scope, plan.key, plan.createdBy, announce, plan.run);
        });
      }
      case "COPY":
      case "ADD": {
        const { planCopy } = await import("./steps/copy.js");
        return await onSettledSources(async () => {
          const plan = await planCopy(scope, instruction);
          return await layerStep(scope, plan.key, plan.createdBy, announce, plan.run);
        });
      }
      case "WORKDIR": {
        const { workdirOf, makeWorkdir } = await import("./steps/workdir.js");
        const workingDir = workdirOf(scope, instruction.word);
        const key = cacheKey("WORKDIR", stateKey(state), workingDir);
        const next = await layerStep(scope, key, `WORKDIR ${workingDir}`, announce, () =>
          makeWorkdir(scope, workingDir),
        );
        return { ...next, config: { ...next.config, workingDir } };
      }
      default: {
        const applied = applyMetadata(instruction, state, scope.expand);
        const key = cacheKey("metadata", stateKey(state), applied.createdBy);
        const { config, author, hasCommand } = applied.state;
        const next = await layerStep(scope, key, applied.createdBy, announce, async () => undefined);
        return { ...next, config, author, hasCommand };
      }
    }
  } catch (error) {
    if (error instanceof MetadataError || error instanceof ExpandError || error instanceof PatternError) {
      throw dockerfileError(file, instruction, error.message);
    }
    if (error instanceof SourceChangedError) {
      throw dockerfileError(
        file,
        instruction,
        `${instruction.kind}: /${error.message} keeps changing while it is read`,
      );
    }
    throw error;
  }
}

/** The step as BuildKit names it: with the values of its variables where they have one. */
function shownText({ build, state }: StepScope, { text }: StepInstruction): string {
  const env = environmentOf(state.config.env);
  const lookup = (name: string): string | undefined => env[name] ?? state.args[name];
  try {
    return expandWord(text, { lookup, escape: build.parsed.escape, keepQuotes: true, keepUnset: true });
  } catch (error) {
    // a script may hold substitutions that are the shell's alone
    if (error instanceof ExpandError) return text;
    throw error;
  }
}

/** Files may go or shrink while they are read (logs that are rotated): then all are looked at again. */
async function onSettledSources<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SourceChangedError) || attempt >= READ_ATTEMPTS) throw error;
    }
  }
}

/** Takes the cached result of a step or makes and stores it; the state with the step's layer and history. */
async function layerStep(
  scope: StepScope,
  key: string,
  createdBy: string,
  announce: (cached: boolean) => void,
  run: () => Promise<{ diffId: string; chainId: string; sizeBytes: number } | undefined>,
): Promise<StageState> {
  const { build, state } = scope;
  // `EXPOSE 1-65535` is a short line with a long history
  spend(build.plan.budget, createdBy.length);
  const record = await onceForAll(build, key, announce, async (): Promise<StepRecord> => {
    const layer = await run();
    return {
      createdAt: createdNow(scope),
      ...(layer === undefined ? {} : { diffId: layer.diffId, chainId: layer.chainId, sizeBytes: layer.sizeBytes }),
    };
  });
  const { diffId, chainId, createdAt } = record;
  const entry: HistoryEntry = { created: createdAt, createdBy };
  if (diffId === undefined || chainId === undefined) {
    return { ...state, createdAt, history: [...state.history, { ...entry, emptyLayer: true }] };
  }
  const history = build.deps.storage.cumulative
    ? [...state.history.map((past) => ({ ...past, emptyLayer: true })), entry]
    : [...state.history, entry];
  return { ...withLayer(build.deps, state, { diffId, chainId }), createdAt, history };
}

function createdNow(scope: StepScope): string {
  const epoch = scope.state.args.SOURCE_DATE_EPOCH ?? scope.build.request.args?.SOURCE_DATE_EPOCH;
  const isEpoch = epoch !== undefined && /^\d{1,11}$/.test(epoch);
  return (isEpoch ? new Date(Number(epoch) * 1000) : new Date()).toISOString();
}

function scopeOf(build: Build, stage: Stage, state: StageState, instruction: StepInstruction, file: string): StepScope {
  const env = environmentOf(state.config.env);
  const lookup = (name: string): string | undefined => env[name] ?? state.args[name];
  const { escape: mark } = build.parsed;
  const expand = (word: string, keepQuotes: boolean): string => {
    try {
      return expandWord(word, { lookup, escape: mark, keepQuotes, budget: build.plan.budget });
    } catch (error) {
      if (error instanceof ExpandError) throw dockerfileError(file, instruction, error.message);
      throw error;
    }
  };
  return {
    build,
    stage,
    place: instruction,
    file,
    state,
    expand: (word) => expand(word, false),
    expandText: (text) => expand(text, true),
  };
}

function declareArgs(scope: StepScope, instruction: ArgInstruction): StageState {
  const args: Record<string, string> = { ...scope.state.args };
  for (const { name, value } of instruction.names) {
    const given =
      scope.build.request.args?.[name] ??
      (value === undefined ? scope.build.plan.globalArgs.get(name) : scope.expand(value));
    if (given !== undefined) args[name] = given;
  }
  return { ...scope.state, args };
}
