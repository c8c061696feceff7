#!/usr/bin/env bash
# Installs the Debian packages named in the given lists that are not there yet.
set -euo pipefail
# Names and what they provide: the nodejs of others than Debian brings npm along.
installed=$(dpkg-query -W -f='${db:Status-Status} ${Package},${Provides}\n' | sed -n 's/^installed //p' | sed 's/([^)]*)//g' | tr ', ' '\n\n')
missing=()
for package in $(cat "$@"); do
  grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "Installing ${#missing[@]} Debian packages: ${missing[*]}" >&2
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
$as_root apt-get update -q >&2
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
