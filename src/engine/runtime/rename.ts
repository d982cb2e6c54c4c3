/** Another name for a container. */
import { renameContainer as renameRow } from "../state/containers.js";
import { checkName, nameTaken } from "./create.js";
import type { RuntimeDeps } from "./deps.js";
import { eventAttributes, findContainer } from "./lookup.js";

/** Gives the name and tells of it. `TSC_CONTAINER_NOT_FOUND`, and what a create says of names that are wrong or taken. */
export function renameContainer({ ctx }: RuntimeDeps, id: string, name: string): void {
  checkName(name);
  const row = findContainer(ctx, id);
  const attributes = eventAttributes(row, { oldName: row.name });
  const isFree = ctx.state.transaction(() => {
    if (!renameRow(ctx.state, row.id, name)) return false;
    ctx.emit({ type: "container", action: "rename", id: row.id, name, attributes });
    return true;
  });
  if (!isFree) throw nameTaken(ctx, name);
}
