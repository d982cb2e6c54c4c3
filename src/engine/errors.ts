/** Errors that several parts of the engine can meet. */
import { TscError } from "../lib/errors.js";

/** For an id, id prefix or name that no container has. */
export function noSuchContainer(reference: string): TscError {
  return new TscError("TSC_CONTAINER_NOT_FOUND", `no such container: ${reference}`, { kind: "not-found" });
}

/** For work that only a running container can do. */
export function notRunning(name: string): TscError {
  return new TscError("TSC_CONTAINER_NOT_RUNNING", `container ${name} is not running`, { kind: "conflict" });
}
