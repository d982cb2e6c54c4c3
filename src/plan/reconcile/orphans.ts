/** Containers of the project that no service of the compose file accounts for (docs/reconcile.md R8). */
import type { Project } from "../../compose/model.js";
import type { Observed, ObservedContainer } from "../observe.js";

/** Containers of unknown services, and one-off containers that have ended. */
export function orphansOf(project: Project, observed: Observed): ObservedContainer[] {
  return observed.containers.filter((container) => {
    if (container.oneOff) return container.info.state === "exited" || container.info.state === "dead";
    return (
      project.services[container.service] === undefined && project.disabledServices[container.service] === undefined
    );
  });
}

/** docker's warning, for the names given. */
export function orphanWarning(names: readonly string[]): string {
  return (
    `Found orphan containers ([${names.join(" ")}]) for this project. If you removed or renamed this service in your compose ` +
    "file, you can run this command with the --remove-orphans flag to clean it up."
  );
}
