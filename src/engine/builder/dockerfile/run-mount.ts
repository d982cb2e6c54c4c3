import { own } from "../../../lib/own.js";
import type { RunMount } from "./instructions.js";
import { Problem } from "./problem.js";
import { unquote } from "./words.js";

const MOUNT_OPTIONS: Readonly<Record<RunMount["type"], readonly string[]>> = {
  bind: ["type", "target", "source", "from", "rw", "ro"],
  cache: ["type", "id", "target", "ro", "rw", "sharing", "from", "source", "mode", "uid", "gid"],
  tmpfs: ["type", "target", "size"],
  secret: ["type", "id", "target", "required", "mode", "uid", "gid", "env", "source"],
  ssh: ["type", "id", "target", "required", "mode", "uid", "gid"],
};
const OPTION_ALIASES: Readonly<Record<string, string>> = {
  dst: "target",
  destination: "target",
  src: "source",
  readonly: "ro",
  readwrite: "rw",
};

/** The options of `RUN --mount=type=cache,target=/x,…`. Throws `Problem` for what BuildKit refuses by its form. */
export function parseMount(text: string): RunMount {
  const options: Record<string, string> = {};
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    const key = (at < 0 ? part : part.slice(0, at)).trim().toLowerCase();
    options[own(OPTION_ALIASES, key) ?? key] = at < 0 ? "true" : unquote(part.slice(at + 1));
  }
  const type = options.type ?? "bind";
  if (!isMountType(type)) throw new Problem(`RUN: unsupported mount type ${JSON.stringify(type)}`);
  for (const key of Object.keys(options)) {
    if (!MOUNT_OPTIONS[type].includes(key)) throw new Problem(`RUN: unexpected key '${key}' for mount type '${type}'`);
  }
  if (type !== "secret" && type !== "ssh" && options.target === undefined) {
    throw new Problem(`RUN: mount type ${type} needs target=`);
  }
  if (type === "secret" && options.id === undefined && options.target === undefined && options.source === undefined) {
    throw new Problem("RUN: mount type secret needs id= or target=");
  }
  if (options.sharing !== undefined && !["shared", "private", "locked"].includes(options.sharing)) {
    throw new Problem(`RUN: unsupported sharing value ${JSON.stringify(options.sharing)}`);
  }
  return { type, options };
}

function isMountType(text: string): text is RunMount["type"] {
  return Object.hasOwn(MOUNT_OPTIONS, text);
}
