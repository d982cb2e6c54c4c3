/** The reference's answers, kept in a file: a mended loader is compared again at the cost of our side alone. */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { Answer } from "./sides.js";

/** Who asks; `question` is all that the answer depends on. */
export type Ask = (question: readonly unknown[], ask: () => Promise<Answer>) => Promise<Answer>;

/** Asks through the file, which is made with the first answer; always asks when there is none. */
export function keptAnswers(file: string | undefined): Ask {
  if (file === undefined) return (_question, ask) => ask();
  const kept = new Map<string, Answer>(
    existsSync(file)
      ? readFileSync(file, "utf8")
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as [string, Answer])
      : [],
  );
  return async (question, ask) => {
    const key = createHash("sha256").update(JSON.stringify(question)).digest("base64url");
    const known = kept.get(key);
    if (known !== undefined) return known;
    const answer = await ask();
    kept.set(key, answer);
    appendFileSync(file, `${JSON.stringify([key, answer])}\n`);
    return answer;
  };
}
