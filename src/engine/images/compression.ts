/** Compression recognised by its magic number, never by what a media type claims. Pure. */
import { TscError } from "../../lib/errors.js";

/** How a layer's tar is packed. */
export type Compression = "none" | "gzip" | "zstd";

/** What the first bytes of a stream say (4 suffice); `TSC_IMAGE_COMPRESSION` for xz and bzip2. */
export function detectCompression(start: Uint8Array, what: string): Compression {
  const startsWith = (...bytes: number[]) => bytes.every((byte, i) => start[i] === byte);
  if (startsWith(0x1f, 0x8b)) return "gzip";
  if (
    startsWith(0x28, 0xb5, 0x2f, 0xfd) ||
    (isSkippable(start[0]) && start[1] === 0x2a && start[2] === 0x4d && start[3] === 0x18)
  ) {
    return "zstd";
  }
  if (startsWith(0xfd, 0x37, 0x7a, 0x58)) throw unsupported(what, "xz");
  if (startsWith(0x42, 0x5a, 0x68)) throw unsupported(what, "bzip2");
  return "none";
}

/** zstd:chunked may begin with a skippable frame (RFC 8878 §3.1.2). */
function isSkippable(first: number | undefined): boolean {
  return first !== undefined && first >= 0x50 && first <= 0x5f;
}

function unsupported(what: string, name: string): TscError {
  return new TscError("TSC_IMAGE_COMPRESSION", `${what} is compressed with ${name}, which is not supported`, {
    kind: "unsupported",
  });
}
