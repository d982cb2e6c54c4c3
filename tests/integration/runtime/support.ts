/** An engine on roots of its own with a busybox rootfs. Everything made is taken away by disposal. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, openEngine } from "../../../src/engine/index.js";
import type { ContainerSpec, StdioSession } from "../../../src/engine/types.js";
import { NATIVE_DIR } from "../../helpers/native.js";

export interface Bench extends AsyncDisposable {
  readonly engine: Engine;
  readonly base: string;
  readonly rootfs: string;
  readonly warnings: string[];
  /** Made and started; its id. */
  run(script: string, spec?: Partial<ContainerSpec>): Promise<string>;
  /** Resolves when the container has printed this line: its traps are set. */
  said(id: string, line: string): Promise<void>;
  /** A second opening of the same roots, as another command would do it. */
  reopen(): Promise<Engine>;
}

const APPLETS = [
  "sh",
  "sleep",
  "echo",
  "cat",
  "ls",
  "id",
  "dd",
  "sha256sum",
  "stty",
  "env",
  "stat",
  "touch",
  "kill",
  "pwd",
];

export async function openBench(env: Readonly<Record<string, string>> = {}): Promise<Bench> {
  const base = mkdtempSync(join(tmpdir(), "tscrun-"));
  const rootfs = join(base, "rootfs");
  for (const name of ["bin", "etc", "tmp", "proc", "dev", "sys"]) mkdirSync(join(rootfs, name), { recursive: true });
  copyFileSync("/bin/busybox", join(rootfs, "bin/busybox"));
  for (const name of APPLETS) symlinkSync("busybox", join(rootfs, "bin", name));
  writeFileSync(join(rootfs, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nweb:x:101:102::/srv:/bin/sh\n");
  writeFileSync(join(rootfs, "etc/group"), "root:x:0:\nweb:x:102:\nlogs:x:200:web\n");
  const warnings: string[] = [];
  const open = (): Promise<Engine> =>
    openEngine({
      root: join(base, "root"),
      runRoot: join(base, "run"),
      nativeDir: NATIVE_DIR,
      env: { PATH: process.env["PATH"], HOME: base, ...env },
      selfCommand: ["/bin/true"],
      warn: (message) => warnings.push(message),
    });
  const engine = await open();
  const opened: Engine[] = [];
  let count = 0;
  return {
    engine,
    base,
    rootfs,
    warnings,
    async run(script, spec = {}) {
      const id = await engine.containers.create({
        name: `c${++count}`,
        image: "",
        rootfs,
        command: ["/bin/sh", "-c", script],
        networkMode: { kind: "none" },
        ...spec,
      });
      await engine.containers.start(id);
      return id;
    },
    async said(id, line) {
      for await (const { text } of engine.containers.logs(id, { follow: true })) if (text === line) return;
      throw new Error(`container ${id} ended without saying ${line}`);
    },
    async reopen() {
      const again = await open();
      opened.push(again);
      return again;
    },
    async [Symbol.asyncDispose]() {
      for (const container of await engine.containers.list()) {
        await engine.containers.remove(container.id, { force: true, volumes: true });
      }
      for (const again of opened) await again.close();
      await engine.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** All output of a session, per stream, with its exit code. */
export async function collect(
  session: StdioSession,
): Promise<{ stdout: string; stderr: string; code: number | undefined }> {
  const text = { stdout: "", stderr: "" };
  for await (const { stream, data } of session.output) text[stream] += Buffer.from(data).toString();
  return { ...text, code: await session.exit };
}
