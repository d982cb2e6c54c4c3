#!/usr/bin/env bash
# Builds the native programs and the bundle into native/build and dist.
set -euo pipefail
cd "$(dirname "$0")/.."
node=node_modules/.bin/node
make -s -C native
"$node" scripts/build-schemas.mjs --if-stale
rm -rf dist.new
node_modules/.bin/esbuild engine=src/engine/index.ts compose=src/compose/index.ts main=src/cli/main.ts \
  --bundle --splitting --format=esm --platform=node --target=node24 --minify-syntax --legal-comments=none \
  --outdir=dist.new --chunk-names='chunks/[name]-[hash]' --log-level=warning \
  --banner:js="import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);"
rm -rf dist && mv dist.new dist
"$node" --version >/dev/null
