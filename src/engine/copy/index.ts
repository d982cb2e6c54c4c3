/**
 * Files in and out of containers as tar streams, and images from containers. docker cp's rules about names belong to the
 * command line; here a path is a path inside the container, with its volumes and bind mounts.
 */

export { type CommitDeps, type CommitOptions, type CommitTarget, commitContainer } from "./commit.js";
export { copyIn, removeIn } from "./into.js";
export { copyOut, exportRootfs } from "./out.js";
export { statIn } from "./stat.js";
export type { CopyDeps, CopyTarget } from "./target.js";
