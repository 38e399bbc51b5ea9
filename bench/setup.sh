#!/usr/bin/env bash
# Installs the peers of the benchmark: `./dev bench` and `./dev test bench` call it; nothing else needs them.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")"
packages=(postgresql-15-pgq3 redis-server redis-tools)

if [ "$(id -u)" = 0 ]; then as_root=(); else as_root=(sudo); fi
missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "bench: installing ${missing[*]}"
    log=$(mktemp)
    "${as_root[@]}" apt-get update -qq
    # RUNLEVEL=1: Debian would start a Redis of its own, which nobody asked for.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 "${missing[@]}" >"$log" 2>&1 ||
        { tail -n 30 "$log" >&2; exit 1; }
    rm -f "$log"
fi
stamp=peers/node_modules/.installed
if ! cmp -s peers/package-lock.json "$stamp"; then
    echo "bench: installing the peers from npm"
    (cd peers && npm ci --no-audit --no-fund --loglevel=error)
    cp peers/package-lock.json "$stamp"
fi
