#!/usr/bin/env bash
# Writes the API reference of the library's faces to docs/reference. typedoc reads programs through the TypeScript 6 it is fetched with:
# the version that this repository compiles with has no such interface.
set -euo pipefail
cd "$(dirname "$0")/.."
exec npx --yes -p typedoc@0.28.20 -p typescript@6.0.3 typedoc --tsconfig tsconfig.types.json --name tscompose --readme none \
  --entryPoints src/engine/index.ts src/compose/index.ts src/project/index.ts --excludeInternal --disableSources \
  --treatWarningsAsErrors --validation.notExported false --out docs/reference "$@"
