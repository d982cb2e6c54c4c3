/** Making a container, and giving it its final name. */
import { withSharedContainers } from "../../engine/sharing.js";
import type { ContainerSpec } from "../../engine/types.js";
import type { OperationOf } from "../../plan/plan.js";
import { type ExecuteContext, idOf, told } from "../context.js";

/** References to containers made by the same plan become ids; variables of providers are added. */
export async function createContainer(
  context: ExecuteContext,
  operation: OperationOf<"create-container">,
): Promise<void> {
  const { container, replaces } = operation;
  const isReplacement = replaces !== undefined;
  const about = {
    resource: "Container",
    name: container.name,
    begin: isReplacement ? "Recreate" : "Creating",
    end: isReplacement ? "Recreated" : "Created",
  } as const;
  await told(context, about, async () => {
    const id = await context.engine.containers.create(resolved(context, operation.spec, container.service));
    context.ids.set(container.name, id);
  });
}

/** Carries out `rename-container`. */
export async function renameContainer(
  context: ExecuteContext,
  operation: OperationOf<"rename-container">,
): Promise<void> {
  await context.engine.containers.rename(idOf(context, operation.container), operation.container.name);
}

function resolved(context: ExecuteContext, spec: ContainerSpec, service: string): ContainerSpec {
  const provided = context.providerEnv.get(service);
  return {
    ...withSharedContainers(spec, (name) => context.ids.get(name) ?? name),
    ...(provided === undefined ? {} : { env: { ...spec.env, ...provided } }),
  };
}
