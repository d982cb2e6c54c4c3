/**
 * The plan: operations as plain data, what each waits for and why it is there, and their text. Must not look at the engine and
 * must not decide anything; reconcilers decide, the executor obeys.
 */

import type { DependencyCondition, Hook, Provider } from "../compose/model.js";
import type { BuildRequest } from "../engine/api.js";
import type { ContainerSpec, NetworkAttachment, NetworkSpec, VolumeSpec } from "../engine/types.js";

/** A container by its final name; without an id it is made by this plan. */
export interface ContainerTarget {
  readonly name: string;
  readonly id?: string;
  readonly service: string;
}

/** A hook command run inside a container. */
export interface HookRun {
  readonly service: string;
  readonly commands: readonly Hook[];
}

interface Base {
  /** Position in the plan, from 1; stable for the same input. */
  readonly id: number;
  /** `container web-1`, `network default`: what the operation is about, in the words of the compose file. */
  readonly resource: string;
  /** Why it is in the plan. */
  readonly cause: string;
  /** Ids that must have succeeded before. */
  readonly dependsOn: readonly number[];
  /** Ids that must have ended before, well or badly (optional dependencies). */
  readonly after?: readonly number[];
}

/** What an operation does, by its kind. */
export type OperationBody =
  | {
      readonly kind: "pull-image";
      readonly image: string;
      readonly services: readonly string[];
      readonly platform?: string;
      /** A failure is only told, because the image can be built (or failures are to be ignored). */
      readonly tolerant?: boolean;
      readonly quiet?: boolean;
    }
  | { readonly kind: "skip-image"; readonly image: string; readonly text: string }
  | {
      readonly kind: "push-image";
      readonly image: string;
      readonly tolerant?: boolean;
      readonly quiet?: boolean;
    }
  | {
      readonly kind: "build-image";
      readonly service: string;
      readonly image: string;
      readonly request: Omit<BuildRequest, "onProgress" | "signal">;
      /** Platforms to build it for besides the request's. */
      readonly alsoFor?: readonly string[];
      readonly quiet?: boolean;
    }
  | { readonly kind: "remove-image"; readonly image: string }
  | { readonly kind: "create-network"; readonly spec: NetworkSpec }
  | {
      readonly kind: "remove-network";
      readonly name: string;
      /** Only told when it is still in use (down). */
      readonly tolerant?: boolean;
    }
  | { readonly kind: "connect-network"; readonly container: ContainerTarget; readonly attachment: NetworkAttachment }
  | { readonly kind: "disconnect-network"; readonly container: ContainerTarget; readonly network: string }
  | { readonly kind: "create-volume"; readonly spec: VolumeSpec }
  | { readonly kind: "remove-volume"; readonly name: string; readonly tolerant?: boolean }
  | {
      readonly kind: "create-container";
      /** `name` is the final one; `spec.name` differs while the container that it replaces still exists. */
      readonly container: ContainerTarget;
      readonly spec: ContainerSpec;
      readonly replaces?: string;
    }
  | { readonly kind: "rename-container"; readonly container: ContainerTarget }
  | { readonly kind: "keep-container"; readonly container: ContainerTarget; readonly state: string }
  | {
      readonly kind: "start-container";
      readonly container: ContainerTarget;
      readonly postStart?: HookRun;
    }
  | {
      readonly kind: "stop-container";
      readonly container: ContainerTarget;
      readonly timeoutMs?: number;
      readonly preStop?: HookRun;
      /** Part of a replacement: told as that. */
      readonly silent?: boolean;
    }
  | {
      readonly kind: "restart-container";
      readonly container: ContainerTarget;
      readonly timeoutMs?: number;
      readonly preStop?: HookRun;
      readonly postStart?: HookRun;
    }
  | {
      readonly kind: "remove-container";
      readonly container: ContainerTarget;
      readonly force?: boolean;
      readonly volumes?: boolean;
      readonly silent?: boolean;
    }
  | { readonly kind: "kill-container"; readonly container: ContainerTarget; readonly signal: string }
  | { readonly kind: "pause-container"; readonly container: ContainerTarget }
  | { readonly kind: "unpause-container"; readonly container: ContainerTarget }
  | {
      readonly kind: "run-hook";
      readonly service: string;
      /** `pre_start[1]`. */
      readonly hook: string;
      readonly spec: ContainerSpec;
    }
  | {
      readonly kind: "wait-service";
      readonly service: string;
      readonly containers: readonly ContainerTarget[];
      readonly condition: DependencyCondition | "service_running_or_healthy";
      /** A failure is only told. */
      readonly required: boolean;
    }
  | {
      readonly kind: "run-provider";
      readonly service: string;
      readonly provider: Provider;
      readonly action: "up" | "stop" | "down";
      /** Services whose containers get the variables that the provider sets. */
      readonly dependents: readonly string[];
      /** Variables that a dependent sets itself, by dependent: overriding one is told. */
      readonly overridden?: Readonly<Record<string, readonly string[]>>;
    };

