/**
 * The OCI image config (image-spec config.md) read into our types: the one way in for what a stranger's image says about how it is run.
 * Every field is bounded and normal afterwards. What no image can mean is refused; what can be left out is left out and told.
 */
import { given } from "../../lib/given.js";
import { isObject } from "../../lib/is-object.js";
import { printable } from "../../lib/printable.js";
import { findSignal } from "../../lib/signals.js";
import type { ImageRecord } from "../state/images.js";
import type { ImageConfig } from "../types.js";
import { isDigest } from "./digest.js";
import { type FieldReader, fieldReader, type Json } from "./image-fields.js";
import { readHealthcheck } from "./image-healthcheck.js";
import { LAYER_LIMIT, parseJson } from "./manifest.js";

const MAX_HISTORY = 4096;
const MAX_VOLUMES = 256;
/** Builders write every port of a range, for three protocols at most. */
const MAX_PORTS = 3 * 65535;
const MAX_NAME = 255;
const MAX_PATH = 4095;
const EPOCH = "1970-01-01T00:00:00Z";

/**
 * The stored record of an image from its config bytes. `id` is the digest of those bytes; `sizeBytes` is filled in by the
 * caller; `what` names the image, and `warn` hears of what is left out. `TSC_IMAGE_CONFIG_INVALID`.
 */
export function readImageConfig(
  data: Uint8Array,
  id: string,
  what: string,
  warn: (message: string) => void,
): Omit<ImageRecord, "sizeBytes"> {
  const raw = parseJson(data, `${what}: config`);
  const fields = fieldReader(what, warn);
  const diffIds = (isObject(raw.rootfs) ? raw.rootfs.diff_ids : undefined) ?? [];
  if (!Array.isArray(diffIds) || diffIds.length > LAYER_LIMIT || !diffIds.every(isDigest)) {
    throw fields.invalid("has no valid rootfs.diff_ids");
  }
  return {
    id,
    createdAt: time(raw.created) ?? EPOCH,
    architecture: platformWord(fields, raw, "architecture"),
    os: platformWord(fields, raw, "os") || "linux",
    variant: platformWord(fields, raw, "variant"),
    config: readRunConfig(fields, isObject(raw.config) ? raw.config : {}),
    diffIds,
    history: readHistory(fields, raw.history),
  };
}

function platformWord(fields: FieldReader, raw: Json, name: string): string {
  const word = fields.text(raw, name, MAX_NAME);
  if (/^[\w.-]*$/.test(word)) return word;
  throw fields.invalid(`${name} ${JSON.stringify(printable(word, 60))} is no word`);
}

function time(value: unknown): string | undefined {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d[T ][\d:.+Zz-]{8,40}$/.test(value)) return undefined;
  return Number.isNaN(Date.parse(value)) ? undefined : value;
}

function readHistory(fields: FieldReader, value: unknown): ImageRecord["history"] {
  const entries = Array.isArray(value) ? value : [];
  if (entries.length > MAX_HISTORY) throw fields.invalid(`history has more than ${MAX_HISTORY} entries`);
  return entries.map((entry) => {
    const raw = isObject(entry) ? entry : {};
    const created = time(raw.created);
    const word = (name: string): string => (typeof raw[name] === "string" ? raw[name] : "");
    return {
      ...given({ created }),
      ...(word("created_by") === "" ? {} : { createdBy: word("created_by") }),
      ...(word("author") === "" ? {} : { author: word("author") }),
      ...(word("comment") === "" ? {} : { comment: word("comment") }),
      ...(raw.empty_layer === true ? { emptyLayer: true } : {}),
    };
  });
}

function readRunConfig(fields: FieldReader, raw: Json): ImageConfig {
  const healthcheck = readHealthcheck(fields, raw.Healthcheck);
  return {
    user: readUser(fields, raw),
    env: fields
      .list(raw, "Env")
      .filter((line) => line.indexOf("=") > 0 || fields.leaveOut("Env", line, "no NAME=value")),
    entrypoint: fields.argv(raw, "Entrypoint"),
    command: fields.argv(raw, "Cmd"),
    workingDir: readWorkingDir(fields, raw),
    labels: fields.map(raw, "Labels"),
    exposedPorts: fields
      .keys(raw, "ExposedPorts", MAX_PORTS)
      .filter((port) => isPort(port) || fields.leaveOut("ExposedPorts", port, "no port")),
    volumes: readVolumes(fields, raw),
    stopSignal: readStopSignal(fields, raw),
    ...given({ healthcheck }),
    onBuild: fields.list(raw, "OnBuild"),
    shell: fields.list(raw, "Shell"),
  };
}

function readUser(fields: FieldReader, raw: Json): string {
  const user = fields.text(raw, "User", 2 * MAX_NAME + 1);
  // Looked up in the image's own passwd and group, whose lines and fields end there.
  if (/[\p{Cc}]/u.test(user) || user.split(":").length > 2) {
    throw fields.invalid(`User ${JSON.stringify(printable(user, 60))} is no user`);
  }
  return user;
}

/** docker makes a relative one absolute where it is set; some builders do not. */
function readWorkingDir(fields: FieldReader, raw: Json): string {
  const folder = fields.text(raw, "WorkingDir", MAX_PATH);
  return folder === "" || folder.startsWith("/") ? folder : `/${folder}`;
}

/** `80`, `80/tcp`, `8000-8010/udp`. */
function isPort(text: string): boolean {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(?:tcp|udp|sctp))?$/i.exec(text);
  if (match === null) return false;
  const first = Number(match[1]);
  const last = Number(match[2] ?? first);
  return first <= last && last <= 65535 && first > 0;
}

/** Never over the root, nor over what the kernel shows: the runtime's own mounts are there. */
function readVolumes(fields: FieldReader, raw: Json): string[] {
  const targets = new Set<string>();
  for (const text of fields.keys(raw, "Volumes")) {
    const path = text.length < MAX_PATH ? fields.path(`/${text}`) : "/";
    if (/^\/(?:(?:proc|dev\/pts|dev\/mqueue)(?:\/.*)?|sys|dev)?$/.test(path)) {
      fields.leaveOut("Volumes", text, "no place for a volume");
    } else targets.add(path);
  }
  if (targets.size > MAX_VOLUMES) throw fields.invalid(`Volumes has more than ${MAX_VOLUMES} entries`);
  return [...targets];
}

function readStopSignal(fields: FieldReader, raw: Json): string {
  const signal = fields.text(raw, "StopSignal", MAX_NAME);
  if (signal === "" || findSignal(signal) !== undefined) return signal;
  fields.leaveOut("StopSignal", signal, "no signal");
  return "";
}
