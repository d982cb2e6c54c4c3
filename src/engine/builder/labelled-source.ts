/** What steps bind under SELinux: the host's files as they are, shown with the label that containers may use. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { labelForAll, parseContext } from "../selinux/index.js";
import { openScratch } from "../storage/index.js";
import type { BuildDeps } from "./deps.js";

/** `root`, or a view of it that `stack` takes away; nothing of it is labelled on disk. */
export async function labelledSource(
  { ctx: { kernel, paths } }: Pick<BuildDeps, "ctx">,
  root: string,
  stack: AsyncDisposableStack,
): Promise<string> {
  const label = labelForAll();
  if (label === undefined) return root;
  using lower = kernel.openInRoot("/", root);
  if (parseContext(kernel.fileLabel(lower) ?? "")?.type === parseContext(label)?.type) return root;
  const scratch = openScratch(kernel, join(paths.storage, "tmp")).folder().path;
  const [empty, merged] = [join(scratch, "empty"), join(scratch, "merged")];
  for (const folder of [empty, merged]) mkdirSync(folder, { mode: 0o755 });
  stack.defer(async () => {
    kernel.unmount(merged, { detach: true });
    await kernel.removeTree(scratch);
  });
  await kernel.mountOverlay({
    // one lower folder alone is refused
    lower: [lower.path, empty],
    target: merged,
    userxattr: kernel.isRootless,
    context: label,
  });
  return merged;
}
