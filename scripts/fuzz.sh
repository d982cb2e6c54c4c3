#!/usr/bin/env bash
# Fuzzes what reads strangers' bytes: `npm run fuzz [-- SECONDS [TARGET…]]`. Findings stay in tests/fuzz/corpus. Last, or alone as target
# `reference`, changed compose files are compared with docker compose's own answers (TSCOMPOSE_FUZZ_MUTANTS of them, 5000).
set -euo pipefail
cd "$(dirname "$0")/.."
node=(node_modules/.bin/node --import ./tests/resolve-ts.js --no-warnings)
targets=()
reference=no
[ $# -gt 1 ] || reference=yes
for target in "${@:2}"; do
  if [ "$target" = reference ]; then reference=yes; else targets+=("$target"); fi
done
status=0
if [ $# -le 1 ] || [ ${#targets[@]} -gt 0 ]; then
  make -s -C native sanitize
  "${node[@]}" tests/fuzz/main.ts "${1:-60}" "${targets[@]}" || status=1
fi
if [ $reference = yes ]; then
  if binary=$(bash scripts/reference.sh); then
    nice "${node[@]}" tests/fuzz/reference/main.ts "$binary" "${TSCOMPOSE_FUZZ_MUTANTS:-5000}" || status=1
  else
    echo "reference: SKIPPED, docker compose's binary cannot be had; TSCOMPOSE_REFERENCE names one" >&2
  fi
fi
exit $status
