#!/usr/bin/env bash
# Builds one preset of CMakePresets.json.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/../../.."
preset=${1:-release}
[ -f "build/$preset/build.ninja" ] || { mkdir -p build && cmake --preset "$preset" >"build/$preset.configure.log"; } ||
    { cat "build/$preset.configure.log" >&2; exit 1; }
began=$SECONDS
if [ -t 1 ]; then
    cmake --build --preset "$preset"
else
    cmake --build --preset "$preset" >"build/$preset.log" 2>&1 || { tail -n 60 "build/$preset.log" >&2; exit 1; }
fi
echo "build: build/$preset is ready ($((SECONDS - began)) s)"
