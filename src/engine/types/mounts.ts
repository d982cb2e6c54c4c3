/** What a container finds in its files besides its image. */

/** A folder or file of the host. */
export interface BindMount {
  readonly type: "bind";
  readonly source: string;
  readonly target: string;
  readonly readOnly?: boolean;
  readonly propagation?: string;
  /** Make the source folder when it is missing (docker's default for short syntax). */
  readonly createHostPath?: boolean;
  readonly recursive?: "enabled" | "disabled" | "writable" | "readonly";
  readonly selinux?: "z" | "Z";
  /** What of the source is mounted; links in it are resolved inside the source. */
  readonly subpath?: string;
}

/** A volume. */
export interface VolumeMount {
  readonly type: "volume";
  /** Volume name; an empty string asks for a new anonymous volume. */
  readonly source: string;
  readonly target: string;
  readonly readOnly?: boolean;
  /** Do not copy the image's content into a fresh volume. */
  readonly noCopy?: boolean;
  readonly subpath?: string;
  /** Labels of an anonymous volume made for this mount. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** A file system in memory. */
export interface TmpfsMount {
  readonly type: "tmpfs";
  readonly target: string;
  readonly sizeBytes?: number;
  readonly mode?: number;
  /** Raw mount options (`noexec`, `uid=1000` …), checked against an allow-list. */
  readonly options?: readonly string[];
  readonly readOnly?: boolean;
}

/** An image's files, read-only. */
export interface ImageMount {
  readonly type: "image";
  readonly source: string;
  readonly target: string;
  readonly subpath?: string;
}

/** What is mounted into a container. */
export type MountSpec = BindMount | VolumeMount | TmpfsMount | ImageMount;

/** A file the engine writes for the container (compose secrets and configs): tmpfs-backed, never in the image. */
export interface FileInjection {
  readonly target: string;
  /** Exactly one of `content`, `sourcePath` and `held` is given; a folder may be given as `sourcePath`. */
  readonly content?: string;
  readonly sourcePath?: string;
  /** Content that was given to a container before: what a container's info says in place of it. */
  readonly held?: { readonly container: string; readonly index: number };
  /** Without an owner the file is the container's user's. A `sourcePath` without owner and mode is bound as it is. */
  readonly uid?: number;
  readonly gid?: number;
  /** Permission bits; 0o444 when absent. */
  readonly mode?: number;
}

/** A mount of a container that is made. */
export interface ResolvedMount {
  readonly type: "bind" | "volume" | "tmpfs" | "image";
  /** Volume name, or empty. */
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly anonymous: boolean;
}
