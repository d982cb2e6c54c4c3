/**
 * Times podman-compose as an ordinary user inside the peers' root folder. The peers script enters it by chroot, where the kernel makes
 * no user namespaces (user_namespaces(7), EPERM); here it becomes the root of a mount namespace instead.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const ROOT = process.env["PEERS_ROOT"] ?? "/var/tmp/peers";

const ENTER = `
umount /sys/fs/cgroup/unified 2>/dev/null
mount --make-rprivate / && mount --bind "$1" "$1" && cd "$1" || exit 1
for d in proc sys dev; do mount --rbind /$d $1/$d; done
mount -t tmpfs t run; mount -t tmpfs t tmp
mkdir -p old && pivot_root . old && cd / && umount -l /old && mount --make-rshared /
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin PODMAN_IGNORE_CGROUPSV1_WARNING=1 N=$2 bash -c "$3"`;

const PREPARE = `
id bench >/dev/null 2>&1 || useradd -m -u 4242 bench
for f in /etc/subuid /etc/subgid; do grep -q ^bench: $f || echo bench:2000000:65536 >>$f; done
chmod 666 /dev/net/tun /dev/fuse
mkdir -p /run/user/4242 /tmp/r/bin && cp /usr/bin/busybox /tmp/r/bin/ && for a in sh sleep; do ln -sf busybox /tmp/r/bin/$a; done
tar -C /tmp/r -cf /tmp/r.tar .
mkdir /tmp/p && { echo services:; for i in $(seq $N); do printf '  s%d:\\n    image: localhost/bb:latest\\n    command: [sleep, "1000"]\\n    init: true\\n' $i; done; } >/tmp/p/compose.yaml
chown -R bench /run/user/4242 /tmp/p && chmod 700 /run/user/4242
exec setpriv --reuid 4242 --regid 4242 --clear-groups env HOME=/home/bench USER=bench XDG_RUNTIME_DIR=/run/user/4242 bash -c '
cd /tmp/p && podman import -q /tmp/r.tar localhost/bb:latest >/dev/null
for verb in "up -d" ps "down -t 0"; do
  s=$(date +%s%N); podman-compose $verb >/tmp/p/out 2>&1 && echo "\${verb%% *} $(( ($(date +%s%N) - s) / 1000000 ))"
done'`;

/** Milliseconds of up, ps and down of `size` services; undefined where the peers are not set up or it does not work. */
export function rootlessPodmanCompose(size: number): { up: number; ps: number; down: number } | undefined {
  if (!existsSync(`${ROOT}/.ready`)) return undefined;
  const { stdout } = spawnSync("unshare", ["-m", "bash", "-c", ENTER, "bash", ROOT, String(size), PREPARE], {
    encoding: "utf8",
    timeout: 300_000,
  });
  const times = Object.fromEntries(stdout.split("\n").map((line) => line.split(" "))) as Record<string, string>;
  const [up, ps, down] = [Number(times["up"]), Number(times["ps"]), Number(times["down"])];
  return [up, ps, down].every((ms) => ms > 0) ? { up, ps, down } : undefined;
}
