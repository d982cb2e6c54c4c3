/** SELinux labels of containers: which one, whether this host's policy has them, and how files get them. */
export {
  type Labels,
  labelOption,
  labelsFor,
  levelOf,
  parseContext,
  sharedLabel,
} from "./context.js";
export { labelForBuild, ownLevel } from "./levels.js";
export {
  knowsContext,
  labelForAll,
  labellingPolicy,
  layerLabel,
  mayWriteToUs,
  mountLabel,
  type SelinuxPolicy,
  selinuxPolicy,
} from "./policy.js";
export { relabel, relabelOwn } from "./relabel.js";
