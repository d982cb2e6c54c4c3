/** Where this package lies. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TscError } from "../lib/errors.js";

/** The folder with `native/` and `dist/`, seen from dist/*.js, dist/chunks/*.js or src/engine/*.ts. `TSC_NATIVE_MISSING`. */
export function findPackageRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let at = here; at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, "native")) && existsSync(join(at, "package.json"))) return at;
  }
  throw new TscError("TSC_NATIVE_MISSING", "the folder of the native programs is not found", {
    kind: "unavailable",
    hint: "npm run setup builds them",
  });
}
