/** Every vector of ../shared/conformance/vectors, group by group, in this process. */
import { describe, expect, test } from "@jest/globals";
import { DEVIATIONS } from "./deviations.js";
import { hasShared } from "./support/shared.js";
import { GROUPS } from "./support/vectors.js";

const check = hasShared ? test : test.skip;

describe("vectors", () => {
  for (const [group, run] of Object.entries(GROUPS)) {
    check(group, async () => {
      const outcomes = await run();
      const deviating = outcomes.filter(({ name, why }) => why !== "" && name in DEVIATIONS);
      const failed = outcomes.filter(({ name, why }) => why !== "" && !(name in DEVIATIONS));
      const passed = outcomes.length - deviating.length - failed.length;
      process.stdout.write(`vectors ${group}: ${passed}/${outcomes.length}, ${deviating.length} kept deviations\n`);
      expect(outcomes.length).toBeGreaterThan(0);
      expect(failed.map(({ name, why }) => `${name}\n${why}`)).toEqual([]);
    });
  }

  check("no deviation is kept that has gone away", async () => {
    const failing = new Set<string>();
    for (const group of ["loader", "override"] as const) {
      for (const { name, why } of (await GROUPS[group]?.()) ?? []) if (why !== "") failing.add(name);
    }
    const kept = Object.keys(DEVIATIONS).filter((name) => /^(?:loader|merge)\//.test(name));
    expect(kept.filter((name) => !failing.has(name))).toEqual([]);
  });
});
