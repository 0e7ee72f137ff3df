#!/bin/sh
# embed.sh FILE... - text files as C: `#define PAGE_FILES {path, type, data, length}, ...`
set -eu

type_of() {
    case $1 in
    *.html) echo 'text/html; charset=utf-8' ;;
    *.css) echo 'text/css; charset=utf-8' ;;
    *.js) echo 'text/javascript; charset=utf-8' ;;
    *.svg) echo 'image/svg+xml' ;;
    *.json) echo 'application/json' ;;
    *) echo "embed: $1: of which type?" >&2; exit 1 ;;
    esac
}

path_of() {
    case $1 in
    *.openapi.json) echo /api/v1/openapi.json ;;
    *) echo "/${1##*/}" ;;
    esac
}

number=0
table=''
for file; do
    type=$(type_of "$file")
    echo "static const char page_$number[] ="
    # \? because "??(" means something else to a C compiler
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/^/    "/' -e 's/$/\\n"/' "$file"
    echo '    ;'
    table="$table {\"$(path_of "$file")\", \"$type\", page_$number, sizeof page_$number - 1},"
    number=$((number + 1))
done
echo "#define PAGE_FILES$table"
