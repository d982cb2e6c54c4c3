/** The loader's options from the global ones. */
import type { LoadOptions } from "../compose/index.js";
import type { Engine } from "../engine/index.js";
import { given } from "../lib/given.js";
import type { GlobalOptions } from "./context.js";
import { remoteLoaders } from "./remotes.js";

/** What every load of this run has in common. */
export function loadOptions(around: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly globals: GlobalOptions;
  readonly warn: (message: string) => void;
  /** For compose files in registries; without it remote files are refused as missing. */
  readonly engine?: () => Promise<Engine>;
  /** Ends what is being fetched. */
  readonly signal?: AbortSignal;
}): LoadOptions {
  const { env, cwd, globals, warn, signal } = around;
  return {
    env,
    cwd,
    files: globals.files,
    profiles: globals.profiles,
    envFiles: globals.envFiles,
    allResources: globals.allResources,
    compatibility: globals.compatibility,
    warn: (warning) => warn(warning.message),
    ...(around.engine === undefined
      ? {}
      : { remotes: remoteLoaders({ env, engine: around.engine, ...given({ signal }) }) }),
    ...given({ projectName: globals.projectName, projectDirectory: globals.projectDirectory }),
  };
}
