/** The door: opening the real kernel, and the types everybody else needs. */
import type { Kernel } from "./kernel.js";
import { openLinuxKernel } from "./linux.js";

export type * from "./kernel.js";

/** The real kernel; `TSC_NATIVE_MISSING` when native/build is not there. Loads the addon at once. */
export function openKernel(options: { readonly nativeDir: string; readonly hostUid?: number }): Kernel {
  return openLinuxKernel(options);
}
