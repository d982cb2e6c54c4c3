/** Rules of project names. */
import { basename } from "node:path";
import { TscError } from "../../lib/errors.js";

/** A name made from any text: lowercase, only `[a-z0-9_-]`, no leading `_` or `-`. May be empty. */
export function normalizeProjectName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
}

/** The name a folder gives its project. */
export function projectNameOfFolder(folder: string): string {
  return normalizeProjectName(basename(folder));
}

/** Throws TSC_COMPOSE_PROJECT_NAME unless the name is already in normal form. */
export function checkProjectName(name: string): void {
  if (name !== "" && normalizeProjectName(name) === name) return;
  throw new TscError(
    "TSC_COMPOSE_PROJECT_NAME",
    `invalid project name ${JSON.stringify(name)}: must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number`,
    {
      kind: "invalid-input",
      hint: normalizeProjectName(name) === "" ? "choose a name with -p" : `for instance ${normalizeProjectName(name)}`,
    },
  );
}
