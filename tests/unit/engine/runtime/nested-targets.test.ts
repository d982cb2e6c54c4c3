import { describe, expect, test } from "@jest/globals";
import { makesTargetsSafely, nestedInShared } from "../../../../src/engine/runtime/nested-targets.js";
import type { RecordedMount } from "../../../../src/engine/runtime/record.js";

const mount = (type: "bind" | "volume", source: string, target: string, readOnly = false): RecordedMount => ({
  type,
  name: type === "volume" ? source : "",
  source,
  target,
  readOnly,
  anonymous: false,
});
const row = (id: string, ...mounts: RecordedMount[]) => ({
  id,
  name: id,
  record: { topChainId: "", argv: [], hostname: "", mounts, stopSignal: "", stopTimeoutMs: 0, logPath: "" },
});

describe("mount targets in folders that others write to", () => {
  const me = row("me", mount("volume", "shared", "/v"), mount("volume", "own", "/v/sub"));
  const places = ({ type, source }: RecordedMount) => (type === "volume" ? [`/store/${source}`, "/dev/x"] : [source]);
  const targets = [{ destination: "/proc" }, { destination: "/v" }, { destination: "/v/sub" }];

  test("are found by volume, and by binds that lie in each other", () => {
    const found = (...others: ReturnType<typeof row>[]) => nestedInShared(me, targets, () => [me, ...others], places);
    expect(found()).toBeUndefined();
    expect(found(row("reader", mount("volume", "shared", "/x", true)))).toBeUndefined();
    expect(found(row("other", mount("bind", "/elsewhere", "/v")))).toBeUndefined();
    // the same content by other names
    expect(found(row("writer", mount("bind", "/store/shared/in", "/x")))?.writer).toBe("writer");
    expect(found(row("writer", mount("bind", "/dev/x", "/x")))?.writer).toBe("writer");
    expect(found(row("writer", mount("volume", "shared", "/x")))).toEqual({
      target: "/v/sub",
      folder: "/v",
      writer: "writer",
    });
    const bound = row("me", mount("bind", "/p/app", "/v"));
    const by = (source: string) =>
      nestedInShared(bound, targets, () => [row("w", mount("bind", source, "/x"))], places)?.writer;
    expect([by("/p/app"), by("/p"), by("/p/app/in"), by("/p/application")]).toEqual(["w", "w", "w", undefined]);
  });

  test("cost no look at others without a nested one", () => {
    const look = () => {
      throw new Error("looked");
    };
    expect(nestedInShared(me, [{ destination: "/proc" }, { destination: "/vv" }], look, places)).toBeUndefined();
  });
});

test("runc of 1.1.14, 1.2.0-rc.3 and later makes targets safely", () => {
  const safe = ["1.1.14", "1.1.15+ds1", "1.2.0-rc.3", "1.2.0", "1.2.3", "1.3.0", "2.0.0"];
  const unsafe = ["1.1.5+ds1", "1.1.13", "1.0.3", "1.2.0-rc.2", "1.2.0-rc1", ""];
  expect(safe.filter(makesTargetsSafely)).toEqual(safe);
  expect(unsafe.filter(makesTargetsSafely)).toEqual([]);
});
