/** A dry run never changes the machine: every command either only reads, tells, or refuses. */
import { describe, expect, test } from "@jest/globals";
import { dryRunKind } from "../../../src/cli/dry-run.js";
import { commandTable } from "../../../src/cli/table.js";

describe("--dry-run", () => {
  test("commands that would do their work at once refuse it", () => {
    const refusing = commandTable.map(({ name }) => name).filter((name) => dryRunKind(name) === "refuses");
    expect(refusing).toEqual(
      expect.arrayContaining(["attach", "exec", "watch", "container rm", "image rm", "network rm", "system reset"]),
    );
    for (const name of ["ps", "config", "logs"]) expect(dryRunKind(name)).toBe("reads");
    for (const name of ["up", "down", "cp", "commit", "export", "publish"]) expect(dryRunKind(name)).toBe("tells");
  });
});
