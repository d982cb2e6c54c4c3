# What the scripts of this folder share: `check NAME COMMAND…` prints a name, what the command prints, and how it ended. The command prints to a
# file: on the serial line it would find a terminal, and draw its progress there.
check() { echo "== $1"; shift; "$@" </dev/null >/tmp/printed 2>&1; ended=$?; cat /tmp/printed; echo "= $ended"; }
# An image `bb:1` of busybox, made by a build.
make_image() {
  mkdir -p /tmp/bb/root/bin /tmp/bb/root/tmp /tmp/bb/root/etc
  cp /bin/busybox /tmp/bb/root/bin/
  for applet in $(busybox --list); do [ $applet = busybox ] || ln -s busybox /tmp/bb/root/bin/$applet; done
  # with labels, which busybox does not show
  for file in $(ldd /bin/ls | grep -o '/[^ ]*'); do cp -L --parents "$file" /tmp/bb/root/; done
  cp /bin/ls /tmp/bb/root/bin/lsz
  printf 'FROM scratch\nCOPY root /\nCMD ["/bin/sleep","1000"]\n' >/tmp/bb/Dockerfile
  $T image build -q -t bb:1 /tmp/bb
}
