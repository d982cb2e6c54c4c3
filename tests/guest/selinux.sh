# SELinux on a real kernel with Debian 13's policy, enforcing: labels of containers, of their files, and what they keep apart.
check 'before a policy' sh -c "$T doctor --security | grep -A1 'security module'"
mount -t selinuxfs selinuxfs /sys/fs/selinux
load_policy -i 2>&1 | tail -3
check 'as' cat /proc/self/attr/current
setenforce 0
# nodes of before the policy; a user's containers get the machine's own
restorecon -R /dev
# V8 writes code; Debian's policy leaves that to this switch
setsebool allow_execmem on
check 'permissive' sh -c "$T doctor --security | grep -A1 'security module'"
# an ordinary user, whose store is on the same disk: made while nothing is denied
useradd -u 4242 guest 2>/dev/null; echo guest:100000:65536 >>/etc/subuid; echo guest:100000:65536 >>/etc/subgid
mkdir -p /run/user/4242 /home/guest /var/lib/tscompose/user; chown 4242 /run/user/4242 /var/lib/tscompose/user
mount --bind /var/lib/tscompose/user /home/guest
cat >/tmp/checks <<'C'
setenforce 1
as() { cat /proc/self/attr/current; getenforce; }
check 'context' as
make_image
run() { $T container run --rm --network none "$@"; }
check 'doctor' sh -c "$T doctor --security | grep -A1 'security module'"
check 'default' run bb:1 sh -c 'cat /proc/1/attr/current; echo; lsz -Z / | head -3; lsz -Zd /dev/shm; lsz -Z /etc/hosts; echo a >/a && cat /a /etc/hosts >/dev/null && echo usable; grep " / " /proc/mounts'
check 'denials early' sh -c 'dmesg -c | grep -i "avc.*denied" | grep -v associate | sed "s/.*avc: //"'
check 'disable' run --security-opt label=disable bb:1 sh -c 'cat /proc/1/attr/current; echo; echo a >/a && echo usable'
check 'privileged' run --privileged bb:1 sh -c 'cat /proc/1/attr/current; echo; echo a >/a && echo usable'
check 'type' run --security-opt label=type:spc_t --security-opt label=level:s0:c100,c200 bb:1 sh -c 'cat /proc/1/attr/current; echo; lsz -Zd /bin'
check 'unknown type' run --security-opt label=type:nobody_has_this_t bb:1 true
check 'injection' run --security-opt 'label=filetype:usr_t",ro' bb:1 true
mkdir -p /var/lib/tscompose/host/plain/sub /var/lib/tscompose/host/z /var/lib/tscompose/host/private; cd /var/lib/tscompose/host
for folder in plain z private; do echo hello >$folder/file; done; chmod 755 . ; chmod -R a+rwX .
check 'plain is denied' run -v $PWD/plain:/data bb:1 sh -c 'cat /data/file'
check 'z' run -v $PWD/z:/data:z bb:1 sh -c 'cat /data/file && echo more >/data/more'
check 'Z' run -v $PWD/private:/data:Z bb:1 sh -c 'cat /data/file && cat /proc/1/attr/current'
check 'labels of the three' sh -c 'for f in plain/file z z/file private private/file; do getfattr --absolute-names -h -n security.selinux --only-values $f | tr "\0" "\n"; echo; done'
check 'Z of another is denied' run -v $PWD/private:/data bb:1 cat /data/file
check 'refused' run -v /etc:/data:z bb:1 true
check 'volume' sh -c "$T container run --rm --network none -v vol:/data bb:1 sh -c 'echo a >/data/a' && $T container run --rm --network none -v vol:/data bb:1 sh -c 'lsz -Zd /data; lsz -Z /data/a'"
cat >compose.yaml <<Y
services:
  a: { image: "bb:1", network_mode: none, ipc: shareable, secrets: [s], tmpfs: [/t], volumes: ["data:/v"], stop_grace_period: 0s }
  b: { image: "bb:1", network_mode: none, ipc: "service:a", pid: "service:a", stop_grace_period: 0s }
  c: { image: "bb:1", network_mode: none, configs: [{ source: k, target: /k }], volumes: ["data:/v"], stop_grace_period: 0s }
  h: { image: "bb:1", network_mode: none, pid: host, stop_grace_period: 0s }
