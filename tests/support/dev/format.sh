#!/usr/bin/env bash
# clang-format on the C++ sources; --check says what it would change and fails.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/../../.."
mode=(-i)
[ "${1:-}" = --check ] && mode=(--dry-run --Werror)
git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs clang-format "${mode[@]}"
