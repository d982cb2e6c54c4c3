/** Which mounts a reset takes away. */
import { expect, test } from "@jest/globals";
import { mountsBelow } from "../../../src/engine/reset.js";
import { parseMounts } from "../../../src/kernel/mount-table.js";

test("mounts below a folder, innermost first; not the folder's own, not a neighbour's", () => {
  const text = [
    "1 0 0:1 / / rw - ext4 a rw",
    "2 1 0:2 / /run/ts rw - tmpfs b rw",
    "3 2 0:3 / /run/ts/netns/a\\040b rw - nsfs c rw",
    "4 3 0:4 / /run/ts/netns/a\\040b/in rw - tmpfs d rw",
    "5 1 0:5 / /run/tsother rw - tmpfs e rw",
    "",
  ].join("\n");
  expect(mountsBelow(parseMounts(text), "/run/ts")).toEqual(["/run/ts/netns/a b/in", "/run/ts/netns/a b"]);
});
