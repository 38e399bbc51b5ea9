#!/usr/bin/env bash
# Formatting of everything, and clang-tidy on the sources that differ from the main line (--all: on all of them).
#
# A source counts as changed when it, or a header that it includes by name, differs.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/../../.."
tests/support/dev/format.sh --check
echo "lint: formatting is as it should be"

cmake -S . -B build/lint -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++ -DMILLRACE_FUZZ=ON >/dev/null
ninja -C build/lint embedded_sql.cpp >/dev/null  # and with it the list of sources is as it is now

mapfile -t sources < <(git ls-files 'worker/*.cpp' 'tests/*.cpp' 'bench/*.cpp')
if [ "${1:-}" != --all ]; then
    empty=$(git hash-object -t tree /dev/null)  # a clone without history: everything has changed
    base=$(git merge-base HEAD origin/main 2>/dev/null) || base=HEAD
    [ "$(git rev-parse "$base")" != "$(git rev-parse HEAD)" ] || base=$(git rev-parse -q --verify HEAD~1) || base=$empty
    mapfile -t touched < <(git diff --name-only --diff-filter=d "$base" -- 'worker/*.[ch]pp' 'tests/*.[ch]pp' \
        'bench/*.[ch]pp')
    [ ${#touched[@]} -gt 0 ] || { echo "lint: no C++ has changed"; exit 0; }
    changed=()
    for source in "${sources[@]}"; do
        for file in "${touched[@]}"; do
            included=${file#worker/}
            included="#include \"${included#tests/}\""
            if [ "$source" = "$file" ] || { [[ $file == *.hpp ]] && grep -qF "$included" "$source"; }; then
                changed+=("$source")
                break
            fi
        done
    done
    sources=("${changed[@]}")
    [ ${#sources[@]} -gt 0 ] || { echo "lint: what has changed, no source includes"; exit 0; }
fi
echo "lint: clang-tidy on ${#sources[@]} sources"
printf '%s\n' "${sources[@]}" | xargs -P 2 -n 4 clang-tidy -p build/lint --quiet --warnings-as-errors='*' 2>/dev/null
echo "lint: nothing to complain about"
