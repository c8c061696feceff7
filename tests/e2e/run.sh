#!/usr/bin/env bash
# run.sh TEST BINARY. 77: what the test needs is absent.
cd "$(dirname "$0")"
command -v npm >/dev/null || { echo "npm is absent: skipped"; exit 77; }
exec node "$1" "$2"
