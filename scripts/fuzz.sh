#!/bin/sh
# fuzz.sh - `make fuzz`: runs each target of tests/fuzz for SECONDS, under sanitizers.
#
#   T         words: only the targets of these names (T='table import')
#   SECONDS   how long each runs, 60
#
# What it learns stays in build/fuzz/corpus for the next time. An input that breaks a target is
# left in build/fuzz and named; run it again with build/fuzz/tests/fuzz/NAME_fuzz FILE.
set -eu
cd "$(dirname "$0")/.."

seconds=${SECONDS_EACH:-60}
b=build/fuzz
if ! command -v clang >/dev/null; then
    echo 'fuzz: needs clang and its runtime (apt-get install clang libclang-rt-dev)' >&2
    exit 1
fi

chosen() {
    for source in tests/fuzz/*_fuzz.c; do
        name=$(basename "$source" _fuzz.c)
        case " ${T:-$name} " in
        *" $name "*) echo "$name" ;;
        esac
    done
}

names=$(chosen)
[ -n "$names" ] || { echo "fuzz: no target is called $T" >&2; exit 1; }
"${PYTHON:-/usr/bin/python3}" tests/fuzz/seeds.py "$b/corpus"

failed=
for name in $names; do
    log=$b/$name.log
    if "$b/tests/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -max_len=16384 -artifact_prefix="$b/$name-" -print_final_stats=1 -verbosity=1 \
        "$b/corpus/$name" >"$log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        echo "ok      $name: $runs inputs in $seconds s"
    else
        failed="$failed $name"
        echo "FAILED  $name: see $log; $(grep -o "$b/$name-[a-z]*-[0-9a-f]*" "$log" | head -1)"
    fi
done
[ -z "$failed" ]
