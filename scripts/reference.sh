#!/usr/bin/env bash
# Prints where Docker Compose's own binary is, to compare with: TSCOMPOSE_REFERENCE, else Debian sid's package, unpacked once into the tests'
# cache (nothing is installed). Fails when it cannot be had.
set -euo pipefail
if [ -n "${TSCOMPOSE_REFERENCE:-}" ]; then
  [ -x "$TSCOMPOSE_REFERENCE" ] || { echo "TSCOMPOSE_REFERENCE=$TSCOMPOSE_REFERENCE is no program" >&2; exit 1; }
  echo "$TSCOMPOSE_REFERENCE"
  exit
fi
folder=${TSCOMPOSE_TEST_CACHE:-/var/tmp/tscompose-tests}/reference
binary=$folder/usr/libexec/docker/cli-plugins/docker-compose
if [ ! -x "$binary" ]; then
  apt=$(mktemp -d)
  trap 'rm -rf "$apt"' EXIT
  mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main" >"$apt/sources.list"
  options=(-q -o "Dir::State=$apt/state" -o Dir::State::status=/dev/null -o "Dir::Cache=$apt/cache"
    -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User=root
    -o Acquire::http::Timeout=20 -o Acquire::Retries=1 -o Acquire::Languages=none)
  apt-get "${options[@]}" update >&2
  (cd "$apt" && apt-get "${options[@]}" download docker-compose >&2)
  dpkg-deb -x "$apt"/docker-compose_*.deb "$apt/x"
  mkdir -p "$folder"
  cp -a "$apt/x/." "$folder/"
fi
echo "$binary"
