#!/bin/sh
# demo.sh - the main job from nothing: two CSV files become events, workers count them, a reporter
# publishes the comparison of sale and service, and you read it.
#
# Both files are moved in time, so that their last day is yesterday. With a broker or a Redis of
# your own (TANDEM_BROKERS, TANDEM_REDIS) everything goes into the business `demo` and topics of
# that name. On a terminal it goes on with simulated traffic until Ctrl-C.
set -eu
cd "$(dirname "$0")/.."

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n== %s\n' "$*"; }
tandem=build/tandem
demo=build/demo
children=''

# Ends what this script started, by process id: workers first, then the stack.
finish() {
    status=$?
    trap - EXIT INT TERM
    for pid in $children; do kill "$pid" 2>/dev/null || true; done
    for pid in $children; do wait "$pid" 2>/dev/null || true; done
    STACK=$demo/stack sh scripts/stack.sh down
    exit $status
}

start() { # name command...
    name=$1
    shift
    "$@" >"$demo/$name.log" 2>&1 </dev/null &
    children="$children $!"
}

run() { # name command...: a step whose log is shown only when it fails
    name=$1
    shift
    "$@" 2>"$demo/$name.log" || {
        cat "$demo/$name.log" >&2
        exit 1
    }
}

scripts/deps.sh run
make -s -j"$(nproc)" build/tandem
mkdir -p "$demo"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "A Kafka and a Redis"
own_stack=1
[ -z "${TANDEM_BROKERS:-}${TANDEM_REDIS:-}" ] || own_stack=0
STACK=$demo/stack sh scripts/stack.sh up
set -a
# shellcheck disable=SC1090,SC1091
. "$PWD/$demo/stack.env"
set +a
if [ $own_stack = 0 ]; then
    export TANDEM_BUSINESS=demo TANDEM_TOPICS_SALES=demo.sales TANDEM_TOPICS_SERVICE=demo.service \
        TANDEM_TOPICS_REJECTED=demo.rejected TANDEM_TOPICS_COMPARISON=demo.comparison \
        TANDEM_TOPICS_VERDICTS=demo.verdicts
fi

# Yesterday is the last day of both files; the month before it is whole.
yesterday=$(date -u -d yesterday +%Y-%m-%d)
month=$(date -u -d "$(date -u -d "$yesterday" +%Y-%m-01) -1 day" +%Y-%m)
running=$(date -u -d "$yesterday" +%Y-%m)

say "Topics"
$tandem topics

say "Sales: four years of an office-supplies retailer, shifted to end on $yesterday"
$tandem import --mapping examples/mappings/superstore.json --shift-to "$yesterday" \
    examples/data/superstore.csv
say "Service: a year of a support desk, shifted to end on $yesterday"
$tandem import --mapping examples/mappings/support_tickets.json --shift-to "$yesterday" \
    examples/data/support_tickets.csv

say "Counting, exactly once, into Redis"
run sales-worker $tandem sales-worker --exit-at-end
run service-worker $tandem service-worker --exit-at-end
run customers-worker $tandem customers-worker --exit-at-end
sed -n 's/.*event="worker stopped" //p' "$demo/sales-worker.log" "$demo/service-worker.log" \
    "$demo/customers-worker.log"

say "Publishing the comparison"
sed -e "s/2017-11/$month/" -e "s/2017-12/$running/" examples/targets.json >"$demo/targets.json"
run reporter $tandem reporter --once --targets "$demo/targets.json"

say "English"
$tandem report --at "$month"
say "Română"
$tandem report --at "$month" --lang ro

say "Where to look next"
cat <<END
  make stack-up; set -a; . build/stack.env      a Kafka and a Redis that stay; then, for example
  $tandem topics
  $tandem import --mapping examples/mappings/superstore.json examples/data/superstore.csv
  $tandem sales-worker &   $tandem service-worker &   $tandem customers-worker &
  $tandem reporter --targets examples/targets.json &
  $tandem report --at 2017-11 --scope region=west
  redis-cli -u \$TANDEM_REDIS HGETALL 'tandem:{main}:comparison:month:2017-11:all'
  docs/events.md    what to send               docs/redis.md    what to read
  docs/import.md    your own CSV file          README.md        how the code is laid out
END

if [ ! -t 0 ] || [ ! -t 1 ]; then
    say "Done"
    exit 0
fi

say "Live: simulated traffic until Ctrl-C"
start sales-worker $tandem sales-worker
start service-worker $tandem service-worker
start customers-worker $tandem customers-worker
start reporter $tandem reporter --targets "$demo/targets.json"
start simulate $tandem simulate --rate 20 --events 1000000
start dashboard $tandem dashboard --listen 127.0.0.1:0
page=''
while [ -z "$page" ] && kill -0 "${children##* }" 2>/dev/null; do
    sleep 0.1
    page=$(sed -n 's/.* page=//p' "$demo/dashboard.log")
done
[ -n "$page" ] || { cat "$demo/dashboard.log" >&2; exit 1; }
while :; do
    sleep 3
    printf '\033[H\033[2J'
    $tandem report --period month || true
    printf '\nLive: about 20 events a second are sent, counted and compared. Ctrl-C ends it.\n'
    printf 'The page: %s\n' "$page"
done
