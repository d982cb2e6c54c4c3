/**
 * The engine's public vocabulary: plain data that callers pass in and get back. No behaviour here.
 * Words follow the OCI and CNI specifications. Times are ISO 8601 UTC strings with nanoseconds kept as
 * given; durations are milliseconds (`…Ms`); sizes are bytes (`…Bytes`). Nothing here knows compose.
 */
export type { ContainerInfo, ContainerSpec, ContainerState, HealthLogEntry, HealthState } from "./types/container.js";
export type { ContainerStats, EngineEvent, IdRange, MissingProgram } from "./types/facts.js";
export type { ImageConfig, ImageInfo, ProgressEvent, ProgressListener } from "./types/image.js";
export type {
  DeviceSpec,
  Healthcheck,
  LoggingSpec,
  NamespaceMode,
  Resources,
  RestartPolicy,
  Ulimit,
} from "./types/limits.js";
export type {
  BindMount,
  FileInjection,
  ImageMount,
  MountSpec,
  ResolvedMount,
  TmpfsMount,
  VolumeMount,
} from "./types/mounts.js";
export type {
  NetworkAttachment,
  NetworkEndpoint,
  NetworkInfo,
  NetworkMode,
  NetworkSpec,
  NetworkSubnet,
  PortMapping,
} from "./types/network.js";
export type { ExecSpec, LogLine, LogOptions, StdioSession } from "./types/session.js";
export type { VolumeInfo, VolumeSpec } from "./types/volume.js";
