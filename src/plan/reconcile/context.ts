/** What the reconcilers of one `up` share: input, options and the plan under construction. Data only. */
import type { Project, Service } from "../../compose/model.js";
import type { Separator } from "../names.js";
import type { Observed } from "../observe.js";
import type { PlanBuilder } from "../plan.js";
import type { OwnFates } from "./fate.js";
import type { PortChooser } from "./port-chooser.js";

/** When containers that are there are replaced. */
export type Recreate = "diverged" | "force" | "never";

/** What `up` is told besides the project. */
export interface UpOptions {
  /** Services named by the person; empty means all of the project. */
  readonly targets?: readonly string[];
  readonly recreate?: Recreate;
  /** For services that are there only as dependencies of targets. */
  readonly recreateDependencies?: Recreate;
  readonly scale?: ReadonlyMap<string, number>;
  /** False for `create` and `--no-start`. */
  readonly start?: boolean;
  readonly removeOrphans?: boolean;
  readonly ignoreOrphans?: boolean;
  readonly renewAnonymousVolumes?: boolean;
  readonly timeoutMs?: number;
  readonly separator?: Separator;
  /** End with a wait until every service is running or healthy. */
  readonly wait?: boolean;
  /** Providers were called by an earlier plan of this command. */
  readonly skipProviders?: boolean;
  readonly noHosts?: boolean;
  /** Asked before data is lost; the default answer is no. */
  readonly confirm: (question: string) => boolean | Promise<boolean>;
}

/** What the decisions of one `up` share. */
export interface Reconciliation {
  readonly project: Project;
  readonly observed: Observed;
  readonly options: UpOptions;
  readonly plan: PlanBuilder;
}

/** One service with everything decided before it. */
export interface ServiceContext {
  readonly rec: Reconciliation;
  readonly service: string;
  readonly config: Service;
  readonly scale: number;
  readonly fates: OwnFates;
  readonly replacedVolumes: ReadonlySet<string>;
  readonly ports: PortChooser;
}
