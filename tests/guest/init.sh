#!/bin/busybox sh
# First program of the guest: this machine's root folder read-only, packages of the guest over it, all writes in memory; the store on a disk.
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sysfs /sys; $b mount -t devtmpfs dev /dev
for module in /modules/*.ko; do $b insmod "$module"; done
$b mkdir -p /host /packages /writes /new
p9=trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144
$b mount -t 9p -o $p9 host /host && $b mount -t 9p -o $p9 packages /packages || $b poweroff -f
$b mount -t tmpfs -o size=50% writes /writes; $b mkdir /writes/upper /writes/work
$b mount -t overlay -o lowerdir=/packages:/host,upperdir=/writes/upper,workdir=/writes/work root /new || $b poweroff -f
for folder in tmp run var/tmp var/lib/tscompose; do $b mkdir -p /new/$folder; $b mount -t tmpfs -o mode=1777 tmpfs /new/$folder; done
$b mount -t ext4 /dev/vda /new/var/lib/tscompose || $b poweroff -f
$b chmod 700 /new/var/lib/tscompose
$b umount /proc; $b mount -t proc proc /new/proc; $b mount --move /sys /new/sys; $b mount --move /dev /new/dev
$b mount -t cgroup2 cgroup2 /new/sys/fs/cgroup
$b mount -t securityfs securityfs /new/sys/kernel/security
$b mkdir -p /new/dev/pts /new/dev/shm /new/dev/mqueue; $b mount -t devpts -o ptmxmode=0666 devpts /new/dev/pts; $b mount -t tmpfs -o mode=1777 shm /new/dev/shm
$b mount -t mqueue mqueue /new/dev/mqueue
$b rm -f /new/.dockerenv
$b cp /script.sh /new/tmp/script.sh
exec $b switch_root /new /bin/sh -c 'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root; cd /tmp; ip link set lo up
  sh /tmp/script.sh >/dev/ttyS1 2>&1 </dev/null; echo "== end" >/dev/ttyS1; sync; busybox poweroff -f'
