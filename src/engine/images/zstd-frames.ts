/**
 * Cuts a zstd stream at its frame ends (RFC 8878 §3.1.1) and drops skippable frames. Node's decompressor forgets what follows a
 * frame's end within one write, and layers may have thousands of frames (zstd:chunked). Decompresses nothing.
 */
import { TscError } from "../../lib/errors.js";

/** Cuts a stream of zstd frames at their ends (RFC 8878). */
export interface FrameSplitter {
  /** The pieces of `chunk` to decompress, in order; no piece holds bytes of two frames. */
  split(chunk: Buffer): Buffer[];
  /** `TSC_IMAGE_COMPRESSION` when the stream ended within a frame. */
  finish(): void;
}

const MAGIC = 0xfd2fb528;

function damaged(): TscError {
  return new TscError("TSC_IMAGE_COMPRESSION", "zstd stream is damaged", { kind: "invalid-input" });
}

/** A splitter for one stream. */
export function createFrameSplitter(): FrameSplitter {
  /** What the bytes collected in `field` will be, once there are `want` of them. */
  let state: "magic" | "skip-size" | "descriptor" | "block" | "pass" = "magic";
  let field = Buffer.alloc(0);
  let want = 4;
  /** Bytes to pass on (or drop) before the next field, and what comes then. */
  let rest = 0;
  let next: "magic" | "block" = "magic";
  let isSkipped = false;
  let hasChecksum = false;

  const expect = (what: typeof state, size: number) => {
    state = what;
    want = size;
    field = Buffer.alloc(0);
  };
  const pass = (size: number, then: "magic" | "block") => {
    state = "pass";
    rest = size;
    next = then;
  };
  /** Acts on a complete field. */
  const read = () => {
    switch (state) {
      case "magic": {
        const magic = field.readUInt32LE();
        isSkipped = magic >= 0x184d2a50 && magic <= 0x184d2a5f;
        if (isSkipped) expect("skip-size", 4);
        else if (magic === MAGIC) expect("descriptor", 1);
        else throw damaged();
        return;
      }
      case "skip-size":
        pass(field.readUInt32LE(), "magic");
        return;
      case "descriptor": {
        const descriptor = field[0] ?? 0;
        const isSingle = (descriptor & 0x20) !== 0;
        hasChecksum = (descriptor & 0x04) !== 0;
        const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
        const contentSize = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
        pass((isSingle ? 0 : 1) + dictionary + contentSize, "block");
        return;
      }
      case "block": {
        const header = field.readUIntLE(0, 3);
        const type = (header >> 1) & 3;
        if (type === 3) throw damaged();
        const isLast = (header & 1) === 1;
        const size = type === 1 ? 1 : header >> 3;
        pass(size + (isLast && hasChecksum ? 4 : 0), isLast ? "magic" : "block");
        return;
      }
    }
  };

  return {
    split(chunk) {
      const pieces: Buffer[] = [];
      let start = 0;
      let at = 0;
      const emit = (end: number) => {
        if (end > start) pieces.push(chunk.subarray(start, end));
        start = end;
      };
      for (;;) {
        if (state === "pass") {
          const taken = Math.min(rest, chunk.length - at);
          at += taken;
          rest -= taken;
          if (rest > 0) break;
          if (next === "magic") {
            if (isSkipped) start = at;
            else emit(at);
            expect("magic", 4);
          } else expect("block", 3);
          continue;
        }
        const taken = Math.min(want - field.length, chunk.length - at);
        const isHeaderOfUnknown = state === "magic" || state === "skip-size";
        field = Buffer.concat([field, chunk.subarray(at, at + taken)]);
        at += taken;
        if (isHeaderOfUnknown) start = at;
        if (field.length < want) break;
        const before = field;
        const wasMagic = state === "magic";
        read();
        // held back until it was known to be a real frame's
        if (wasMagic && !isSkipped) pieces.push(before);
      }
      if (!isSkipped && state !== "magic" && state !== "skip-size") emit(at);
      return pieces;
    },
    finish() {
      if (state !== "magic" || field.length > 0) throw damaged();
    },
  };
}

/** The pieces of a whole stream, for piping into a decompressor. */
export async function* zstdFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  const splitter = createFrameSplitter();
  for await (const chunk of source) yield* splitter.split(chunk);
  splitter.finish();
}
