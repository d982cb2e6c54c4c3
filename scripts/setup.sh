#!/usr/bin/env bash
# Brings a fresh Debian machine to the point where tscompose builds and runs. Safe to run again.
#   setup.sh          what tscompose needs to build and run
#   setup.sh --tests  also what the test suites need
set -euo pipefail
cd "$(dirname "$0")/.."

# program → package; a program counts as present when it is found here
run=(conmon:conmon crun:crun runc:runc slirp4netns:slirp4netns pasta:passt newuidmap:uidmap
  fuse-overlayfs:fuse-overlayfs iptables:iptables xz:xz-utils catatonit:catatonit busybox:busybox-static ip:iproute2
  /usr/lib/cni/bridge:containernetworking-plugins /usr/lib/podman/aardvark-dns:aardvark-dns
  /etc/ssl/certs/ca-certificates.crt:ca-certificates cc:gcc make:make /usr/include/zlib.h:zlib1g-dev git:git curl:curl)
tests=(docker-registry:docker-registry htpasswd:apache2-utils runuser:util-linux python3:python3-minimal tmux:tmux)
wanted=("${run[@]}")
# Node packages of nodejs.org and NodeSource bring libuv's header; Debian's do not
beside=$(dirname "$(dirname "$(command -v node || echo /usr/bin/node)")")
for header in "$beside" /usr /usr/local; do [ -e "$header/include/node/uv.h" ] && uv=$header; done
[ -n "${uv:-}" ] || wanted+=(/usr/include/uv.h:libuv1-dev)
[ "${1:-}" = --tests ] && wanted+=("${tests[@]}")

missing=()
for pair in "${wanted[@]}"; do
  program=${pair%%:*} package=${pair##*:}
  case $program in
    /*) [ -e "$program" ] || missing+=("$package") ;;
    catatonit) command -v catatonit >/dev/null || [ -e /usr/libexec/podman/catatonit ] || missing+=("$package") ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || missing+=("$package") ;;
  esac
done

if [ ${#missing[@]} -gt 0 ]; then
  install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    echo "tscompose needs these packages; run this once, then start again:" >&2
    echo "  sudo sh -c '$install'" >&2
    exit 1
  fi
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q >/dev/null
  # docker-registry and redis would try to start themselves
  policy=/usr/sbin/policy-rc.d
  [ -e $policy ] && policy= || { printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; }
  apt-get install -y -q --no-install-recommends "${missing[@]}" >/tmp/tscompose-setup.log 2>&1 || { tail -20 /tmp/tscompose-setup.log >&2; exit 1; }
  [ -z "$policy" ] || rm -f "$policy"
fi

# npm runs on the machine's own Node (20 is enough); everything after runs on the pinned one
if [ ! -x node_modules/node/bin/node ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund --loglevel=error
fi
bash scripts/build.sh
