#!/bin/sh
# test.sh - `make test`: installs what is missing, builds, starts a Kafka and a Redis of its own,
# runs the tests and ends what it started.
#
#   T         words: only the tests of these names (T=seen: tests/unit/seen_test.c;
#             T=worker: the unit and the system test of that name; T='seen redis*')
#   SANITIZE  address,undefined: builds apart, in build/address-undefined, and tests that
#   TANDEM_BROKERS, TANDEM_REDIS   tests against these instead; it has to be a real Kafka
set -eu
cd "$(dirname "$0")/.."

SANITIZE=${SANITIZE:-}
PYTHON=${PYTHON:-/usr/bin/python3}
build=build${SANITIZE:+/$(printf %s "$SANITIZE" | tr , -)}

scripts/deps.sh test
make -s -j"$(nproc)" SANITIZE="$SANITIZE" tests

TANDEM_BIN=$PWD/$build/tandem
TANDEM_BUILD=$PWD/$build
export TANDEM_BIN TANDEM_BUILD SANITIZE
if [ -n "$SANITIZE" ]; then
    export ASAN_OPTIONS="${ASAN_OPTIONS:-strict_string_checks=1:detect_stack_use_after_return=1}"
    export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
fi

# shellcheck disable=SC2086  # a list of words
run_tests() { "$PYTHON" scripts/run_tests.py "$@" ${T:-}; }

# A stack for this run alone, named after its process, so that two runs do not share one.
# A run that was killed outright could not end its own: the next one does.
end_orphans() {
    for left in "$build"/test-stack-*.env; do
        owner=${left##*-}
        if [ -e "$left" ] && [ ! -d "/proc/${owner%.env}" ]; then
            STACK=${left%.env} scripts/stack.sh down
        fi
    done
}

end_stack() {
    scripts/stack.sh down >/dev/null # quietly: the count of the tests stays the last line
    rm -f "$STACK.lock"
}

needs=$(run_tests --needs) || exit 2
if [ "$needs" = stack ]; then
    end_orphans
    STACK=$build/test-stack-$$
    STACK_REAL=1
    export STACK STACK_REAL
    trap end_stack EXIT
    trap 'exit 130' INT TERM HUP
    scripts/stack.sh up
    set -a
    # shellcheck disable=SC1090  # written by stack.sh
    . "$PWD/$STACK.env"
    set +a
fi
run_tests
