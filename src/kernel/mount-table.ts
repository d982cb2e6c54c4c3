/** The mounts of a process, as proc_pid_mountinfo(5) tells them. */
import { type Pid, readProcessFile } from "./proc.js";

/** One mount: where, and the options that hold for this mount alone. */
export interface MountLine {
  readonly path: string;
  readonly options: readonly string[];
}

/** What a process sees mounted, in the kernel's order: a later one at the same place covers the earlier. Throws with the errno. */
export function readMounts(pid: Pid): readonly MountLine[] {
  return parseMounts(readProcessFile(pid, "mountinfo"));
}

/** The lines of a mount table. Pure. */
export function parseMounts(text: string): readonly MountLine[] {
  return text.split("\n").flatMap((line) => {
    const [, , , , place, options] = line.split(" ");
    if (place === undefined || options === undefined) return [];
    // octal escapes: blanks, tabs, line ends and backslashes
    const path = place.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
    return [{ path, options: options.split(",") }];
  });
}
