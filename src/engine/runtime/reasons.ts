/** Turns what a runtime says about a failed create or exec into docker's wording and exit codes. Pure. */
import { printable } from "../../lib/printable.js";

/** Why a start failed, in docker's words, with its exit code. */
export interface RuntimeReason {
  readonly message: string;
  /** 127 not found, 126 not executable, else `fallback`. */
  readonly exitCode: number;
}

/** `argv0` is the program asked for; `fallback` docker's code for everything else (125 create, 126 exec). */
export function runtimeReason(said: string, argv0: string, fallback: number): RuntimeReason {
  const text = lastMessage(said);
  const program = printable(argv0);
  if (/executable file .*not found|no such file or directory.*exec|exec: ".*": stat .*no such file/i.test(text)) {
    return { message: `exec: "${program}": executable file not found in $PATH`, exitCode: 127 };
  }
  if (/exec: ".*": .*no such file or directory/i.test(text) || /open executable.*No such file/i.test(text)) {
    return { message: `exec: "${program}": no such file or directory`, exitCode: 127 };
  }
  if (
    /exec.*permission denied|permission denied.*exec|open executable.*(?:Permission denied|Operation not permitted)|executable.*Permission denied/i.test(
      text,
    )
  ) {
    return { message: `exec: "${program}": permission denied`, exitCode: 126 };
  }
  if (/is a directory/i.test(text)) return { message: `exec: "${program}": is a directory`, exitCode: 126 };
  return { message: text || "the runtime gave no reason", exitCode: fallback };
}

/** The words of the last error line: runc logs `time=… level=error msg="…"`, crun writes plain or timestamped text. */
function lastMessage(said: string): string {
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => /level=(error|fatal)/.test(line));
  const line = errors.at(-1) ?? lines.at(-1) ?? "";
  const quoted = /msg="((?:\\.|[^"\\])*)"/.exec(line)?.[1];
  if (quoted !== undefined) return printable(quoted.replace(/\\(.)/g, "$1"), 2000);
  return printable(line.replace(/^\S+Z: /, ""), 2000);
}
