#!/usr/bin/env bash
# format, lint, types, what is unused, import rules and unit tests; under 30 s.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"
biome check --diagnostic-level=error .
knip --no-progress &
unused=$!
tsc -p tsconfig.json
wait "$unused"
node --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js tests/unit "$@"
