#!/usr/bin/env bash
# Builds the native programs and the bundle into native/build and dist.
set -euo pipefail
cd "$(dirname "$0")/.."
node=node_modules/.bin/node
make -s -C native
"$node" scripts/build-schemas.mjs --if-stale
rm -rf dist.new
bundle="node_modules/.bin/esbuild --bundle --platform=node --target=node24 --minify-syntax --legal-comments=none --log-level=warning"
# the library: declarations, and ES modules that share chunks
node_modules/.bin/tsc -p tsconfig.types.json --outDir dist.new/types &
declarations=$!
$bundle engine=src/engine/index.ts compose=src/compose/index.ts project=src/project/index.ts --splitting --format=esm \
  --outdir=dist.new --chunk-names='chunks/[name]-[hash]' \
  --banner:js="import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);"
# the program: chunks that src/cli/load-program.ts compiles with the code cached by warm-code.mjs
"$node" scripts/build-program.mjs dist.new
$bundle src/cli/start.ts --format=cjs --outfile=dist.new/main.cjs
wait "$declarations"
rm -rf dist && mv dist.new dist
"$node" --disable-warning=ExperimentalWarning scripts/warm-code.mjs
"$node" --version >/dev/null
