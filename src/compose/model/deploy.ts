/** How many containers a service has, and what they may take. */
import { structOf } from "./kinds.js";
import type { Extensible, StringMap } from "./values.js";

/** Devices by what they can do (`gpus`, `deploy.resources.reservations.devices`); without `device_ids` and `count` it asks for all. */
export interface DeviceRequest extends Extensible {
  readonly capabilities?: readonly string[];
  readonly driver?: string;
  /** -1 is all. */
  readonly count?: number;
  readonly device_ids?: readonly string[];
  readonly options?: StringMap;
}

/** How a request for devices is read. */
export const DEVICE_REQUEST = structOf<DeviceRequest>({
  capabilities: "strings",
  driver: "string",
  count: "count",
  device_ids: "strings",
  options: "map",
});

interface DiscreteResource {
  readonly kind: string;
  readonly value: number;
}
interface GenericResource {
  readonly discrete_resource_spec?: DiscreteResource;
}
/** One side of `deploy.resources`: `cpus` is a number of processors, `memory` a decimal string of bytes. */
export interface Resource extends Extensible {
  readonly cpus?: number;
  readonly memory?: string;
  readonly pids?: number;
  readonly devices?: readonly DeviceRequest[];
  readonly generic_resources?: readonly GenericResource[];
}

const GENERIC = structOf<GenericResource>({
  discrete_resource_spec: { one: structOf<DiscreteResource>({ kind: "string!!", value: "int!!" }) },
});
const RESOURCE = structOf<Resource>({
  cpus: "float",
  memory: "bytes",
  pids: "int",
  devices: { list: DEVICE_REQUEST },
  generic_resources: { list: GENERIC },
});

/** `deploy.resources`: the same as the short attributes (`cpus`, `mem_limit` …), which may not contradict it. */
export interface DeployResources extends Extensible {
  readonly limits?: Resource;
  readonly reservations?: Resource;
}

const RESOURCES = structOf<DeployResources>({
  limits: { one: RESOURCE },
  reservations: { one: RESOURCE },
});

/** How a cluster replaces containers: read, printed, and told to have no effect (`attributes/limits.ts`). */
export interface UpdateConfig extends Extensible {
  readonly parallelism?: number;
  readonly delay?: string;
  readonly failure_action?: string;
  readonly monitor?: string;
  readonly max_failure_ratio?: number;
  readonly order?: string;
}

const UPDATE = structOf<UpdateConfig>({
  parallelism: "uint!",
  delay: "duration",
  failure_action: "string",
  monitor: "duration",
  max_failure_ratio: "float",
  order: "string",
});

/** Wins over `restart`. `delay` and `window` are Go durations, and told to have no effect (`attributes/limits.ts`). */
export interface DeployRestartPolicy extends Extensible {
  readonly condition?: string;
  readonly delay?: string;
  readonly max_attempts?: number;
  readonly window?: string;
}

const RESTART_POLICY = structOf<DeployRestartPolicy>({
  condition: "string",
  delay: "duration!",
  max_attempts: "uint!",
  window: "duration!",
});

interface Preference {
  readonly spread?: string;
}
/** Where a cluster puts containers: read, printed, and told to have no effect (`attributes/limits.ts`). */
export interface Placement extends Extensible {
  readonly constraints?: readonly string[];
  readonly preferences?: readonly Preference[];
  readonly max_replicas_per_node?: number;
}

const PREFERENCE = structOf<Preference>({ spread: "string" });
const PLACEMENT = structOf<Placement>({
  constraints: "strings",
  preferences: { list: PREFERENCE },
  max_replicas_per_node: "uint",
});

/** `deploy` of a service. `replicas` counts where `scale` is not written; what needs a cluster is told (`attributes/limits.ts`). */
export interface Deploy extends Extensible {
  readonly mode?: string;
  readonly replicas?: number;
  readonly labels?: StringMap;
  readonly update_config?: UpdateConfig;
  readonly rollback_config?: UpdateConfig;
  readonly resources: DeployResources;
  readonly restart_policy?: DeployRestartPolicy;
  readonly placement: Placement;
  readonly endpoint_mode?: string;
}

/** How `deploy` is read. */
export const DEPLOY = structOf<Deploy>({
  mode: "string",
  replicas: "int!",
  labels: "map",
  update_config: { one: UPDATE },
  rollback_config: { one: UPDATE },
  resources: { always: RESOURCES },
  restart_policy: { one: RESTART_POLICY },
  placement: { always: PLACEMENT },
  endpoint_mode: "string",
});