/** One step of a plan. */
export type Operation = Base & OperationBody;
/** One member of the operation union. */
export type OperationOf<K extends Operation["kind"]> = Extract<Operation, { readonly kind: K }>;

/** What to do, in an order that satisfies every `dependsOn`; and what the person should be told before. */
export interface Plan {
  readonly project: string;
  readonly operations: readonly Operation[];
  readonly warnings: readonly string[];
}

/** Collects operations and gives them their ids. Lives while one plan is made. */
export class PlanBuilder {
  readonly #operations: Operation[] = [];
  readonly #warnings = new Set<string>();
  readonly #project: string;

  constructor(project: string) {
    this.#project = project;
  }

  /** Adds an operation; its id. Ids in `dependsOn` are deduplicated and sorted. */
  add(
    about: {
      readonly resource: string;
      readonly cause: string;
      readonly dependsOn?: Iterable<number>;
      readonly after?: Iterable<number>;
    },
    body: OperationBody,
  ): number {
    const id = this.#operations.length + 1;
    const dependsOn = sortedIds(about.dependsOn ?? []);
    const after = sortedIds(about.after ?? []).filter((other) => !dependsOn.includes(other));
    this.#operations.push({
      id,
      resource: about.resource,
      cause: about.cause,
      dependsOn,
      ...(after.length > 0 ? { after } : {}),
      ...body,
    });
    return id;
  }

  warn(message: string): void {
    this.#warnings.add(message);
  }

  build(): Plan {
    return { project: this.#project, operations: this.#operations, warnings: [...this.#warnings] };
  }
}

function sortedIds(ids: Iterable<number>): number[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}

/** True when carrying the plan out changes nothing. */
export function isEmpty(plan: Plan): boolean {
  return plan.operations.every(({ kind }) => kind === "keep-container" || kind === "skip-image");
}

/**
 * One line per operation: `#4 start container web-1: just created (after #2 #3)`. This is what `--dry-run` prints and what tests
 * compare.
 */
export function formatPlan(plan: Plan): string {
  return plan.operations.map((operation) => `${formatOperation(operation)}\n`).join("");
}

/** The line of one operation. */
export function formatOperation(operation: Operation): string {
  const waits = [...operation.dependsOn.map((id) => `#${id}`), ...(operation.after ?? []).map((id) => `#${id}?`)].join(
    " ",
  );
  return `#${operation.id} ${verb(operation)} ${operation.resource}: ${operation.cause}${waits === "" ? "" : ` (after ${waits})`}`;
}

function verb(operation: Operation): string {
  switch (operation.kind) {
    case "wait-service":
      return `wait for ${operation.condition.replace("service_", "").replaceAll("_", " ")}`;
    case "connect-network":
      return `connect network ${operation.attachment.network} to`;
    case "disconnect-network":
      return `disconnect network ${operation.network} from`;
    case "run-hook":
      return "run";
    case "run-provider":
      return `${operation.action} provider of`;
    default:
      return operation.kind.slice(0, operation.kind.indexOf("-"));
  }
}
