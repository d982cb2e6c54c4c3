/** A real terminal (tmux) with a shell in it, as a test host's user: keys go in, the screen comes out. */
import { execFileSync } from "node:child_process";
import { eventually, type TestHost } from "./host.js";

/** Lives until disposed; takes its shell and what runs in it along. */
export class Terminal implements Disposable {
  readonly #socket: string;

  constructor(host: TestHost, folder: string, size: { readonly columns: number; readonly rows: number }) {
    this.#socket = `tsc-test-${process.pid}-${Math.random().toString(36).slice(2)}`;
    const environment = Object.entries({ ...host.env, PS1: "$ ", TERM: "screen-256color" }).map(
      ([name, value]) => `${name}=${value}`,
    );
    const shell = ["env", "-i", ...environment, "bash", "--norc", "--noprofile"];
    const as = host.mode === "user" ? ["setpriv", "--reuid=tsctest", "--regid=tsctest", "--init-groups"] : [];
    this.#tmux("new-session", "-d", "-x", `${size.columns}`, "-y", `${size.rows}`, "-c", folder, ...as, ...shell);
  }

  /** Types a line. */
  line(text: string): void {
    this.#tmux("send-keys", "-l", text);
    this.keys("Enter");
  }

  /** Presses keys by tmux's names: `C-c`, `Enter`, `w`. */
  keys(...names: readonly string[]): void {
    this.#tmux("send-keys", ...names);
  }

  resize(columns: number, rows: number): void {
    this.#tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
  }

  /** The visible lines, blank ones at the end left out. */
  screen(): string {
    return this.#tmux("capture-pane", "-p").trimEnd();
  }

  get isCursorVisible(): boolean {
    return this.#tmux("display-message", "-p", "#{cursor_flag}").trim() === "1";
  }

  /** Waits until the screen matches; the match. Fails with the screen. */
  async until(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
    return await eventually(() => pattern.exec(this.screen()) ?? undefined, timeoutMs).catch(() => {
      throw new Error(`no ${pattern} on the screen:\n${this.screen()}`);
    });
  }

  [Symbol.dispose](): void {
    this.#tmux("kill-server");
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync("tmux", ["-L", this.#socket, "-f", "/dev/null", ...args], { encoding: "utf8" });
  }
}
