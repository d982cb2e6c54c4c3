/** Where the reference is not followed on purpose, by kind: what tells such a difference from a fault. Keep it short. */
import type { Answer } from "./sides.js";

export interface Compared {
  readonly texts: readonly string[];
  readonly ours: Answer;
  readonly theirs: Answer;
}

interface Kind {
  readonly name: string;
  readonly reason: string;
  readonly is: (compared: Compared) => boolean;
}

const refusal = (answer: Answer): string => ("refused" in answer ? answer.refused : "");

const KINDS: readonly Kind[] = [
  {
    name: "crash",
    reason: "the reference ends in a Go panic or does not end",
    is: ({ theirs }) => "broken" in theirs || /^exit null$|panic|runtime error/.test(refusal(theirs)),
  },
  {
    name: "bounds",
    reason: "what would take minutes or gigabytes is refused: nesting, aliases, sizes",
    is: ({ ours }) => /nested more than|too many aliases|larger than|too large|too long/.test(refusal(ours)),
  },
];

/** The kind of a difference; undefined for a fault. */
export function kindOf(compared: Compared): string | undefined {
  return KINDS.find(({ is }) => is(compared))?.name;
}
