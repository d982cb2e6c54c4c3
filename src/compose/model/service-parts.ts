/** Small structs of a service. */
import { structOf } from "./kinds.js";
import type { Extensible, SoftHard, StringMap } from "./values.js";

/** How a pair of limits is read. */
export const SOFT_HARD = structOf<SoftHard>({
  soft: "int",
  hard: "int",
});

interface BlkioWeight {
  readonly path: string;
  readonly weight?: number;
}
/** `rate` is bytes (bps) or operations (iops) a second, as a decimal string. */
interface BlkioRate {
  readonly path: string;
  readonly rate: string;
}
/** Shares and limits of block devices, each named by its path on the host. */
export interface BlkioConfig extends Extensible {
  readonly weight?: number;
  readonly weight_device?: readonly BlkioWeight[];
  readonly device_read_bps?: readonly BlkioRate[];
  readonly device_read_iops?: readonly BlkioRate[];
  readonly device_write_bps?: readonly BlkioRate[];
  readonly device_write_iops?: readonly BlkioRate[];
}

const RATE = structOf<BlkioRate>({ path: "string!!", rate: "bytes!!" });
/** How `blkio_config` is read. */
export const BLKIO = structOf<BlkioConfig>({
  weight: "uint",
  weight_device: { list: structOf<BlkioWeight>({ path: "string!!", weight: "uint!!" }) },
  device_read_bps: { list: RATE },
  device_read_iops: { list: RATE },
  device_write_bps: { list: RATE },
  device_write_iops: { list: RATE },
});
/** For containers of Windows: read, printed, and told to have no effect (`attributes/limits.ts`). */
export interface CredentialSpec extends Extensible {
  readonly config?: string;
  readonly file?: string;
  readonly registry?: string;
}

/** How `credential_spec` is read. */
export const CREDENTIAL_SPEC = structOf<CredentialSpec>({
  config: "string",
  file: "string",
  registry: "string",
});

/** What a dependency must have come to first: it has been started, it is healthy, or it has ended with 0. */
export type DependencyCondition = "service_started" | "service_healthy" | "service_completed_successfully";
/** What a service needs of another one. With `restart` that one's restart is its own as well; without `required` a failure is a warning. */
export interface Dependency extends Extensible {
  readonly condition: DependencyCondition;
  readonly restart?: boolean;
  readonly required: boolean;
}

/** How a dependency is read. */
export const DEPENDENCY = structOf<Dependency>({
  condition: "string",
  restart: "bool",
  required: "bool!",
});

/** A device of the host in the container; `target` is the same path and `permissions` are `rwm` unless written. */
export interface DeviceMapping extends Extensible {
  /** A path, or a CDI name `vendor/class=name`. */
  readonly source?: string;
  readonly target?: string;
  readonly permissions?: string;
}

/** How a device is read. */
export const DEVICE = structOf<DeviceMapping>({
  source: "string",
  target: "string",
  permissions: "string",
});

/** Which service is the base, of which file. A base is merged in while loading: the model keeps this only where it was empty. */
export interface Extends {
  readonly file?: string;
  readonly service?: string;
}

/** How `extends` is read. */
export const EXTENDS = structOf<Extends>({
  file: "string",
  service: "string",
});

/** `test` begins with NONE, CMD or CMD-SHELL (a text is CMD-SHELL's); the times are Go durations. */
export interface HealthcheckConfig extends Extensible {
  readonly test?: readonly string[];
  readonly timeout?: string;
  readonly interval?: string;
  readonly retries?: number;
  readonly start_period?: string;
  readonly start_interval?: string;
  readonly disable?: boolean;
}

/** How a health check is read. */
export const HEALTHCHECK = structOf<HealthcheckConfig>({
  test: "test",
  timeout: "duration!",
  interval: "duration!",
  retries: "uint!",
  start_period: "duration!",
  start_interval: "duration!",
  disable: "bool",
});

/** Where the output of a service's containers is kept; the engine judges driver and options. */
export interface Logging extends Extensible {
  readonly driver?: string;
  readonly options?: StringMap;
}

/** How `logging` is read. */
export const LOGGING = structOf<Logging>({
  driver: "string",
  options: "map",
});

/** A program that stands for the service in place of containers; an option may have several values. docker compose's protocol. */
export interface Provider extends Extensible {
  readonly type: string;
  readonly options?: Readonly<Record<string, readonly string[]>>;
}

/** How a provider is read. */
export const PROVIDER = structOf<Provider>({
  type: "string",
  options: "options",
});

/** The variables that would tell a service of a model: the plan refuses them (`attributes/limits.ts`). */
export interface ServiceModel extends Extensible {
  readonly endpoint_var?: string;
  readonly model_var?: string;
}

/** How the use of a model is read. */
export const SERVICE_MODEL = structOf<ServiceModel>({
  endpoint_var: "string",
  model_var: "string",
});
