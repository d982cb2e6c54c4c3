/** docker's filters and warnings of the prunes. */
import { describe, expect, test } from "@jest/globals";
import { pruneFilter, pruneWarning } from "../../../src/cli/prune.js";

const NOW = Date.parse("2026-06-01T00:00:00Z");

describe("pruneFilter", () => {
  test("labels, labels that must not be there, and times", () => {
    expect(pruneFilter(["label=a=b=c", "label!=keep", "until=24h"], NOW, true)).toEqual({
      labels: ["a=b=c"],
      notLabels: ["keep"],
      until: NOW - 86_400_000,
    });
    expect(pruneFilter(["until=1h30m"], NOW, true)).toEqual({ until: NOW - 5_400_000 });
    expect(pruneFilter(["until=2026-01-01T00:00:00Z"], NOW, true)).toEqual({ until: Date.parse("2026-01-01") });
    expect(pruneFilter(["until=1700000000"], NOW, true)).toEqual({ until: 1_700_000_000_000 });
    expect(pruneFilter([], NOW, true)).toEqual({});
  });
  test.each(["until", "until=soon", "until!=1h", "name=x", "label=", "=", ""])("%p is refused", (filter) => {
    expect(() => pruneFilter([filter], NOW, true)).toThrow(/invalid filter/);
  });
  test("volumes have no time", () => {
    expect(() => pruneFilter(["until=1h"], NOW, false)).toThrow(/invalid filter/);
  });
});

test("the warning names everything that goes", () => {
  const request = {
    containers: true,
    networks: true,
    volumes: { all: false },
    images: { all: true },
    buildCache: { all: false },
  };
  expect(pruneWarning(request)).toEqual([
    "all stopped containers",
    "all networks not used by at least one container",
    "anonymous local volumes not used by at least one container",
    "all images without at least one container associated to them",
    "unused build cache",
  ]);
});
