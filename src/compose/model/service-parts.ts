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

export type DependencyCondition = "service_started" | "service_healthy" | "service_completed_successfully";
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

export interface Extends {
  readonly file?: string;
  readonly service?: string;
}

/** How `extends` is read. */
export const EXTENDS = structOf<Extends>({
  file: "string",
  service: "string",
});

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

export interface Logging extends Extensible {
  readonly driver?: string;
  readonly options?: StringMap;
}

/** How `logging` is read. */
export const LOGGING = structOf<Logging>({
  driver: "string",
  options: "map",
});

export interface Provider extends Extensible {
  readonly type: string;
  readonly options?: Readonly<Record<string, readonly string[]>>;
}

/** How a provider is read. */
export const PROVIDER = structOf<Provider>({
  type: "string",
  options: "options",
});

export interface ServiceModel extends Extensible {
  readonly endpoint_var?: string;
  readonly model_var?: string;
}

/** How the use of a model is read. */
export const SERVICE_MODEL = structOf<ServiceModel>({
  endpoint_var: "string",
  model_var: "string",
});
