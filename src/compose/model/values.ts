/** Values that many attributes share. */

/** Extension keys, kept verbatim wherever the specification allows them. */
export interface Extensible {
  readonly [extension: `x-${string}`]: unknown;
}

/** Texts by name, each with a value, other than in `Environment`. */
export type StringMap = Readonly<Record<string, string>>;

/** Values of an environment; null is a bare key that no environment defines: it is not set in the container. */
export type Environment = Readonly<Record<string, string | null>>;

/** null keeps the image's value, an empty list clears it. */
export type ShellCommand = readonly string[] | null;

/** -1 is unlimited. */
export interface SoftHard extends Extensible {
  readonly soft?: number;
  readonly hard?: number;
}
