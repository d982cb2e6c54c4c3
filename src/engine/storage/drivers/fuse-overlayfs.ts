/** fuse-overlayfs: for kernels or filesystems where native overlay cannot be mounted. One daemon per mount. */
import type { ChildProcess } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import type { Kernel } from "../../../kernel/kernel.js";
import { TscError } from "../../../lib/errors.js";
import { printable } from "../../../lib/printable.js";
import type { Driver } from "./driver.js";
import { makeOverlayFolders } from "./overlay.js";

const SEARCH = ["/usr/bin", "/usr/local/bin", "/bin"];

/** Path of an installed fuse-overlayfs, when /dev/fuse can be opened as well. */
export function findFuseOverlayfs(): string | undefined {
  try {
    accessSync("/dev/fuse", constants.R_OK | constants.W_OK);
  } catch {
    return undefined;
  }
  return SEARCH.map((folder) => join(folder, "fuse-overlayfs")).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The fuse-overlayfs driver, with the program at `program`. */
export function fuseOverlayfsDriver(kernel: Kernel, rootless: boolean, empty: string, program: string): Driver {
  const run = async (options: string[], target: string) => {
    const child = kernel.spawn(program, ["-o", options.join(","), target], { stdio: ["ignore", "ignore", "pipe"] });
    await succeeded(child, `fuse-overlayfs on ${target}`);
  };
  const lowerOption = (lower: readonly string[]) =>
    `lowerdir=${(lower.length === 0 ? [empty] : lower).map(escapeOption).join(":")}`;
  return {
    name: "fuse-overlayfs",
    whiteouts: rootless ? "user" : "trusted",
    cumulative: false,
    async prepare(folder, lower) {
      makeOverlayFolders(kernel, folder, lower);
    },
    async mount({ lower, folder, target, context }) {
      const upper = `upperdir=${escapeOption(join(folder, "upper"))}`;
      await run(
        [lowerOption(lower), upper, `workdir=${escapeOption(join(folder, "work"))}`, ...labelOption(context)],
        target,
      );
    },
    async mountReadOnly(lower, target, context) {
      await run(["ro", lowerOption(lower), ...labelOption(context)], target);
    },
    upperDir: (folder) => join(folder, "upper"),
    writableDir: (folder) => join(folder, "upper"),
    async seedLayer() {},
  };
}

function labelOption(context: string | undefined): string[] {
  return context === undefined ? [] : [`context="${escapeOption(context)}"`];
}

function escapeOption(path: string): string {
  return path.replace(/[\\:,]/g, "\\$&");
}

/** Resolves when the program ended with 0; otherwise `TSC_STORAGE_HELPER` with the end of its stderr. */
export async function succeeded(child: ChildProcess, what: string): Promise<void> {
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(-2000);
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    // "close" would wait for the daemon, which keeps stderr open
    child.once("exit", (exitCode, signal) => resolve(signal === null ? (exitCode ?? 1) : 128));
  });
  child.stderr?.destroy();
  if (code !== 0)
    throw new TscError("TSC_STORAGE_HELPER", `${what} failed: ${printable(text)}`, { kind: "unavailable" });
}
