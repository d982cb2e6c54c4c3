/** Which compose file references are remote. Loading one brings the code for it in. */
import type { RemoteLoader } from "../compose/index.js";
import type { Engine } from "../engine/index.js";

/** `oci://…`, and what git takes as a URL. A plain path, also one that ends in `.git`, is never remote. */
const REMOTE = /^(?:oci:\/\/|https?:\/\/[^#]+\.git(?:#|$)|git:\/\/|ssh:\/\/|git@[^:/]+:|github\.com\/[^/]+\/[^/]+)/;

/** Whether a reference to a compose file leads to a registry or a git repository. */
export const isRemote = (reference: string): boolean => REMOTE.test(reference);

/** The loaders of one run. */
export function remoteLoaders(around: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly engine: () => Promise<Engine>;
  readonly signal?: AbortSignal;
}): readonly RemoteLoader[] {
  const loaded = new Map<string, ReturnType<RemoteLoader["load"]>>();
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
            ...(around.signal === undefined ? {} : { signal: around.signal }),
          }),
        );
        loaded.set(reference, loading);
        return loading;
      },
    },
  ];
}
