/** Which compose file references are remote. Loading one brings the code for it in. */
import type { RemoteLoader } from "../compose/index.js";
import type { Engine } from "../engine/index.js";
import { given } from "../lib/given.js";

/** `oci://…`, and what git takes as a URL. A plain path, also one that ends in `.git`, is never remote. */
const REMOTE = /^(?:oci:\/\/|https?:\/\/[^#]+\.git(?:#|$)|git:\/\/|ssh:\/\/|git@[^:/]+:|github\.com\/[^/]+\/[^/]+)/;

/** Whether a reference to a compose file leads to a registry or a git repository. */
export const isRemote = (reference: string): boolean => REMOTE.test(reference);

type Loads = Map<string, ReturnType<RemoteLoader["load"]>>;
const ofRuns = new WeakMap<AbortSignal, Loads>();

/** The loads of the run that a signal ends. */
function loadsOf(signal: AbortSignal | undefined): Loads {
  const known = signal === undefined ? undefined : ofRuns.get(signal);
  if (known !== undefined) return known;
  const loads: Loads = new Map();
  if (signal !== undefined) ofRuns.set(signal, loads);
  return loads;
}

/**
 * The loaders of one run, which its signal names: however often the run loads its project, a reference stays at the commit or digest it was
 * first resolved to, so that what a person is asked about is what is started. One that failed is tried again.
 */
export function remoteLoaders(around: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly engine: () => Promise<Engine>;
  readonly signal?: AbortSignal;
}): readonly RemoteLoader[] {
  const loaded = loadsOf(around.signal);
  return [
    {
      accepts: isRemote,
      load(reference) {
        const known = loaded.get(reference);
        if (known !== undefined) return known;
        const loading = import("../execute/remote/index.js").then(({ loadRemote }) =>
          loadRemote(reference, {
            env: around.env,
            images: async () => (await around.engine()).images,
            ...given({ signal: around.signal }),
          }),
        );
        loaded.set(reference, loading);
        loading.catch(() => loaded.delete(reference));
        return loading;
      },
    },
  ];
}
