/** The engine as callers see it: interfaces only. `openEngine` in `open.ts` returns the real one. */

export type { BuildRequest, Entitlement, SshForward } from "./api/build.js";
export type { ContainersApi } from "./api/containers.js";
export type { EngineApi, EngineOptions } from "./api/engine.js";
export type { LabelFilter } from "./api/filter.js";
export type { ArtifactFile, ArtifactRequest, ImagesApi, PullOptions } from "./api/images.js";
export type { LoginsApi, LoginTarget } from "./api/logins.js";
export type { EventsApi, SecurityFinding, SystemInfo } from "./api/report.js";
export type { DiskApi, NetworksApi, VolumesApi } from "./api/resources.js";
