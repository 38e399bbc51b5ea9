#!/usr/bin/env bash
# Runs one file of pgTAP, or a program in Python that prints TAP, on a clone of the template database, for `prove --exec`.
set -euo pipefail

file=$1
name=$(basename "$file")
database=pgtap_${name%.*}
psql=(psql -X -q -A -t -v ON_ERROR_STOP=1)
dropdb --if-exists --force "$database" 2>/dev/null
createdb -T "$MILLRACE_TEST_TEMPLATE" "$database"
trap 'dropdb --if-exists --force "$database"' EXIT
"${psql[@]}" -d "$database" -c 'select millrace.adopt()' >/dev/null
case $file in
    *.py) PGDATABASE=$database /usr/bin/python3 "$file" ;;
    *) "${psql[@]}" -d "$database" -f "$file" ;;
esac
