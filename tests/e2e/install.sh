#!/usr/bin/env bash
# Installs the packages of package-lock.json, once for each version of it. 77: npm is absent.
set -euo pipefail
cd "$(dirname "$0")"
command -v npm >/dev/null || { echo "npm is absent: skipped"; exit 77; }
[ node_modules/.package-lock.json -nt package-lock.json ] && exit 0
npm ci --no-audit --no-fund
touch node_modules/.package-lock.json
