#!/usr/bin/env bash
# Fuzzes what reads strangers' bytes: `npm run fuzz [-- SECONDS [TARGET…]]`. Findings stay in tests/fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."
make -s -C native sanitize
exec node_modules/.bin/node --import ./tests/resolve-ts.js --no-warnings tests/fuzz/main.ts "$@"
