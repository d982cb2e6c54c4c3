/** The targets in TypeScript by name; each has a folder of the same name in `corpus/`. */
import type { Target } from "../target.js";
import { imageArchive, tarReader, zstdFrames } from "./archives.js";
import { dockerfile, patterns, words } from "./build.js";
import { logs, networks, text } from "./host.js";
import { accounts, challenges, imageConfig, manifest, names } from "./images.js";

export const TARGETS: Readonly<Record<string, Target>> = {
  "tar-reader": tarReader,
  "image-archive": imageArchive,
  "zstd-frames": zstdFrames,
  manifest,
  "image-config": imageConfig,
  names,
  challenges,
  accounts,
  dockerfile,
  words,
  patterns,
  logs,
  networks,
  "text-shown": text,
};
