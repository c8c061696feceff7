#!/usr/bin/env bash
# Installs the Debian packages named in the given lists that are not there yet.
set -euo pipefail
missing=()
for package in $(cat "$@"); do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "Installing ${#missing[@]} Debian packages: ${missing[*]}" >&2
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
$as_root apt-get update -q >&2
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
