#!/usr/bin/env bash
# Builds the native programs and the bundle into native/build and dist.
set -euo pipefail
cd "$(dirname "$0")/.."
node=node_modules/.bin/node
make -s -C native
"$node" scripts/build-schemas.mjs --if-stale
rm -rf dist.new
bundle="node_modules/.bin/esbuild --bundle --platform=node --target=node24 --minify-syntax --legal-comments=none --log-level=warning"
# the library: ES modules that share chunks
$bundle engine=src/engine/index.ts compose=src/compose/index.ts --splitting --format=esm \
  --outdir=dist.new --chunk-names='chunks/[name]-[hash]' \
  --banner:js="import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);"
# the program: one file, a function that src/cli/start.ts compiles with the code cached by warm-code.mjs
$bundle src/cli/main.ts --format=cjs --supported:dynamic-import=false --minify-whitespace --line-limit=160 --outfile=dist.new/program.cjs --define:import.meta.url=__url \
  --banner:js='(function (require, module, exports, __filename) { const __url = require("node:url").pathToFileURL(__filename).href;' --footer:js='})'
$bundle src/cli/start.ts --format=cjs --outfile=dist.new/main.cjs
rm -rf dist && mv dist.new dist
"$node" --disable-warning=ExperimentalWarning scripts/warm-code.mjs
"$node" --version >/dev/null
