/** Facts of the store as a whole, by key: what was found out once and what an epoch is like. */
import type { State } from "./index.js";

/** The value of a key, or undefined. */
export function metaOf(state: State, key: string): string | undefined {
  return state.get<{ value: string }>("SELECT value FROM meta WHERE key = ?", key)?.value;
}

/** Writes a key, also over an older value. */
export function setMeta(state: State, key: string, value: string): void {
  state.run("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)", key, value);
}

/** Removes a key; one that is not there is no error. */
export function forgetMeta(state: State, key: string): void {
  state.run("DELETE FROM meta WHERE key = ?", key);
}

/** Every key that begins so. */
export function metaKeys(state: State, prefix: string): string[] {
  return state
    .all<{ key: string }>("SELECT key FROM meta WHERE key >= ? AND key < ?", prefix, `${prefix}\u{10ffff}`)
    .map(({ key }) => key);
}
