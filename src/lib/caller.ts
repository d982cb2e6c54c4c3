/** What the calling shell had before the launcher took it back (native/launcher/process-state.c), for what is done in the caller's name. */

type Env = Readonly<Record<string, string | undefined>>;

function callerUmask(env: Env): number {
  const text = env["TSCOMPOSE_CALLER_UMASK"] ?? "";
  return /^[0-7]{1,4}$/.test(text) ? Number.parseInt(text, 8) & 0o777 : 0o022;
}

/** Starts a program of the caller's own (a provider, a credential helper) under the caller's umask; `start` must not wait for anything. */
export function withCallerUmask<T>(env: Env, start: () => T): T {
  const ours = process.umask(callerUmask(env));
  try {
    return start();
  } finally {
    process.umask(ours);
  }
}

/** The mode of a new file that the caller asked for by name: no wider than the caller's umask allows. */
export function callerFileMode(env: Env): number {
  return 0o666 & ~callerUmask(env);
}
