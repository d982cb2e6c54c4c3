/** Dockerfile instructions applied to an image's settings without building: `commit --change`. */
import { TscError } from "../../lib/errors.js";
import { ExpandError, expandWord } from "./dockerfile/expand.js";
import { dockerfileError, parseDockerfile } from "./dockerfile/parse.js";
import { environmentOf, type StageState } from "./state.js";
import { applyMetadata, MetadataError } from "./steps/metadata.js";
import { placeIn } from "./steps/place.js";

/** The state after the changes. `TSC_DOCKERFILE` for an instruction that is wrong or needs a build. */
export function applyChanges(state: StageState, changes: readonly string[]): StageState {
  let next = state;
  for (const change of changes) {
    const file = "change";
    const { instructions, escape: mark } = parseDockerfile(change, file);
    for (const instruction of instructions) {
      const env = environmentOf(next.config.env);
      const expand = (word: string): string => expandWord(word, { lookup: (name) => env[name], escape: mark });
      try {
        switch (instruction.kind) {
          case "FROM":
          case "RUN":
          case "COPY":
          case "ADD":
          case "ARG":
          case "SHELL":
            throw dockerfileError(file, instruction, `${instruction.kind} is not a valid change command`);
          case "WORKDIR": {
            const workingDir = placeIn(next.config.workingDir, expand(instruction.word), (message) =>
              dockerfileError(file, instruction, `WORKDIR: ${message}`),
            );
            next = { ...next, config: { ...next.config, workingDir } };
            break;
          }
          default:
            next = applyMetadata(instruction, { ...next, hasCommand: true }, expand).state;
        }
      } catch (error) {
        if (error instanceof TscError || !(error instanceof MetadataError || error instanceof ExpandError)) throw error;
        throw dockerfileError(file, instruction, error.message);
      }
    }
  }
  return next;
}
