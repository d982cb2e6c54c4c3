#!/usr/bin/env bash
# up / ps / down of 1, 5 and 20 services and `config` of small and large files beside the peers, as ratios of one run.
# `npm run bench -- 5 20` picks sizes, `npm run bench -- config` measures only `config`.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh --tests
# the first time, this makes a Debian root folder with both peers (minutes)
[ ! -x ../shared/bench/peers ] || ../shared/bench/peers setup >/dev/null 2>&1 || echo "the peers cannot be set up here" >&2
run() { node_modules/.bin/node --import ./tests/resolve-ts.js --no-warnings "$@"; }
run tests/perf/config.ts
[ "${1:-}" = config ] || run tests/perf/up-down.ts "$@"