secrets: { s: { environment: WORD } }
configs: { k: { content: "config" } }
volumes: { data: {} }
Y
export WORD=secret
check 'up' $T --progress plain up -d --quiet-pull
inside() { $T exec -T "$@"; }
check 'a' inside a sh -c 'cat /proc/1/attr/current; echo; cat /run/secrets/s; echo; lsz -Z /run/secrets/s; echo x >/t/x; lsz -Z /t/x; echo y >/dev/shm/y; lsz -Z /dev/shm/y; echo v >/v/file; lsz -Zd /v'
check 'b' inside b sh -c 'cat /proc/self/attr/current; echo; cat /dev/shm/y; kill -0 1 && echo signals'
check 'c' inside c sh -c 'cat /proc/1/attr/current; echo; cat /k; echo; lsz -Z /k'
check 'h' inside h sh -c 'cat /proc/self/attr/current'
check 'copy' sh -c "echo copied >/tmp/copied; $T cp /tmp/copied c:/copied; $T exec -T c sh -c 'cat /copied; lsz -Z /copied'"
check 'restart' sh -c "$T exec -T c cat /proc/1/attr/current; echo; $T restart c >/dev/null 2>&1; $T exec -T c cat /proc/1/attr/current"
apid=$($T inspect --format '{{.State.Pid}}' host-a-1)
check 'of another is denied' $T container run --rm --network none --pid host --security-opt label=type:container_t bb:1 sh -c "cat /proc/$apid/root/v/file /proc/$apid/environ; kill -9 $apid"
check 'inspect' sh -c "$T inspect host-a-1 | grep -E 'ProcessLabel|MountLabel|AppArmorProfile'"
check 'down' $T down -v
mkdir -p ctx; echo FROM-CONTEXT >ctx/file; echo skipped >ctx/no; printf 'no\n' >ctx/.dockerignore
cat >ctx/Dockerfile <<D
FROM bb:1 AS base
RUN --network=none cat /proc/1/attr/current && echo made >/made && lsz -Z /made && mkdir /m && cp /bin/busybox /m/busybox
RUN --network=none --mount=type=bind,target=/src --mount=type=cache,target=/cache --mount=type=tmpfs,target=/t cat /src/file && echo c >/cache/c && echo t >/t/t && lsz -Z /cache/c
RUN --network=none --mount=type=bind,from=bb:1,target=/other --mount=type=bind,target=/rw,rw ls /other/bin/busybox && echo w >/rw/w
D
check 'build' $T --progress plain image build -t built -f ctx/Dockerfile ctx
check 'built' run built sh -c '/m/busybox cat /made; lsz -Z /made; ls /rw /src 2>&1; true'
check 'runc' run --runtime runc bb:1 sh -c 'cat /proc/1/attr/current; echo; lsz -Z / | head -1; lsz -Z /etc/hosts; echo a >/a && cat /a /etc/hosts >/dev/null && echo usable'
check 'runc, plain is denied' run --runtime runc -v $PWD/plain:/data bb:1 cat /data/file
cat >runc.yaml <<Y
services: { r: { image: "bb:1", runtime: runc, network_mode: none, stop_grace_period: 0s } }
Y
check 'runc up' $T -f runc.yaml up -d --quiet-pull
check 'runc copy' sh -c "$T -f runc.yaml cp /tmp/copied r:/copied; $T -f runc.yaml exec -T r sh -c 'cat /proc/self/attr/current; echo; cat /copied; lsz -Z /copied'"
check 'runc restart' sh -c "$T -f runc.yaml exec -T r cat /proc/1/attr/current; echo; $T -f runc.yaml restart r >/dev/null 2>&1; $T -f runc.yaml exec -T r cat /proc/1/attr/current"
check 'runc down' $T -f runc.yaml down

# as an ordinary user
chmod -R a+rX /tmp/bb
user() { (cd /home/guest && setpriv --reuid 4242 --regid 4242 --init-groups env HOME=/home/guest XDG_RUNTIME_DIR=/run/user/4242 sh -c "$*"); }
check 'user as' user 'cat /proc/self/attr/current; id'
check 'user image' user "$T image build -q -t bb:1 /tmp/bb"
check 'user doctor' user "$T doctor --security | grep -A1 'security module'"
check 'user default' user "$T container run --rm --network none bb:1 sh -c 'cat /proc/1/attr/current; echo; lsz -Z / | head -3; lsz -Zd /dev/shm; lsz -Z /etc/hosts; echo a >/a && cat /a /etc/hosts >/dev/null && echo usable'"
check 'user binds' user "mkdir -p plain z; echo hello >plain/file; echo hello >z/file; chmod -R a+rwX plain z; $T container run --rm --network none -v \$PWD/z:/data:z bb:1 sh -c 'cat /data/file && echo more >/data/more && echo written'; $T container run --rm --network none -v \$PWD/plain:/data bb:1 cat /data/file"
check 'user volume' user "$T container run --rm --network none -v vol:/data bb:1 sh -c 'echo a >/data/a && lsz -Zd /data'"
printf 'services: { u: { image: "bb:1", network_mode: none, stop_grace_period: 0s } }\n' >/home/guest/user.yaml
check 'user up' user "$T -f user.yaml up -d --quiet-pull"
check 'user copy' user "echo copied >copied; $T -f user.yaml cp copied u:/copied; $T -f user.yaml exec -T u sh -c 'cat /copied; lsz -Z /copied'"
check 'user restart' user "$T -f user.yaml exec -T u cat /proc/1/attr/current; echo; $T -f user.yaml restart u >/dev/null 2>&1; $T -f user.yaml exec -T u cat /proc/1/attr/current"
check 'user down' user "$T -f user.yaml down"
check 'denials' sh -c 'dmesg | grep -i "avc.*denied" | sed "s/.*avc: //" | sort | uniq -c | sort -rn | head -40'
C
cat /tmp/script.sh | sed -n '1,/^# SELinux/p' >/tmp/with-checks; cat /tmp/checks >>/tmp/with-checks
runcon unconfined_u:unconfined_r:unconfined_t:s0 sh /tmp/with-checks
check 'ended' true
