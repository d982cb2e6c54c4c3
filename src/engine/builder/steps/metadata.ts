/** Instructions that change only the configuration: each a pure function from state to state. */
import { parseDurationMs } from "../../../lib/duration.js";
import { findSignal } from "../../../lib/signals.js";
import type { Healthcheck, ImageConfig } from "../../types.js";
import type {
  CommandLine,
  HealthcheckInstruction,
  Instruction,
  PairsInstruction,
  WordsInstruction,
} from "../dockerfile/instructions.js";
import { splitWords } from "../dockerfile/words.js";
import { DEFAULT_SHELL, type StageState, withVariables } from "../state.js";

/** What the instruction would change cannot be done; the caller adds the place. */
export class MetadataError extends Error {}

/** Instructions that change the image's config alone. */
export type MetadataInstruction = Exclude<Instruction, { kind: "FROM" | "RUN" | "COPY" | "ADD" | "WORKDIR" | "ARG" }>;

/** All there are, for each protocol; a line of ranges names billions. */
const MAX_PORTS = 3 * 65535;

type Expand = (word: string) => string;

/** The state after an instruction and the text for the image's history. Throws `MetadataError`. */
export function applyMetadata(
  instruction: MetadataInstruction,
  state: StageState,
  expand: Expand,
): { state: StageState; createdBy: string } {
  const change = (config: Partial<ImageConfig>, more: Partial<StageState> = {}): StageState => ({
    ...state,
    ...more,
    config: { ...state.config, ...config },
  });
  switch (instruction.kind) {
    case "ENV":
      return applyEnv(instruction, state, expand);
    case "LABEL": {
      const labels = instruction.pairs.map(([key, value]) => [expand(key), expand(value)] as const);
      return {
        state: change({ labels: { ...state.config.labels, ...Object.fromEntries(labels) } }),
        createdBy: `LABEL ${labels.map(([key, value]) => `${key}=${value}`).join(" ")}`,
      };
    }
    case "CMD":
      return {
        state: change({ command: argvOf(instruction.command, state) }, { hasCommand: true }),
        createdBy: `CMD ${JSON.stringify(argvOf(instruction.command, state))}`,
      };
    case "ENTRYPOINT": {
      const entrypoint = argvOf(instruction.command, state);
      // the base image's CMD were arguments for the base image's ENTRYPOINT
      const config = state.hasCommand ? { entrypoint } : { entrypoint, command: [] };
      return { state: change(config), createdBy: `ENTRYPOINT ${JSON.stringify(entrypoint)}` };
    }
    case "EXPOSE":
      return applyExpose(instruction, state, expand);
    case "VOLUME": {
      const volumes = instruction.words.map(expand).filter((word) => word !== "");
      return {
        state: change({ volumes: [...new Set([...state.config.volumes, ...volumes])] }),
        createdBy: `VOLUME [${volumes.join(" ")}]`,
      };
    }
    case "USER":
      return { state: change({ user: expand(instruction.word) }), createdBy: `USER ${expand(instruction.word)}` };
    case "STOPSIGNAL": {
      const stopSignal = expand(instruction.word);
      if (findSignal(stopSignal) === undefined) throw new MetadataError(`invalid signal: ${stopSignal}`);
      return { state: change({ stopSignal }), createdBy: `STOPSIGNAL ${stopSignal}` };
    }
    case "MAINTAINER":
      return { state: { ...state, author: instruction.word }, createdBy: `MAINTAINER ${instruction.word}` };
    case "SHELL":
      return { state: change({ shell: instruction.argv }), createdBy: `SHELL ${JSON.stringify(instruction.argv)}` };
    case "HEALTHCHECK":
      return {
        state: change({ healthcheck: healthcheckOf(instruction) }),
        createdBy: `HEALTHCHECK ${JSON.stringify(instruction.test)}`,
      };
    case "ONBUILD":
      return {
        state: change({ onBuild: [...state.config.onBuild, instruction.trigger] }),
        createdBy: `ONBUILD ${instruction.trigger}`,
      };
  }
}

/** The words a command line runs: shell form goes through the stage's shell. */
export function argvOf(command: CommandLine, state: StageState): readonly string[] {
  if (command.form === "exec") return command.argv;
  if (command.script === "") return [];
  const shell = state.config.shell.length > 0 ? state.config.shell : DEFAULT_SHELL;
  return [...shell, command.script];
}

function applyEnv(
  instruction: PairsInstruction,
  state: StageState,
  expand: Expand,
): { state: StageState; createdBy: string } {
  const variables = instruction.pairs.map(([name, value]) => [expand(name), expand(value)] as const);
  if (variables.some(([name]) => name === "")) throw new MetadataError("ENV names can not be blank");
  const env = withVariables(state.config.env, variables);
  const shown = variables.map(([name, value]) => `${name}=${value}`);
  return { state: { ...state, config: { ...state.config, env } }, createdBy: `ENV ${shown.join(" ")}` };
}

function applyExpose(
  instruction: WordsInstruction,
  state: StageState,
  expand: Expand,
): { state: StageState; createdBy: string } {
  const ports: string[] = [];
  for (const word of instruction.words.flatMap((raw) => splitWords(expand(raw), "\\"))) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
    const first = Number(match?.[1] ?? 0);
    const last = Number(match?.[2] ?? first);
    if (match === null || first < 1 || last < first || last > 65535) {
      throw new MetadataError(`invalid containerPort: ${word}`);
    }
    if (ports.length + last - first >= MAX_PORTS) throw new MetadataError(`more than ${MAX_PORTS} ports`);
    for (let port = first; port <= last; port++) ports.push(`${port}/${match[3]?.toLowerCase() ?? "tcp"}`);
  }
  const exposedPorts = [...new Set([...state.config.exposedPorts, ...ports])];
  return { state: { ...state, config: { ...state.config, exposedPorts } }, createdBy: `EXPOSE [${ports.join(" ")}]` };
}

function healthcheckOf(instruction: HealthcheckInstruction): Healthcheck {
  const { flags } = instruction;
  const duration = (name: string, key: string): Record<string, number> => {
    const text = flags[name];
    if (text === undefined) return {};
    const ms = parseDurationMs(text);
    if (ms === undefined || ms < 0) throw new MetadataError(`invalid duration ${JSON.stringify(text)} for --${name}`);
    if (ms > 0 && ms < 1) throw new MetadataError(`--${name} cannot be less than 1ms`);
    return ms === 0 ? {} : { [key]: ms };
  };
  const retries = flags.retries;
  if (retries !== undefined && !/^\d+$/.test(retries)) throw new MetadataError("--retries must be a whole number");
  return {
    test: instruction.test,
    ...duration("interval", "intervalMs"),
    ...duration("timeout", "timeoutMs"),
    ...duration("start-period", "startPeriodMs"),
    ...duration("start-interval", "startIntervalMs"),
    ...(retries === undefined || retries === "0" ? {} : { retries: Number(retries) }),
  };
}
