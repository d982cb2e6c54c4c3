/** The open corpus: 168 compose projects with what the reference prints for them. */
import { describe, expect, test } from "@jest/globals";
import { DEVIATIONS } from "./deviations.js";
import { corpusCases, KINDS, playCase } from "./support/corpus.js";
import { hasShared } from "./support/shared.js";

const check = hasShared ? test : test.skip;

describe("corpus", () => {
  const cases = hasShared ? corpusCases() : [];
  for (const kind of KINDS) {
    check(
      kind,
      async () => {
        let passed = 0;
        let kept = 0;
        const failed: string[] = [];
        for (const one of cases) {
          const outcome = await playCase(one, kind);
          if (outcome === undefined) continue;
          if (outcome.why === "") passed++;
          else if (outcome.name in DEVIATIONS) kept++;
          else failed.push(`${outcome.name}\n${outcome.why}`);
        }
        process.stdout.write(`corpus ${kind}: ${passed}/${passed + kept + failed.length}, ${kept} kept deviations\n`);
        expect(passed).toBeGreaterThan(0);
        expect(failed).toEqual([]);
      },
      120_000,
    );
  }
});
