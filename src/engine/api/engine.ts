/** The whole engine: how it is opened, and what it has. */
import type { ContainersApi } from "./containers.js";
import type { ImagesApi } from "./images.js";
import type { LoginsApi } from "./logins.js";
import type { EventsApi, SecurityFinding, SystemInfo } from "./report.js";
import type { DiskApi, NetworksApi, VolumesApi } from "./resources.js";

/** Where an engine keeps things, and what it is given of its caller. */
export interface EngineOptions {
  /** Store root; default /var/lib/tscompose or $XDG_DATA_HOME/tscompose. */
  readonly root?: string;
  /** Runtime folder (tmpfs); default /run/tscompose or $XDG_RUNTIME_DIR/tscompose. */
  readonly runRoot?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder of the built native programs; default: found beside this package. */
  readonly nativeDir?: string;
  /** argv prefix that runs the tscompose program (for the supervisor); default: Node and dist/main.cjs of this package. */
  readonly selfCommand?: readonly string[];
  /** Called with one-line warnings for the person. */
  readonly warn?: (message: string) => void;
}

/** An open engine. It is closed by `close` or by disposal; containers go on without it. */
export interface EngineApi extends AsyncDisposable {
  readonly containers: ContainersApi;
  readonly images: ImagesApi;
  readonly networks: NetworksApi;
  readonly volumes: VolumesApi;
  readonly events: EventsApi;
  readonly disk: DiskApi;
  readonly logins: LoginsApi;
  info(): Promise<SystemInfo>;
  /** Which confinement this host gives containers; the most important first. */
  security(): Promise<readonly SecurityFinding[]>;
  /** Held until disposed; serialises commands on one name (a project). `onWait` is called once if somebody holds it. */
  lock(name: string, options?: { onWait?: (holder: string) => void; signal?: AbortSignal }): Promise<AsyncDisposable>;
  /** Removes everything: containers (killed), networks, helpers, the store and the run root. The engine is closed afterwards. */
  reset(): Promise<void>;
  close(): Promise<void>;
}
