/** Facts of the engine under the names that docker's `info` and `version` give them, for scripts that ask by template. Pure. */
import { basename } from "node:path";
import type { SystemInfo } from "../../engine/api.js";
import { VERSION } from "../version.js";
import type { Row } from "./rows.js";

/** The engine release whose features are here, and its API: scripts compare them. There is no server. */
const DOCKER_VERSION = "28.5.2";
const API_VERSION = "1.51";
const ARCHITECTURES: Readonly<Record<string, { readonly machine: string; readonly go: string }>> = {
  x64: { machine: "x86_64", go: "amd64" },
  arm64: { machine: "aarch64", go: "arm64" },
};

/** `docker info`'s fields, as far as they mean something here. */
export function dockerInfo(info: SystemInfo): Row {
  const runtime = basename(info.ociRuntime);
  return {
    ServerVersion: DOCKER_VERSION,
    Containers: info.containers,
    ContainersRunning: info.containersRunning - info.containersPaused,
    ContainersPaused: info.containersPaused,
    ContainersStopped: info.containers - info.containersRunning,
    Images: info.images,
    Driver: info.storageDriver,
    // by these words scripts learn whether one image name may hold several platforms: here it may, as in containerd's store
    DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]],
    LoggingDriver: "json-file",
    CgroupDriver: info.cgroupManager,
    CgroupVersion: info.cgroups === "v2" ? "2" : "1",
    KernelVersion: info.kernel,
    OperatingSystem: info.operatingSystem,
    OSType: "linux",
    Architecture: ARCHITECTURES[info.architecture]?.machine ?? info.architecture,
    NCPU: info.cpus,
    MemTotal: info.memoryBytes,
    DockerRootDir: info.root,
    Name: info.hostname,
    DefaultRuntime: runtime,
    Runtimes: { [runtime]: { path: info.ociRuntime } },
    SecurityOptions: ["name=seccomp,profile=builtin", ...(info.rootless ? ["name=rootless"] : [])],
    Swarm: { LocalNodeState: "inactive" },
    Warnings: info.warnings,
  };
}

/** `docker version`'s fields: this program is both client and server. */
export function dockerVersion(info: SystemInfo): Row {
  const half = {
    Version: DOCKER_VERSION,
    Platform: { Name: `tscompose ${VERSION}` },
    APIVersion: API_VERSION,
    ApiVersion: API_VERSION,
    Os: "linux",
    Arch: ARCHITECTURES[info.architecture]?.go ?? info.architecture,
    KernelVersion: info.kernel,
  };
  return { Client: half, Server: half };
}
