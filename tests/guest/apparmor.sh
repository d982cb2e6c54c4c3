# AppArmor on a real kernel: the default profile, others, and what they deny.
check image make_image
run() { $T container run --rm --network none "$@"; }
attr='cat /proc/1/attr/current'
check enabled cat /sys/module/apparmor/parameters/enabled
check 'doctor before' sh -c "$T doctor --security | grep -A3 'security module'"
check 'default' run bb:1 sh -c "$attr"
check 'loaded' grep tscompose-default /sys/kernel/security/apparmor/profiles
check 'doctor after' sh -c "$T doctor --security | grep -A3 'security module'"
check 'unconfined' run --security-opt apparmor=unconfined bb:1 sh -c "$attr"
check 'privileged' run --privileged bb:1 sh -c "$attr"
check 'missing' run --security-opt apparmor=nobody-has-this bb:1 true
printf 'profile mine flags=(attach_disconnected,mediate_deleted) {\n file,\n capability,\n network,\n signal,\n unix,\n deny /secret r,\n}\n' >/tmp/mine
check 'load mine' apparmor_parser --replace --skip-cache /tmp/mine
check 'named' run --security-opt apparmor=mine bb:1 sh -c "$attr; echo x >/secret; cat /secret"
printf 'profile mine flags=(attach_disconnected,complain) {\n file,\n}\n' >/tmp/mine.complain
check 'named, privileged' run --privileged --security-opt apparmor=mine bb:1 sh -c "$attr"
apparmor_parser --replace --skip-cache /tmp/mine.complain
check 'named, complains' run --security-opt apparmor=mine bb:1 sh -c "$attr"

# what docker's own profile denies, asked with every capability and no seccomp: nothing but the profile is in the way
naked='--cap-add ALL --security-opt seccomp=unconfined --security-opt systempaths=unconfined'
acts='mount -t tmpfs none /tmp; mount --bind /bin /tmp; mount -o remount,rw /proc/sys; echo h >/proc/sysrq-trigger; echo 1 >/proc/sys/kernel/panic; head -c1 /proc/kcore; head -c1 /proc/kallsyms; echo x >/sys/kernel/mm/ksm/run; head -c1 /sys/kernel/security/apparmor/profiles; ls /sys/firmware/acpi; umount /dev/shm && echo unmounted'
check 'denied' run $naked bb:1 sh -c "$acts"
check 'not denied without' run $naked --security-opt apparmor=unconfined bb:1 sh -c 'mount -t tmpfs none /tmp && echo mounted; head -c1 /proc/kallsyms'
check 'allowed' run bb:1 sh -c 'echo a >/tmp/a && cat /tmp/a; sleep 100 & kill -9 $!; echo killed; chmod 700 /tmp/a; ping -c1 -W1 127.0.0.1 >/dev/null; echo net $?; cat /proc/self/status >/dev/null && echo proc'
sleep 5000 & outside=$!
check 'ptrace and signals across' run $naked --pid host bb:1 sh -c "kill -9 $outside; cat /proc/$outside/environ | head -c3; readlink /proc/$outside/exe"
check 'outside lives' kill -0 $outside

cat >/tmp/compose.yaml <<C
services:
  a: { image: "bb:1", network_mode: none, healthcheck: { test: ["CMD", "true"], interval: 1s } }
  b: { image: "bb:1", network_mode: none, security_opt: ["apparmor:unconfined"] }
C
check up $T -f /tmp/compose.yaml up -d --wait --quiet-pull
check 'compose a' $T -f /tmp/compose.yaml exec -T a sh -c "$attr; cat /proc/self/attr/current; mount -t tmpfs none /tmp"
check 'exec privileged' $T -f /tmp/compose.yaml exec -T --privileged a sh -c "cat /proc/self/attr/current"
check 'compose b' $T -f /tmp/compose.yaml exec -T b sh -c "$attr"
check 'inspect' sh -c "$T inspect tmp-a-1 tmp-b-1 | grep AppArmorProfile"
check 'host kills' $T -f /tmp/compose.yaml kill
printf 'FROM bb:1\nRUN --network=none cat /proc/1/attr/current && ! mount -t tmpfs none /tmp\n' >/tmp/bb/Dockerfile.step
check 'build' $T image build -f /tmp/bb/Dockerfile.step /tmp/bb
check down $T -f /tmp/compose.yaml down -t 0

# the profile is loaded again when it is not there, and when it is not ours
echo -n tscompose-default >/sys/kernel/security/apparmor/.remove
check 'removed' run bb:1 sh -c "$attr"
printf 'profile tscompose-default flags=(attach_disconnected) {\n file,\n capability,\n network,\n mount,\n signal,\n}\n' | apparmor_parser --replace --skip-cache
check 'changed' run $naked bb:1 sh -c "$attr; mount -t tmpfs none /tmp"
printf 'profile tscompose-default flags=(attach_disconnected,complain) {\n file,\n}\n' | apparmor_parser --replace --skip-cache
check 'complains' run $naked bb:1 sh -c "$attr; mount -t tmpfs none /tmp"
mount --bind /bin/false "$(command -v apparmor_parser)"
check 'stays without the parser' run bb:1 sh -c "$attr"
echo -n tscompose-default >/sys/kernel/security/apparmor/.remove
check 'cannot be loaded' run bb:1 true
umount "$(command -v apparmor_parser)"

# as an ordinary user
useradd -m -u 4242 guest 2>/dev/null; echo guest:100000:65536 >>/etc/subuid; echo guest:100000:65536 >>/etc/subgid
mkdir -p /run/user/4242 /home/guest; chown 4242 /run/user/4242 /home/guest; chmod 755 /tmp/bb /tmp/bb/root
user() { su guest -s /bin/sh -c "export XDG_RUNTIME_DIR=/run/user/4242 HOME=/home/guest; $*"; }
check 'user image' user "$T image build -q -t bb:1 /tmp/bb"
check 'user default' user "$T container run --rm --network none bb:1 sh -c '$attr'"
check 'user asks' user "$T container run --rm --network none --security-opt apparmor=mine bb:1 true"
check 'user unconfined' user "$T container run --rm --network none --security-opt apparmor=unconfined bb:1 true"
check 'user doctor' user "$T doctor --security | grep -A3 'security module'"
