#!/usr/bin/env bash
# Runs one pgTAP file on a clone of the template database and prints its TAP, for `prove --exec`.
set -euo pipefail

file=$1
database=pgtap_$(basename "$file" .sql)
psql=(psql -X -q -A -t -v ON_ERROR_STOP=1)
dropdb --if-exists --force "$database" 2>/dev/null
createdb -T "$MILLRACE_TEST_TEMPLATE" "$database"
trap 'dropdb --if-exists --force "$database"' EXIT
"${psql[@]}" -d "$database" -c 'select millrace.adopt()' >/dev/null
"${psql[@]}" -d "$database" -f "$file"
