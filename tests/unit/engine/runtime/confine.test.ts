import { expect, test } from "@jest/globals";
import { unmasked } from "../../../../src/engine/runtime/confine.js";
import { MASKED_PATHS, READONLY_PATHS } from "../../../../src/engine/runtime/oci/security.js";
import type { OciConfig } from "../../../../src/engine/runtime/oci/types.js";

const config = (maskedPaths: readonly string[], readonlyPaths: readonly string[]) =>
  ({ linux: { maskedPaths, readonlyPaths } }) as Pick<OciConfig, "linux">;
const mounted = (paths: readonly string[], ...options: string[]) => paths.map((path) => ({ path, options }));

test("what no mount covers, and what a writable one does, is open; what was not to be covered is nobody's fault", () => {
  const whole = [...mounted(MASKED_PATHS, "ro"), ...mounted(READONLY_PATHS, "ro", "nosuid")];
  const wanted = config([...MASKED_PATHS, "/etc/of-the-image"], READONLY_PATHS);
  expect(unmasked(whole, wanted)).toEqual([]);
  expect(unmasked(whole.slice(1), wanted)).toEqual(MASKED_PATHS.slice(0, 1));
  expect(unmasked([...whole, ...mounted(["/proc/sys"], "rw")], wanted)).toEqual(["/proc/sys"]);
  expect(unmasked([...mounted(["/proc/sys"], "rw"), ...whole], wanted)).toEqual([]);
  expect(unmasked([], wanted)).toEqual([...MASKED_PATHS, ...READONLY_PATHS]);
  expect(unmasked([], config([], ["/proc/bus"]))).toEqual(["/proc/bus"]);
});
