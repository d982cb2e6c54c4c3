#!/usr/bin/env bash
# Kills commands at random moments: `npm run soak [-- ROUNDS [FIRST-SEED [root|user]…]]`; 300 rounds each as root and as a user. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
exec node_modules/.bin/node --import ./tests/resolve-ts.js --no-warnings tests/faults/soak.ts "$@"
