/** Volumes and tmpfs of a service as engine mounts. Pure. */
import type { Project, Service, ServiceVolume } from "../../compose/model.js";
import type { MountSpec, TmpfsMount } from "../../engine/types.js";
import { given } from "../../lib/given.js";
import { LABEL } from "../labels.js";
import { volumeName } from "../names.js";
import { bytes } from "./resources.js";
import { type AttributePath, invalid, ServiceError } from "./service-error.js";

/** In the order written; tmpfs last. */
export function mountSpecs(project: Project, service: string, config: Service): MountSpec[] {
  return [
    ...(config.volumes ?? []).map((volume, index) => mountSpec(project, service, volume, index)),
    ...(config.tmpfs ?? []).map((text) => tmpfsMount(service, text)),
  ];
}

function mountSpec(project: Project, service: string, volume: ServiceVolume, index: number): MountSpec {
  const target = volume.target ?? "";
  const source = volume.source ?? "";
  const path = ["volumes", index];
  if (target === "") throw invalid(service, "volumes.target", source, path);
  if (!target.startsWith("/")) throw relativeTarget(service, source, target, path);
  const readOnly = given({ readOnly: volume.read_only === true ? true : undefined });
  switch (volume.type) {
    case "bind": {
      const recursive = volume.bind?.recursive;
      if (recursive !== undefined && !isRecursive(recursive))
        throw invalid(service, "volumes.bind.recursive", recursive, path);
      const selinux = volume.bind?.selinux;
      return {
        type: "bind",
        source,
        target,
        ...readOnly,
        ...given({ propagation: volume.bind?.propagation }),
        ...(volume.bind?.create_host_path === false ? {} : { createHostPath: true }),
        ...given({ recursive }),
        ...(selinux === "z" || selinux === "Z" ? { selinux } : {}),
      };
    }
    case "volume":
      return {
        type: "volume",
        // A name that is no volume of the project (`run -v data:/x`) is meant as it stands.
        source: project.volumes[source] === undefined ? source : volumeName(project, source, project.volumes[source]),
        target,
        ...readOnly,
        ...given({
          noCopy: volume.volume?.nocopy === true ? true : undefined,
          subpath: volume.volume?.subpath,
        }),
        ...(source === ""
          ? { labels: { ...volume.volume?.labels, [LABEL.project]: project.name } }
          : given({ labels: volume.volume?.labels })),
      };
    case "tmpfs":
      return {
        type: "tmpfs",
        target,
        ...given({
          sizeBytes: bytes(service, "volumes.tmpfs.size", volume.tmpfs?.size),
          mode: volume.tmpfs?.mode,
        }),
        ...readOnly,
      };
    case "image":
      return { type: "image", source, target, ...given({ subpath: volume.image?.subpath }) };
    default:
      // the limits of the attribute refuse the other types
      throw invalid(service, "volumes.type", volume.type, path);
  }
}

/** `d:/data` is all target: a letter before a colon is read as a drive, as docker compose reads it. */
function relativeTarget(service: string, source: string, target: string, path: AttributePath): ServiceError {
  const isDrive = [source, target].some((text) => /^\p{L}:/u.test(text));
  const message = `service "${service}": invalid mount path ${JSON.stringify(target)}: it must be absolute`;
  return new ServiceError("TSC_SERVICE_INVALID", message, path, {
    hint: isDrive
      ? "one letter before a colon is read as a Windows drive: give the volume a longer name, or use the long form (type, source, target)"
      : "write the path inside the container, from / on",
  });
}

/** `/run:size=64m,mode=1777,noexec`. */
function tmpfsMount(service: string, text: string): TmpfsMount {
  const [target = "", options = ""] = splitOnce(text, ":");
  let sizeBytes: number | undefined;
  let mode: number | undefined;
  let readOnly = false;
  const raw: string[] = [];
  for (const option of options.split(",").filter((part) => part !== "")) {
    const [key = "", value = ""] = splitOnce(option, "=");
    if (key === "size" && /^\d+[bkmgt]?b?$/i.test(value)) sizeBytes = withUnit(value);
    else if (key === "mode") {
      if (!/^[0-7]{1,5}$/.test(value)) throw invalid(service, "tmpfs", text);
      mode = Number.parseInt(value, 8);
    } else if (key === "ro") readOnly = true;
    else if (key !== "rw") raw.push(option);
  }
  return {
    type: "tmpfs",
    target,
    ...given({ sizeBytes, mode }),
    ...(raw.length > 0 ? { options: raw } : {}),
    ...(readOnly ? { readOnly: true } : {}),
  };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function withUnit(text: string): number {
  const power = { b: 0, k: 1, m: 2, g: 3, t: 4 }[text.replace(/^\d+/, "").charAt(0).toLowerCase()] ?? 0;
  return Number.parseInt(text, 10) * 1024 ** power;
}

function isRecursive(text: string): text is "enabled" | "disabled" | "writable" | "readonly" {
  return text === "enabled" || text === "disabled" || text === "writable" || text === "readonly";
}
