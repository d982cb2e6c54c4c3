#!/usr/bin/env bash
# jest under the pinned Node; arguments go to jest.
set -euo pipefail
cd "$(dirname "$0")/.."
node_modules/.bin/node scripts/build-schemas.mjs --if-stale
exec node_modules/.bin/node --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js "$@"
