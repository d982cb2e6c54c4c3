#!/usr/bin/env bash
# Everything CI runs: setup, checks, every suite, the leak check. Ends with `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh --tests || { echo "setup failed"; echo "0 passed, 1 failed"; exit 1; }
make -s -C native sanitize >/dev/null || { echo "native/build-sanitize cannot be built"; echo "0 passed, 1 failed"; exit 1; }
exec node_modules/.bin/node --import ./tests/resolve-ts.js --no-warnings scripts/run-suites.ts "$@"
