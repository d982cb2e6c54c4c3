/**
 * A whole machine in qemu with Debian's kernel, for what this machine's kernel has not: the security modules. It boots this machine's own root
 * folder read-only, so that what is built here runs there. Slow (no KVM): one boot plays a script of many checks.
 */
import { execFileSync, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

const HERE = import.meta.dirname;
/** What is played; the guest has this machine's folders but for its own /tmp, /run and /var/tmp. */
const PROGRAM = process.env.TSCOMPOSE_GUEST_PROGRAM ?? resolve(HERE, "../../bin/tscompose");
/** Made by scripts/guest.sh. */
const GROUND = process.env.TSCOMPOSE_GUEST ?? "/var/tmp/tscompose-guest";
const MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_blk", "crc32c_generic", "ext4"];

/** How much longer than on a quiet machine a guest may take, e.g. 4. */
const PATIENCE = Number(process.env.TSCOMPOSE_GUEST_PATIENCE ?? 1);
/** For the guest and what makes it, in milliseconds. */
export const GUEST_TIMEOUT_MS = (PATIENCE * 3600 + 100) * 1000;

/** What is missing to boot a guest; undefined when nothing is. */
export function missingGuest(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  return existsSync(join(GROUND, "ready")) ? undefined : `${GROUND} is not there: run scripts/guest.sh`;
}

/** Output of each check of a script: what stands between `== NAME` and the next such line, the exit code in `= N` at its end taken off. */
export interface Played {
  readonly out: string;
  readonly code: number;
}

/** Boots with these words on the kernel's command line, plays a script of this folder for an hour (times `PATIENCE`), and gives what each check printed. */
export async function playInGuest(script: string, commandLine: string): Promise<Map<string, Played>> {
  const folder = mkdtempSync(join(tmpdir(), "tscompose-guest-"));
  try {
    const kernel = readdirSync(join(GROUND, "kernel/boot")).find((name) => name.startsWith("vmlinuz-"));
    if (kernel === undefined) throw new Error(`no kernel in ${GROUND}`);
    const initrd = makeInitrd(folder, kernel.slice("vmlinuz-".length), script);
    const disk = join(folder, "disk");
    writeFileSync(disk, "");
    truncateSync(disk, 256 << 20);
    execFileSync("mkfs.ext4", ["-q", "-O", "^has_journal", disk]);
    const out = join(folder, "out");
    const share = (tag: string, path: string): string[] => [
      "-virtfs",
      `local,path=${path},mount_tag=${tag},security_model=none,readonly=on,multidevs=remap`,
    ];
    const qemu = spawn(
      "qemu-system-x86_64",
      [
        ...["-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "1024"],
        ...["-nographic", "-no-reboot", "-nodefaults", "-no-user-config", "-net", "none", "-monitor", "none"],
        ...["-kernel", join(GROUND, "kernel/boot", kernel), "-initrd", initrd],
        ...["-append", `console=ttyS0 quiet panic=-1 ${commandLine}`],
        ...share("host", "/"),
        ...share("packages", join(GROUND, "packages")),
        ...["-drive", `file=${disk},format=raw,if=virtio,cache=unsafe`],
        ...["-serial", `file:${join(folder, "console")}`, "-serial", `file:${out}`],
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    const timer = setTimeout(() => qemu.kill("SIGKILL"), PATIENCE * 3600 * 1000);
    await new Promise<void>((ended) => qemu.once("close", () => ended()));
    clearTimeout(timer);
    const text = existsSync(out) ? readFileSync(out, "utf8").replaceAll("\r\n", "\n") : "";
    if (process.env.TSCOMPOSE_GUEST_LOG !== undefined) writeFileSync(process.env.TSCOMPOSE_GUEST_LOG, text);
    if (!text.includes("== end\n"))
      throw new Error(`the guest did not come to its end:\n${readFileSync(join(folder, "console"), "utf8")}\n${text}`);
    return readPlayed(text);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readPlayed(text: string): Map<string, Played> {
  const played = new Map<string, Played>();
  for (const part of text.split(/^== /m).slice(1)) {
    const [name = "", ...lines] = part.trimEnd().split("\n");
    // behind the last line where what was printed has no line end
    const [, out = "", code = "-1"] = /^(.*?)\n?(?:= (\d+))?$/s.exec(lines.join("\n")) ?? [];
    played.set(name, { out, code: Number(code) });
  }
  return played;
}

function makeInitrd(folder: string, release: string, script: string): string {
  const root = join(folder, "initrd");
  for (const name of ["bin", "modules", "proc", "sys", "dev"]) mkdirSync(join(root, name), { recursive: true });
  copyFileSync("/bin/busybox", join(root, "bin/busybox"));
  copyFileSync(join(HERE, "init.sh"), join(root, "init"));
  execFileSync("chmod", ["755", join(root, "init")]);
  const modules = join(GROUND, "kernel/lib/modules", release);
  modulesInOrder(readFileSync(join(modules, "modules.dep"), "utf8")).forEach((path, index) => {
    copyFileSync(join(modules, path), join(root, "modules", `${String(index).padStart(2, "0")}-${basename(path)}`));
  });
  const head = `T=${PROGRAM}\n`;
  writeFileSync(
    join(root, "script.sh"),
    head + readFileSync(join(HERE, "checks.sh"), "utf8") + readFileSync(join(HERE, script), "utf8"),
  );
  const initrd = join(folder, "initrd.gz");
  execFileSync("sh", ["-c", 'cd "$0" && find . | cpio --quiet -o -H newc | gzip -1 >"$1"', root, initrd]);
  return initrd;
}

/** The modules and what they need, what is needed first. */
function modulesInOrder(dependencies: string): string[] {
  const nameOf = (path: string): string =>
    basename(path)
      .replace(/\.ko.*$/, "")
      .replaceAll("-", "_");
  const known = new Map(
    dependencies
      .trim()
      .split("\n")
      .map((line) => line.split(": ").flatMap((part) => part.replace(/:$/, "").split(" ")))
      .map(([path = "", ...needs]) => [nameOf(path), { path, needs: needs.filter((need) => need !== "") }] as const),
  );
  const order = new Set<string>();
  const add = (name: string): void => {
    const found = known.get(name);
    if (found === undefined) return;
    for (const need of found.needs.toReversed()) add(nameOf(need));
    order.add(found.path);
  };
  for (const name of MODULES) add(name);
  return [...order];
}
