#!/usr/bin/env bash
# The security modules of a real kernel: makes what a qemu guest needs (once: 90 MB of Debian packages, some minutes), then plays
# tests/guest in it. `npm run guest [-- JEST-ARGUMENTS]`. Needs root, Debian's registry, and a built program.
set -euo pipefail
cd "$(dirname "$0")/.."
ground=${TSCOMPOSE_GUEST:-/var/tmp/tscompose-guest}
here=$PWD

missing=()
for pair in qemu-system-x86_64:qemu-system-x86 depmod:kmod cpio:cpio mkfs.ext4:e2fsprogs; do
  PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
[ ${#missing[@]} = 0 ] || DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null

# apt of another release beside this machine's: its lists and packages stay in the ground
apt_of() { # RELEASE apt-get ARGUMENTS…
  local release=$1 state=$ground/apt-$1
  shift
  mkdir -p "$state/lists/partial" "$state/archives/partial"
  touch "$state/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $release main" >"$state/sources.list"
  apt-get -q -o APT::Sandbox::User=root -o Dir::State="$state" -o Dir::Cache="$state" -o Dir::State::Status="$state/status" \
    -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null "$@"
}
unpack() { # RELEASE FOLDER PACKAGE…
  local release=$1 folder=$2 debs
  shift 2
  debs=$(mktemp -d)
  mkdir -p "$folder"
  (cd "$debs" && apt_of "$release" download "$@" >/dev/null)
  for deb in "$debs"/*.deb; do dpkg-deb -x "$deb" "$folder"; done
  rm -rf "$debs"
}
# Older packages bring folders where this machine has links into /usr: over it, they would hide its own programs.
merge_usr() { # FOLDER
  for name in bin sbin lib lib64; do
    [ -d "$1/$name" ] && [ ! -L "$1/$name" ] || continue
    mkdir -p "$1/usr/$name"
    cp -a "$1/$name/." "$1/usr/$name/"
    rm -rf "${1:?}/$name"
  done
}

if [ ! -e "$ground/ready" ]; then
  echo "making $ground"
  rm -rf "$ground"
  mkdir -p "$ground"
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  for name in "$release" trixie; do apt_of "$name" update >/dev/null; done

  image=$(apt_of bookworm update >/dev/null && apt-cache -o Dir::State="$ground/apt-bookworm" -o Dir::Cache="$ground/apt-bookworm" \
    -o Dir::Etc::SourceList="$ground/apt-bookworm/sources.list" -o Dir::Etc::SourceParts=/dev/null depends linux-image-amd64 |
    grep -om1 'linux-image-[0-9][^ ]*')
  unpack bookworm "$ground/kernel" "$image"
  depmod -b "$ground/kernel" "$(ls "$ground/kernel/lib/modules")"

  # over this machine's root folder in the guest: what only it needs
  unpack "$release" "$ground/packages" apparmor libselinux1 selinux-utils policycoreutils libsemanage2 libsepol2 attr
  merge_usr "$ground/packages"

  # Debian 12's policy knows no containers; 13's is compiled by its own tools, for the guest's kernel
  tools=$ground/tools
  unpack trixie "$tools" selinux-policy-default policycoreutils selinux-utils libsemanage2 libsemanage-common libsepol2 libselinux1 \
    libaudit1 libcap-ng0 libbz2-1.0 libpcre2-8-0 libc6
  for name in lib lib64 sbin bin; do [ -e "$tools/$name" ] || ln -s "usr/$name" "$tools/$name"; done
  mkdir -p "$tools/var/lib/selinux/default" "$tools/tmp"
  printf 'module-store = direct\npolicy-version = 33\nexpand-check = 0\n' >"$tools/etc/selinux/semanage.conf"
  printf 'SELINUX=permissive\nSELINUXTYPE=default\n' >"$tools/etc/selinux/config"
  cp "$here/tests/guest/engine.cil" "$tools/tmp/"
  modules=$(cd "$tools/usr/share/selinux/default" && for file in *.pp.bz2; do echo "-i /usr/share/selinux/default/$file"; done)
  # shellcheck disable=SC2086
  chroot "$tools" /usr/sbin/semodule -n -s default -X 100 $modules -X 400 -i /tmp/engine.cil
  mkdir -p "$ground/packages/etc/selinux"
  cp -a "$tools/etc/selinux/config" "$tools/etc/selinux/default" "$ground/packages/etc/selinux/"
  rm -rf "$tools" "$ground"/apt-*
  touch "$ground/ready"
fi
exec bash scripts/jest.sh --runInBand --forceExit tests/guest "$@"
