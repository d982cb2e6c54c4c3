/** What a lint rule is and what it finds. Data only. */
import type { Project } from "../model.js";

/** `error` cannot work, `warning` is likely a mistake or a risk, `note` is worth knowing. */
export type Level = "error" | "warning" | "note";
/** From the gravest on: `check --fail-on` means a level and those before it. */
export const LEVELS: readonly Level[] = ["error", "warning", "note"];

/** What a network driver is to whoever reads a compose file. */
interface DriverFacts {
  /** Why no network can be made with it, as the end of a sentence; undefined when one can. */
  readonly refusal?: string;
  readonly needsRoot: boolean;
  /** It joins containers to the network behind an interface of the machine. */
  readonly onParent: boolean;
}

/** What a rule may know: the project with everything it declares, and where it is to run. */
export interface CheckContext {
  readonly project: Project;
  /** The project will run without root. */
  readonly rootless: boolean;
  /** First port an ordinary user may bind (net.ipv4.ip_unprivileged_port_start). */
  readonly unprivilegedPort: number;
  /** What is known of a network driver; undefined for a word that is none. */
  networkDriver(name: string): DriverFacts | undefined;
  /** True when something is at this absolute path. */
  exists(path: string): boolean;
  /** Where links lead from an absolute path; the path itself when nothing is there. */
  realPath(path: string): string;
}

/** One complaint; `path` leads to the value in the merged model. */
export interface Complaint {
  readonly message: string;
  readonly path: readonly (string | number)[];
  /** Overrides the rule's level. */
  readonly level?: Level;
  readonly hint?: string;
}

/** A rule. Its code is stable: people write it into `--ignore` and into their editors' settings. */
export interface Rule {
  /** `TSC_CHECK_…` */
  readonly code: string;
  readonly level: Level;
  /** One sentence: what is wrong in general. */
  readonly title: string;
  /** What to do about it. */
  readonly help: string;
  readonly find: (context: CheckContext) => readonly Complaint[];
}
