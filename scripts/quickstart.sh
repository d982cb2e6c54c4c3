#!/usr/bin/env bash
# From a fresh checkout to a running example: packages, build, `up`, and an answer from the published port.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
cd examples/quickstart
cp "$(command -v busybox)" app/busybox
tscompose=../../bin/tscompose
"$tscompose" up -d --build --wait
"$tscompose" ps
address=$("$tscompose" port web 8080)
echo "http://$address answers:"
curl -fsS --retry 20 --retry-connrefused --retry-delay 1 "http://${address/0.0.0.0/127.0.0.1}/"
cat <<'S'

Try, in examples/quickstart:
  ../../bin/tscompose logs -f
  ../../bin/tscompose exec web sh
  ../../bin/tscompose down -v
S
