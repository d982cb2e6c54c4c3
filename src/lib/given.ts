/** Optional fields under `exactOptionalPropertyTypes`: absent instead of undefined. */

/** `T` with each key that may be undefined as an optional one. */
export type Given<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The fields that have a value: a key whose value is undefined is left out, every other value (null, "", false, 0) stays. */
export function given<const T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}
