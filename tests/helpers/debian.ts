/** Root filesystems for test images out of Debian packages: real servers without a Docker registry on the internet. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const BASE = ["busybox-static", "libc6", "libgcc-s1", "libcrypt1", "zlib1g", "libstdc++6"];
const SYSTEMD = ["libsystemd0", "libcap2", "libgcrypt20", "libgpg-error0", "liblz4-1", "liblzma5", "libzstd1"];
const KERBEROS = ["libgssapi-krb5-2", "libkrb5-3", "libkrb5support0", "libk5crypto3", "libcom-err2", "libkeyutils1"];

const REDIS_CLIENT = [
  "redis-tools",
  "liblua5.1-0",
  "libjemalloc2",
  "liblzf1",
  "libhiredis0.14",
  "libssl3",
  "libatomic1",
  "lua-cjson",
  "lua-bitop",
];
const POSTGRES_CLIENT = [
  "postgresql-client-15",
  "libpq5",
  "libldap-2.5-0",
  "libssl3",
  "libsasl2-2",
  "libreadline8",
  "libtinfo6",
  "libedit2",
  "libbsd0",
  "libmd0",
  "libgnutls30",
  "libhogweed6",
  "libnettle8",
  "libgmp10",
  "libidn2-0",
  "libunistring2",
  "libtasn1-6",
  "libp11-kit0",
  "libffi8",
];
const POSTGRES_SERVER = [
  "postgresql-15",
  "libicu72",
  "libpam0g",
  "libselinux1",
  "libuuid1",
  "libxml2",
  "libxslt1.1",
  "libaudit1",
  "libcap-ng0",
  "libpcre2-8-0",
  "tzdata",
];

/** Packages per image; libraries are named one by one because nothing resolves dependencies for us. */
const PACKAGES = {
  busybox: ["busybox-static"],
  bash: [...BASE, "bash", "libtinfo6"],
  redis: [...BASE, ...SYSTEMD, ...REDIS_CLIENT, "redis-server"],
  nginx: [...BASE, "nginx", "nginx-common", "libpcre2-8-0", "libssl3"],
  postgres: [...BASE, ...SYSTEMD, ...KERBEROS, ...POSTGRES_CLIENT, ...POSTGRES_SERVER],
  app: [...BASE, ...SYSTEMD, ...KERBEROS, ...REDIS_CLIENT, ...POSTGRES_CLIENT],
} as const;

export type TestImage = keyof typeof PACKAGES;

/** Raised whenever what goes into a root filesystem changes, so that a cached one is made again. */
const VERSION = "3";

const PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1::/:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
postgres:x:101:101::/var/lib/postgresql:/bin/sh
redis:x:102:102::/var/lib/redis:/bin/false
app:x:1000:1000::/home/app:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
`;
const GROUP = `root:x:0:
daemon:x:1:
tty:x:5:
www-data:x:33:
postgres:x:101:
redis:x:102:
app:x:1000:
extra:x:2000:app
nogroup:x:65534:
`;

/** Makes (once per cache folder) the root filesystem of one image; its path. Throws when Debian's registry cannot be reached. */
export function debianRootfs(image: TestImage, cache: string): string {
  const rootfs = join(cache, `rootfs-${VERSION}`, image);
  if (existsSync(join(rootfs, ".complete"))) return rootfs;
  rmSync(rootfs, { recursive: true, force: true });
  const debs = join(cache, "debs");
  mkdirSync(debs, { recursive: true });
  mkdirSync(rootfs, { recursive: true });
  execFileSync("chown", ["_apt", debs]);
  const packages: readonly string[] = PACKAGES[image];
  const have = readdirSync(debs);
  const absent = packages.filter((name) => !have.some((file) => file.startsWith(`${name}_`)));
  if (absent.length > 0)
    execFileSync("apt-get", ["download", "-q", ...absent], { cwd: debs, stdio: ["ignore", "pipe", "pipe"] });
  for (const name of packages) {
    const file = readdirSync(debs).find((candidate) => candidate.startsWith(`${name}_`));
    if (file === undefined) throw new Error(`package ${name} was not downloaded`);
    execFileSync("dpkg-deb", ["-x", join(debs, file), rootfs]);
  }
  for (const folder of ["usr/share/doc", "usr/share/man", "usr/share/locale", "etc/init.d", "etc/systemd"]) {
    rmSync(join(rootfs, folder), { recursive: true, force: true });
  }
  for (const folder of [
    "bin",
    "tmp",
    "root",
    "run",
    "etc",
    "var/tmp",
    "home/app",
    "usr/local/bin",
    "proc",
    "sys",
    "dev",
  ]) {
    mkdirSync(join(rootfs, folder), { recursive: true });
  }
  execFileSync("chmod", ["1777", join(rootfs, "tmp"), join(rootfs, "var/tmp")]);
  execFileSync("chown", ["1000:1000", join(rootfs, "home/app")]);
  const applets = execFileSync(join(rootfs, "bin/busybox"), ["--list"], { encoding: "utf8" });
  for (const applet of applets.split("\n").filter((name) => name !== "" && name !== "busybox")) {
    if (!existsSync(join(rootfs, "bin", applet))) symlinkSync("busybox", join(rootfs, "bin", applet));
  }
  writeFileSync(join(rootfs, "etc/passwd"), PASSWD);
  writeFileSync(join(rootfs, "etc/group"), GROUP);
  const extra = join(import.meta.dirname, "images", image);
  if (existsSync(extra)) cpSync(extra, rootfs, { recursive: true, verbatimSymlinks: true });
  writeFileSync(join(rootfs, ".complete"), "");
  return rootfs;
}
