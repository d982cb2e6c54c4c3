/** What a list says of containers that ended with the machine and have not come back. */
import type { ContainerInfo } from "../engine/types.js";
import type { CliContext } from "./context.js";

/** Warns once when there are any among `containers`. */
export function tellDownWithMachine(ctx: Pick<CliContext, "warn">, containers: readonly ContainerInfo[]): void {
  const count = containers.filter(({ awaitsBoot }) => awaitsBoot === true).length;
  if (count === 0) return;
  ctx.warn(
    `${count === 1 ? "a container" : `${count} containers`} ended with the machine and would restart: \`tscompose system boot\` brings ${count === 1 ? "it" : "them"} back`,
  );
}
