/** What watching and acting upon what is seen have in common. Types only. */
import type { Project } from "../../compose/model.js";
import type { LogPrinter } from "../render/log-printer.js";
import type { Rule } from "./watch-rules.js";

/** One watch, by `watch` or from the keys of attached `up`; without `services` it is of all that have `develop`. */
export interface WatchOptions {
  readonly services?: readonly string[];
  readonly signal: AbortSignal;
  readonly quiet: boolean;
  readonly prune?: boolean;
  /** Containers' output is printed meanwhile. */
  readonly besideLogs?: boolean;
  /** Where it is told what is done. */
  readonly printer: LogPrinter;
  /** The project as its files say now: what is rebuilt gets the environment of today. */
  readonly reload: () => Promise<Project>;
}

/** Changed host paths by rule. */
export type Batch = ReadonlyMap<Rule, ReadonlySet<string>>;
