/** Digests and chain ids (image-spec descriptor.md#digests, config.md#layer-chainid). Pure. */
import { createHash } from "node:crypto";
import { TscError } from "../../lib/errors.js";
import { printable } from "../../lib/printable.js";

/** True for `sha256:` and 64 lowercase hex digits: the only digests that may become part of a path or URL (CVE-2024-3727). */
export function isDigest(text: unknown): text is string {
  return typeof text === "string" && /^sha256:[0-9a-f]{64}$/.test(text);
}

/** `text` when it is a digest; else `TSC_IMAGE_DIGEST_INVALID` naming `what`. */
export function checkDigest(text: unknown, what: string): string {
  if (isDigest(text)) return text;
  throw new TscError("TSC_IMAGE_DIGEST_INVALID", `${what}: invalid digest "${printable(String(text), 100)}"`, {
    kind: "invalid-input",
    hint: "only sha256 digests are supported",
  });
}

/** The hex digits of a digest. */
export function digestHex(digest: string): string {
  return digest.slice("sha256:".length);
}

/** `sha256:…` of bytes. */
export function digestOf(data: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** Chain id of a stack of layers, base first; "" for none. */
export function chainIdOf(diffIds: readonly string[]): string {
  return chainIdsOf(diffIds).at(-1) ?? "";
}

/** Chain ids of every prefix of the stack, base first. */
export function chainIdsOf(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const parent = chain.at(-1);
    chain.push(parent === undefined ? diffId : digestOf(`${parent} ${diffId}`));
  }
  return chain;
}
