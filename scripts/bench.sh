#!/usr/bin/env bash
# up / ps / down of 1, 5 and 20 services beside the peers, as ratios of one run. `npm run bench -- 5 20` picks sizes.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh --tests
exec node_modules/.bin/node --import ./tests/resolve-ts.js --no-warnings tests/perf/up-down.ts "$@"
