/** What a stage has become after some steps: plain data that every step replaces, never changes. */
import { DEFAULT_PATH } from "../default-path.js";
import type { ImageConfig, ImageInfo } from "../types.js";

/** A line of an image's history. */
export type HistoryEntry = ImageInfo["history"][number];

/** What a stage is after an instruction: the image so far, and the variables in force. */
export interface StageState {
  readonly config: ImageConfig;
  readonly diffIds: readonly string[];
  /** Chain id of the layers; "" for none. */
  readonly chainId: string;
  readonly history: readonly HistoryEntry[];
  readonly createdAt: string;
  readonly author: string;
  readonly architecture: string;
  readonly os: string;
  readonly variant: string;
  /** ARGs declared so far, in order, with a value. */
  readonly args: Readonly<Record<string, string>>;
  /** CMD was given in this stage: a later ENTRYPOINT keeps it. */
  readonly hasCommand: boolean;
}

/** docker's default for images without one. */
export const DEFAULT_SHELL: readonly string[] = ["/bin/sh", "-c"];

const EMPTY_CONFIG: ImageConfig = {
  user: "",
  env: [`PATH=${DEFAULT_PATH}`],
  entrypoint: [],
  command: [],
  workingDir: "/",
  labels: {},
  exposedPorts: [],
  volumes: [],
  stopSignal: "",
  onBuild: [],
  shell: [],
};

/** `FROM scratch`. */
export function emptyState(platform: { os: string; architecture: string; variant: string }): StageState {
  return {
    ...platform,
    config: EMPTY_CONFIG,
    diffIds: [],
    chainId: "",
    history: [],
    createdAt: "",
    author: "",
    args: {},
    hasCommand: false,
  };
}

/** The environment as a record; the last of doubles wins. */
export function environmentOf(env: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (const item of env) {
    const at = item.indexOf("=");
    if (at > 0) record[item.slice(0, at)] = item.slice(at + 1);
  }
  return record;
}

/** The environment list with variables set; existing ones keep their place. */
export function withVariables(env: readonly string[], variables: readonly (readonly [string, string])[]): string[] {
  const places = new Map<string, number>();
  const result: string[] = [];
  const set = (name: string, item: string): void => {
    const place = places.get(name);
    if (place !== undefined) result[place] = item;
    else {
      places.set(name, result.length);
      result.push(item);
    }
  };
  for (const item of env) set(item.slice(0, Math.max(item.indexOf("="), 0)) || item, item);
  for (const [name, value] of variables) set(name, `${name}=${value}`);
  return result;
}
