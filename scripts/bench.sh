#!/usr/bin/env bash
# up / ps / down of 1, 5 and 20 services and `config` of small and large files beside the peers, as ratios of one run.
# `npm run bench -- 5 20` picks sizes, `npm run bench -- config` measures only `config`.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh --tests
run() { node_modules/.bin/node --import ./tests/resolve-ts.js --no-warnings "$@"; }
run tests/perf/config.ts
[ "${1:-}" = config ] || run tests/perf/up-down.ts "$@"
