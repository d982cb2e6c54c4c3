/** CDI devices (`vendor.com/class=name`): reads the specs that the machine's administrator installed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TscError } from "../../../lib/errors.js";
import { type DeviceSet, deviceNumbersOf } from "./devices.js";
import type { OciDevice, OciDeviceRule, OciMount } from "./types.js";

const FOLDERS = ["/etc/cdi", "/var/run/cdi"];

interface Edits {
  readonly deviceNodes?: readonly {
    readonly path: string;
    readonly hostPath?: string;
    readonly permissions?: string;
    readonly type?: string;
  }[];
  readonly mounts?: readonly {
    readonly hostPath: string;
    readonly containerPath: string;
    readonly options?: readonly string[];
  }[];
  readonly env?: readonly string[];
  readonly hooks?: readonly unknown[];
}
interface CdiSpec {
  readonly kind?: string;
  readonly devices?: readonly { readonly name?: string; readonly containerEdits?: Edits }[];
  readonly containerEdits?: Edits;
}

/** Nodes and mounts of the named devices. `TSC_CDI_DEVICE` when one is unknown or needs what we do not do (hooks, variables). */
export function cdiDevices(names: readonly string[]): DeviceSet {
  const specs = readSpecs();
  const nodes: OciDevice[] = [];
  const rules: OciDeviceRule[] = [];
  const mounts: OciMount[] = [];
  for (const name of names) {
    const [, kind = "", device = ""] = /^([^=]+)=(.+)$/.exec(name) ?? [];
    const spec = specs.find((candidate) => candidate.kind === kind);
    const found = spec?.devices?.find((candidate) => candidate.name === device);
    if (spec === undefined || found === undefined) {
      throw new TscError("TSC_CDI_DEVICE", `no CDI device ${JSON.stringify(name)}`, {
        kind: "not-found",
        hint: `CDI specs are read from ${FOLDERS.join(" and ")}`,
        exitCode: 125,
      });
    }
    for (const edits of [spec.containerEdits ?? {}, found.containerEdits ?? {}]) {
      if ((edits.hooks ?? []).length > 0 || (edits.env ?? []).length > 0) {
        throw new TscError("TSC_CDI_DEVICE", `CDI device ${name} needs hooks or variables, which are not supported`, {
          kind: "unsupported",
          exitCode: 125,
        });
      }
      for (const node of edits.deviceNodes ?? []) {
        const { major, minor } = deviceNumbersOf(node.hostPath ?? node.path);
        const type = node.type === "b" ? "b" : "c";
        nodes.push({ path: node.path, type, major, minor, fileMode: 0o666, uid: 0, gid: 0 });
        rules.push({ allow: true, type, major, minor, access: node.permissions ?? "rwm" });
      }
      for (const mount of edits.mounts ?? []) {
        mounts.push({
          destination: mount.containerPath,
          type: "bind",
          source: mount.hostPath,
          options: mount.options ?? ["rbind", "rprivate", "ro", "nosuid", "nodev"],
        });
      }
    }
  }
  return { nodes, rules, mounts };
}

function readSpecs(): CdiSpec[] {
  return FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => {
        try {
          return JSON.parse(readFileSync(join(folder, name), "utf8")) as CdiSpec;
        } catch (error) {
          throw new TscError("TSC_CDI_SPEC", `CDI spec ${join(folder, name)} is not JSON`, {
            kind: "invalid-input",
            cause: error,
          });
        }
      }),
  );
}
