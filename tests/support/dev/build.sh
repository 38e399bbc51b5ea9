#!/usr/bin/env bash
# Builds one preset of CMakePresets.json: all of it, or the targets that are named.
#
#     build.sh [PRESET [TARGET...]]
#
# With MILLRACE_UNITY=ON in the environment sources are compiled in groups: sooner ready from nothing, later after a change.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/../../.."
preset=${1:-release}
targets=()
if [ $# -gt 1 ]; then targets=(--target "${@:2}"); fi
mkdir -p build
exec 9>"build/$preset.lock"  # two builds of one folder would disturb each other
flock 9
began=$SECONDS
if [ ! -f "build/$preset/build.ninja" ]; then
    cmake --preset "$preset" "-DMILLRACE_UNITY=${MILLRACE_UNITY:-OFF}" >"build/$preset.configure.log" 2>&1 || { cat "build/$preset.configure.log" >&2; exit 1; }
fi
if [ -t 1 ]; then
    cmake --build --preset "$preset" --parallel "$(nproc)" "${targets[@]}"
else
    echo "build: build/$preset; what the compiler says goes to build/$preset.log"
    cmake --build --preset "$preset" --parallel "$(nproc)" "${targets[@]}" >"build/$preset.log" 2>&1 ||
        { grep -n -m 5 -E 'FAILED|error:' "build/$preset.log"; tail -n 60 "build/$preset.log"; exit 1; } >&2
fi
echo "build: build/$preset is ready ($((SECONDS - began)) s)"
