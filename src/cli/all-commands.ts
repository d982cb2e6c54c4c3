/** Loads the declaration of every command: for help, completion scripts and the list of flags. Never on a command's own path. */
import type { CommandSpec } from "./command.js";
import { commandTable } from "./table.js";

/** Every declared command in table order; hidden by the table or by itself. */
export async function loadAllCommands(): Promise<readonly CommandSpec[]> {
  return await Promise.all(
    commandTable.map(async ({ load, hidden }) => {
      const { command } = await load();
      return hidden === true ? { ...command, hidden: true } : command;
    }),
  );
}
