#!/usr/bin/env bash
# The engine's tests under the thread sanitizer, built for it.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/../../.."
tests/support/dev/build.sh tsan tests_engine
exec ctest --test-dir build/tsan --output-on-failure --progress -j 2 -L '^engine$'
