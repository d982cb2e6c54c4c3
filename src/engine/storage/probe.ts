/** Chooses the storage driver by trying it in the store itself. The answer is kept per boot in the meta table. */
import { lstatSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, TscError } from "../../lib/errors.js";
import type { EngineContext } from "../context.js";
import { labelForAll } from "../selinux/index.js";
import { hasLayers } from "../state/layers.js";
import { metaOf, setMeta } from "../state/meta.js";
import type { Driver } from "./drivers/driver.js";
import { findFuseOverlayfs, fuseOverlayfsDriver } from "./drivers/fuse-overlayfs.js";
import { overlayDriver } from "./drivers/overlay.js";
import { vfsDriver } from "./drivers/vfs.js";
import type { Scratch } from "./scratch.js";

const META_KEY = "storage.driver";

interface Choice {
  readonly bootId: string;
  readonly driver: Driver["name"];
  readonly rootless: boolean;
  readonly reason: string;
}

/** The driver of this store. `TSC_STORAGE_DRIVER` when a forced or formerly used one does not work here. */
export async function chooseDriver(ctx: EngineContext, empty: string, scratch: Scratch): Promise<Driver> {
  const bootId = ctx.kernel.bootId();
  const kept = metaOf(ctx.state, META_KEY);
  const known = kept === undefined ? undefined : (JSON.parse(kept) as Choice);
  const forced = ctx.env.TSCOMPOSE_STORAGE_DRIVER;
  const isCurrent = known?.bootId === bootId && known.rootless === ctx.rootless;
  if (known !== undefined && isCurrent && (forced === undefined || forced === "" || forced === known.driver)) {
    const driver = makeDriver(ctx, empty, known.driver);
    if (driver !== undefined) return driver;
  }
  const isFilled = hasLayers(ctx.state);
  const mustCopy = isFilled && known?.driver === "vfs";
  const mustStack = isFilled && known !== undefined && known.driver !== "vfs";
  const reasons: string[] = [];
  for (const name of ["overlay", "fuse-overlayfs", "vfs"] as const) {
    if (forced !== undefined && forced !== "" && forced !== name) continue;
    if (mustCopy && name !== "vfs") continue;
    if (mustStack && name === "vfs") continue;
    const driver = makeDriver(ctx, empty, name);
    if (driver === undefined) {
      reasons.push(`${name}: not installed`);
      continue;
    }
    try {
      await tryDriver(ctx, driver, scratch);
    } catch (error) {
      reasons.push(`${name}: ${messageOf(error)}`);
      continue;
    }
    const choice: Choice = { bootId, driver: name, rootless: ctx.rootless, reason: reasons.join("; ") };
    setMeta(ctx.state, META_KEY, JSON.stringify(choice));
    if (name === "vfs" && forced !== "vfs") {
      ctx.warn(`storage copies whole layers, which is slow (${reasons.join("; ")})`);
    }
    return driver;
  }
  throw new TscError("TSC_STORAGE_DRIVER", `no storage driver works for ${ctx.paths.storage}: ${reasons.join("; ")}`, {
    kind: "unsupported",
    hint:
      mustCopy || mustStack
        ? "the store was made with another driver; remove it or bring that driver back"
        : "install fuse-overlayfs, or set TSCOMPOSE_STORAGE_DRIVER=vfs",
  });
}

function makeDriver(ctx: EngineContext, empty: string, name: string): Driver | undefined {
  switch (name) {
    case "overlay":
      return overlayDriver(ctx.kernel, ctx.rootless, empty);
    case "fuse-overlayfs": {
      const program = findFuseOverlayfs();
      return program === undefined ? undefined : fuseOverlayfsDriver(ctx.kernel, ctx.rootless, empty, program);
    }
    case "vfs":
      return vfsDriver(ctx.kernel);
    default:
      return undefined;
  }
}

/** Two layers, a write and a deletion through a real mount: what every container will do. */
async function tryDriver(ctx: EngineContext, driver: Driver, scratch: Scratch): Promise<void> {
  if (driver.name === "vfs") return;
  await using place = scratch.folder();
  const at = (name: string) => join(place.path, name);
  for (const name of ["one", "two", "container", "merged"]) mkdirSync(at(name));
  writeFileSync(join(at("one"), "a"), "a");
  writeFileSync(join(at("two"), "b"), "b");
  await driver.prepare(at("container"), [at("two"), at("one")]);
  await driver.mount({
    lower: [at("two"), at("one")],
    folder: at("container"),
    target: at("merged"),
    context: labelForAll(),
  });
  try {
    const seen = readFileSync(join(at("merged"), "a"), "utf8") + readFileSync(join(at("merged"), "b"), "utf8");
    writeFileSync(join(at("merged"), "c"), "c");
    unlinkSync(join(at("merged"), "a"));
    const isWhiteout = lstatSync(join(at("container"), "upper", "a")).isCharacterDevice();
    if (seen !== "ab" || !isWhiteout) throw new Error("the mounted tree is not the sum of its layers");
  } finally {
    ctx.kernel.unmount(at("merged"));
  }
}
