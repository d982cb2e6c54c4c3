/** Which build of the native programs tests run. */
import { resolve } from "node:path";

/** `native/build`, or the folder named by TSC_NATIVE_DIR: `native/build-sanitize` has the same programs under sanitizers. */
export const NATIVE_DIR = resolve(process.env["TSC_NATIVE_DIR"] ?? "native/build");
