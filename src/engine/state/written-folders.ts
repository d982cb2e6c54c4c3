/** Folders of the host that containers of this store have had to write, by canonical path. Kept when the containers are gone: their links stay. */

import type { State } from "./index.js";
import { metaKeys, setMeta } from "./meta.js";

const PREFIX = "written:";

/** All of them. */
export function writtenFolders(state: State): ReadonlySet<string> {
  return new Set(metaKeys(state, PREFIX).map((key) => key.slice(PREFIX.length)));
}

/** Notes one. */
export function noteWrittenFolder(state: State, path: string): void {
  setMeta(state, `${PREFIX}${path}`, "");
}
