/** Warnings of the engine in the words of the project: it knows containers, a person wrote services. Pure. */
import type { Plan } from "../../plan/plan.js";

/**
 * What a warning of a plan's run says: `container app-web-2: …` of a container that the plan makes is said of its service, so that replicas
 * say it once, and nobody reads the name that a replacement has for a moment.
 */
export function warningWords(plan: Pick<Plan, "operations">): (message: string) => string {
  const services = new Map<string, string>();
  for (const operation of plan.operations) {
    if (operation.kind !== "create-container") continue;
    const { container, spec } = operation;
    if (container.service === "") continue;
    for (const name of [container.name, spec.name]) services.set(name, container.service);
  }
  return (message) =>
    message.replace(/^container ([^\s:]+): /, (said, name: string) => {
      const service = services.get(name);
      return service === undefined ? said : `service "${service}": `;
    });
}
