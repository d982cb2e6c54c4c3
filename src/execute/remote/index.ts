/** Brings remote compose files (`oci://…`, git URLs) into a cache of this user, pinned by digest or commit. */
export { loadRemote } from "./load-remote.js";
