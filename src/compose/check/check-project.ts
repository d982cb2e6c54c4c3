/** The linter of compose projects: one table of rules, run over a loaded project. Reads nothing but through its context. */
import { compareText } from "../../lib/compare-text.js";
import { given } from "../../lib/given.js";
import type { Position } from "../model.js";
import { accessRules } from "./access.js";
import { dependencyRules } from "./dependencies.js";
import { deprecatedRules } from "./deprecated.js";
import { hostRules } from "./host.js";
import { imageRules } from "./images.js";
import { portRules } from "./ports.js";
import { resourceRules } from "./resources.js";
import { secretRules } from "./secrets.js";
import type { CheckContext, Level, Rule } from "./types.js";

/** Every rule, in the order of reports. */
export const RULES: readonly Rule[] = [
  ...deprecatedRules,
  ...imageRules,
  ...portRules,
  ...secretRules,
  ...dependencyRules,
  ...resourceRules,
  ...hostRules,
  ...accessRules,
];

/** Something found, with its place. */
export interface Finding {
  readonly code: string;
  readonly level: Level;
  readonly message: string;
  readonly hint: string;
  readonly where?: Position;
}

/** Runs every rule whose code is not ignored; findings come in the order of their places. */
export function checkProject(context: CheckContext, ignored: readonly string[] = []): Finding[] {
  const findings = RULES.filter(({ code }) => !ignored.includes(code)).flatMap((rule) =>
    rule.find(context).map((complaint): Finding => {
      const where = complaint.path.length === 0 ? undefined : context.project.locate(complaint.path);
      return {
        code: rule.code,
        level: complaint.level ?? rule.level,
        message: complaint.message,
        hint: complaint.hint ?? rule.help,
        ...given({ where }),
      };
    }),
  );
  return findings.toSorted(
    (a, b) =>
      compareText(a.where?.file ?? "", b.where?.file ?? "") ||
      (a.where?.line ?? 0) - (b.where?.line ?? 0) ||
      (a.where?.column ?? 0) - (b.where?.column ?? 0),
  );
}
