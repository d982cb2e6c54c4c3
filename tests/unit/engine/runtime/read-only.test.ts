import { describe, expect, test } from "@jest/globals";
import { uppermost, writableAt } from "../../../../src/engine/runtime/read-only.js";
import { parseMounts } from "../../../../src/kernel/mount-table.js";

const TABLE = String.raw`100 99 0:50 / / rw,relatime - overlay overlay rw
101 100 0:51 / /data ro,relatime - ext4 /dev/vda rw
102 101 0:52 / /data/sub rw,relatime - tmpfs tmpfs rw
103 101 0:53 / /data/vol rw - ext4 /dev/vda rw
104 103 0:54 / /data/vol/deep rw - tmpfs tmpfs rw
105 100 0:55 / /database rw - tmpfs tmpfs rw
106 100 0:56 / /with\040blank ro - tmpfs tmpfs rw
107 101 0:57 / /data/twice rw - tmpfs tmpfs rw
108 107 0:58 / /data/twice ro - tmpfs tmpfs rw
`;

describe("what became of a read-only mount", () => {
  const seen = uppermost(parseMounts(TABLE));
  test("writable mounts below it are found, those asked for by themselves are not", () => {
    expect(writableAt(seen, "/data", ["/data/vol", "/other"])).toEqual(["/data/sub"]);
    expect(writableAt(seen, "/data", [])).toEqual(["/data/sub", "/data/vol", "/data/vol/deep"]);
  });
  test("a writable mount is found itself; names are unescaped; the uppermost mount of a place counts", () => {
    expect(writableAt(seen, "/database", [])).toEqual(["/database"]);
    expect(writableAt(seen, "/with blank", [])).toEqual([]);
    expect(seen.find(({ path }) => path === "/data/twice")?.writable).toBe(false);
  });
});
