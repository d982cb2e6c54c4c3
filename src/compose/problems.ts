/** Collects problems so that one run reports them all. Owns the shape of the loader's errors; throws only when asked. */

import type { ErrorCode, SourcePlace } from "../lib/errors.js";
import { TscError, throwAll } from "../lib/errors.js";
import { given } from "../lib/given.js";
import type { Path } from "./tree.js";
import type { YamlFile } from "./yaml/parse.js";

/** Finds where a path was written: in the last file that wrote most of it. */
export function placeOf(files: readonly YamlFile[], path: Path, onKey = false): SourcePlace | undefined {
  let best: { place: SourcePlace; matched: number } | undefined;
  for (const file of files) {
    const found = file.locate(path, onKey);
    if (found !== undefined && found.matched > 0 && (best === undefined || found.matched >= best.matched)) best = found;
  }
  return best?.place;
}

/** A list of errors of one phase over some files. */
export class Problems {
  readonly #errors: TscError[] = [];
  readonly #files: readonly YamlFile[];

  constructor(files: readonly YamlFile[]) {
    this.#files = files;
  }

  /** Adds a problem at a path of the tree. */
  add(
    code: ErrorCode,
    message: string,
    path: Path,
    options: { readonly hint?: string | undefined; readonly onKey?: boolean } = {},
  ): void {
    this.#errors.push(problem(this.#files, code, message, path, options));
  }

  /** Runs `work` and keeps what it throws when that is a user error without a place. */
  guard<T>(path: Path, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof TscError)) throw error;
      this.#errors.push(error.where === undefined ? withPlace(error, placeOf(this.#files, path)) : error);
      return undefined;
    }
  }

  get empty(): boolean {
    return this.#errors.length === 0;
  }

  /** Throws what was collected: nothing, the one error, or a list. */
  throw(): void {
    throwAll(this.#errors);
  }
}

/** One error with its place in the files. */
export function problem(
  files: readonly YamlFile[],
  code: ErrorCode,
  message: string,
  path: Path,
  options: { readonly hint?: string | undefined; readonly onKey?: boolean } = {},
): TscError {
  const where = placeOf(files, path, options.onKey === true);
  return new TscError(code, message, {
    kind: "invalid-input",
    ...given({ where, hint: options.hint }),
  });
}

/** The same error with a place. */
export function withPlace(error: TscError, where: SourcePlace | undefined, message = error.message): TscError {
  const place = error.where ?? where;
  return new TscError(error.code, message, {
    kind: error.kind,
    ...given({ where: place, hint: error.hint }),
    cause: error,
  });
}
