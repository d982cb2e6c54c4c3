/** What docker's json-file and local drivers take as options, in docker's words, and when a log is rotated. No files here. */
import { isTscError, TscError } from "../../lib/errors.js";
import { goBoolean } from "../../lib/go-boolean.js";
import { parseSize } from "../../lib/size.js";
import type { LoggingSpec } from "../types.js";

/** When a log is rotated and what is kept of it. */
export interface Rotation {
  readonly maxBytes: number;
  /** The file written to and the old ones; at least 1. */
  readonly maxFiles: number;
  /** Old files are kept packed. */
  readonly compress: boolean;
}

type Options = Readonly<Record<string, string>>;

const DRIVERS = ["k8s-file", "json-file", "local", "none"];
const ROTATING = ["max-size", "max-file", "compress"];
/** Taken, with nothing to do here: details of lines, and modes of a daemon. */
const IDLE = ["labels", "labels-regex", "env", "env-regex", "tag", "mode", "max-buffer-size"];

/**
 * Refuses a driver that is not here (`TSC_LOG_DRIVER`) and options that docker refuses (`TSC_LOG_OPTION`); the options that have no effect.
 */
export function checkLogging(container: string, logging: LoggingSpec | undefined): readonly string[] {
  const driver = driverOf(logging);
  if (!DRIVERS.includes(driver)) {
    throw new TscError(
      "TSC_LOG_DRIVER",
      `container ${container}: log driver ${JSON.stringify(driver)} is not available`,
      { kind: "unsupported", hint: "json-file, local, k8s-file and none are" },
    );
  }
  if (driver === "none") return [];
  const options = logging?.options ?? {};
  checkMode(container, options);
  const unknown = Object.keys(options)
    .sort()
    .find((name) => !ROTATING.includes(name) && !IDLE.includes(name) && driver !== "k8s-file");
  if (unknown !== undefined) {
    const place = driver === "local" ? "log driver local" : `${driver} log driver`;
    throw invalid(container, `unknown log opt '${unknown}' for ${place}`);
  }
  readRotation(container, logging);
  return Object.keys(options).filter((name) => !ROTATING.includes(name) && options[name] !== "blocking");
}

/** How a container's log is rotated; undefined when it only grows, also for what `checkLogging` refuses. */
export function rotationOf(logging: LoggingSpec | undefined): Rotation | undefined {
  if (logging === undefined || driverOf(logging) === "none") return undefined;
  try {
    return readRotation("", logging);
  } catch (error) {
    if (isTscError(error, "TSC_LOG_OPTION")) return undefined;
    throw error;
  }
}

function driverOf(logging: LoggingSpec | undefined): string {
  return logging === undefined ? "k8s-file" : logging.driver === "" ? "json-file" : logging.driver;
}

function checkMode(container: string, options: Options): void {
  const { mode = "" } = options;
  if (!["", "blocking", "non-blocking"].includes(mode))
    throw invalid(container, `logger: logging mode not supported: ${mode}`);
  const buffer = options["max-buffer-size"];
  if (buffer === undefined) return;
  if (mode !== "non-blocking")
    throw invalid(container, "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  sizeOf(container, buffer, 1024, "error parsing option max-buffer-size: ");
}

function readRotation(container: string, logging: LoggingSpec | undefined): Rotation | undefined {
  const options = logging?.options ?? {};
  const isLocal = driverOf(logging) === "local";
  const size = options["max-size"];
  const told = isLocal ? (option: string, text: string) => `invalid value for ${option}: ${text}: ` : () => "";
  const maxBytes =
    size !== undefined ? sizeOf(container, size, 1000, told("max-size", size)) : isLocal ? 20 * 1024 * 1024 : undefined;
  if (maxBytes === 0 && !isLocal) throw invalid(container, "max-size must be a positive number");

  const files = options["max-file"];
  if (files !== undefined && !/^[-+]?\d{1,15}$/.test(files)) {
    throw invalid(
      container,
      `${told("max-file", files)}strconv.Atoi: parsing ${JSON.stringify(files)}: invalid syntax`,
    );
  }
  const maxFiles = files === undefined ? (isLocal ? 5 : 1) : Number(files);
  if (maxFiles < (isLocal ? 0 : 1))
    throw invalid(container, isLocal ? "max-file must not be negative" : "max-file cannot be less than 1");

  const packed = options.compress;
  const isPacked = packed === undefined ? isLocal : goBoolean(packed);
  if (isPacked === undefined) {
    const before = isLocal ? "invalid boolean value for compress: " : "";
    throw invalid(container, `${before}strconv.ParseBool: parsing ${JSON.stringify(packed)}: invalid syntax`);
  }
  if (isPacked && isLocal && maxFiles <= 1)
    throw invalid(container, "compression cannot be enabled when max file count is 1");
  if (isPacked && (maxFiles === 1 || maxBytes === undefined))
    throw invalid(container, "compress cannot be true when max-file is less than 2 or max-size is not set");
  if (maxBytes === undefined) return undefined;
  return { maxBytes: Math.max(1, maxBytes), maxFiles: Math.max(1, maxFiles), compress: isPacked };
}

function sizeOf(container: string, text: string, base: 1000 | 1024, before: string): number {
  try {
    const bytes = parseSize(text, base);
    if (bytes < 0n) throw invalid(container, `${before}invalid size: '${text}'`);
    return Number(bytes);
  } catch (error) {
    if (isTscError(error, "TSC_SIZE_INVALID")) throw invalid(container, `${before}${error.message}`);
    throw error;
  }
}

function invalid(container: string, words: string): TscError {
  return new TscError("TSC_LOG_OPTION", `container ${container}: ${words}`, {
    kind: "invalid-input",
    exitCode: 125,
    hint: "json-file and local take max-size (10m), max-file (3) and compress (true)",
  });
}
