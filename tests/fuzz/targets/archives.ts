/** Archives: `lib/tar.ts`, the image archive reader, zstd's frames. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTar } from "../../../src/engine/images/archive/tar-read.js";
import { createFrameSplitter } from "../../../src/engine/images/zstd-frames.js";
import { encodeTarHeader, readTar, TAR_END, type TarEntry, TarFormatError, tarPadding } from "../../../src/lib/tar.js";
import { promise, type Target } from "../target.js";
import { refusing, refusingLater } from "./refusal.js";

const WORDS = [
  ...[
    "path=",
    "linkpath=",
    "size=",
    "uid=",
    "mtime=",
    "SCHILY.xattr.user.a=",
    "ustar\0",
    "ustar  ",
    "../",
    "/",
    "\0",
    "\n",
    " ",
    "=",
  ],
  ...["x", "g", "L", "K", "0", "1", "2", "5", "7", "S", "__proto__", "constructor"],
];

/** Header sums made right again. */
function mend(data: Buffer): Buffer {
  const copy = Buffer.from(data);
  for (let at = 0; at + 512 <= copy.length; at += 512) {
    const block = copy.subarray(at, at + 512);
    if (block.toString("latin1", 257, 262) !== "ustar") continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  }
  return copy;
}

async function* pieces(data: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

async function entriesOf(data: Buffer, size: number): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  let bytes = 0;
  for await (const { entry, body } of readTar(pieces(data, size))) {
    entries.push(entry);
    // every second body is left alone, which skips it
    if (entries.length % 2 === 0) continue;
    for await (const chunk of body) bytes += chunk.length;
  }
  promise(bytes <= data.length, "no more content than there are bytes");
  promise(entries.length <= data.length / 512, "no more entries than there are blocks");
  return entries;
}

/** What an entry means whatever its header looks like. */
const meaning = ({ xattrs, ...entry }: TarEntry) =>
  JSON.stringify([entry, [...(xattrs ?? [])].map(([key, value]) => [key, value.toString("hex")]).sort()]);

/** Printed and read again, an entry with numbers that a tar can hold is the same. */
async function checkRoundTrip(entry: TarEntry): Promise<void> {
  const numbers = [entry.uid, entry.gid, entry.mtime, entry.devMajor ?? 0, entry.devMinor ?? 0];
  const isPlain = numbers.every((value) => Number.isSafeInteger(value) && value >= 0);
  const fits =
    isPlain && (entry.devMajor ?? 0) < 0o7777777 && (entry.devMinor ?? 0) < 0o7777777 && entry.mtime < 8 ** 11 - 1;
  const keys = [...(entry.xattrs ?? new Map<string, Buffer>()).keys()];
  if (
    !fits ||
    entry.size > 4096 ||
    keys.some((key) => /[=\0]/.test(key)) ||
    /\0/.test(entry.name + (entry.linkName ?? ""))
  )
    return;
  const printed = Buffer.concat([encodeTarHeader(entry), Buffer.alloc(entry.size), tarPadding(entry.size), TAR_END]);
  const [again] = await entriesOf(printed, 1 << 16);
  const name = entry.type === "directory" && !entry.name.endsWith("/") ? `${entry.name}/` : entry.name;
  promise(
    again !== undefined && meaning(again) === meaning({ ...entry, name }),
    `printed and read again it is ${meaning(again ?? entry)}, not ${meaning(entry)}`,
  );
}

export const tarReader: Target = {
  words: WORDS,
  mend,
  async run(data) {
    const whole = await refusingLater(() => entriesOf(data, 1 << 16), TarFormatError);
    const cut = await refusingLater(() => entriesOf(data, 700), TarFormatError);
    promise(
      JSON.stringify(whole?.map(meaning)) === JSON.stringify(cut?.map(meaning)),
      "how the bytes come makes no difference",
    );
    for (const entry of whole ?? []) await checkRoundTrip(entry);
  },
};

let folder: string | undefined;
/** A file of memory for what wants a descriptor; gone with the process. */
function scratch(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), "tsc-fuzz-"));
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return join(folder, "archive.tar");
}

export const imageArchive: Target = {
  words: [...WORDS, "manifest.json", "index.json", "layer.tar"],
  mend,
  async run(data) {
    const path = scratch();
    writeFileSync(path, data);
    const file = await open(path);
    try {
      const archive = await refusingLater(() => openTar(file, path, "archive"));
      for (const name of ["manifest.json", "d/f", "l", "../x", "__proto__"]) {
        const member = archive?.member(name);
        promise(member === undefined || member.offset + member.size <= data.length, "members lie in the archive");
        await refusingLater(async () => archive?.read(name, 4096));
      }
    } finally {
      await file.close();
    }
  },
};

export const zstdFrames: Target = {
  words: ["\x28\xb5\x2f\xfd", "\x50\x2a\x4d\x18", "\x5f\x2a\x4d\x18"],
  run(data) {
    const split = (size: number) =>
      refusing(() => {
        const splitter = createFrameSplitter();
        const all: Buffer[] = [];
        for (let at = 0; at < data.length; at += size) all.push(...splitter.split(data.subarray(at, at + size)));
        splitter.finish();
        return Buffer.concat(all);
      });
    const whole = split(1 << 16);
    const cut = split(7);
    promise((whole === undefined) === (cut === undefined), "how the bytes come makes no difference");
    promise(whole === undefined || cut === undefined || whole.equals(cut), "the same bytes come out");
    promise((whole?.length ?? 0) <= data.length, "nothing is added");
  },
};
