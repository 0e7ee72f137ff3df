#!/bin/sh
# stack.sh up|down|status|fetch - a Kafka and a Redis for the demo, the tests and for trying things.
#
# Kafka is the first of: the one given in TANDEM_BROKERS; a real Apache Kafka (one node, KRaft)
# when a Java runtime >= 17 and Maven are here; docker compose when a daemon answers; else the
# mock cluster of librdkafka, good for a demo only. Redis: the one given in TANDEM_REDIS, else
# redis-server on a free port, else docker compose.
#
#   STACK       the folder of its data and logs, default build/stack. What it is made of is
#               written to $STACK.env; another folder is another stack, beside the first.
#   STACK_REAL  1: a mock is not good enough, fail instead
#   STACK_KIND  kafka, docker or mock: this one, and no other
#
# `up` keeps what runs already. `down` ends exactly what `up` started, by process id and start
# time, and removes its data. `fetch` gets the jars of Kafka into build/kafka, and starts nothing.
set -eu
cd "$(dirname "$0")/.."

STACK=${STACK:-build/stack}
case $STACK in
/*) stack=$STACK ;;
*) stack=$PWD/$STACK ;;
esac
env_file=$stack.env
libs=$PWD/build/kafka/libs
kafka_logging=$PWD/scripts/kafka/log4j2.properties
topics='tandem.sales tandem.service tandem.rejected tandem.comparison tandem.verdicts'
patience_s=90

say() { printf 'stack: %s\n' "$*"; }
die() { printf 'stack: %s\n' "$*" >&2; exit 1; }
remember() { printf '%s=%s\n' "$1" "$2" >>"$env_file"; }

# --- processes ------------------------------------------------------------------------------

# Field 22 of /proc/PID/stat; with the id it names one process for good.
started() { sed -e 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

runs() { # pid start-time
    [ -n "$1" ] && [ -n "$2" ] && [ "$(started "$1")" = "$2" ] &&
        ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

launch() { # NAME log command...: leaves pid
    name=$1 log=$2
    shift 2
    setsid "$@" >"$log" 2>&1 </dev/null 8>&- &
    pid=$!
    remember "STACK_${name}_PID" "$pid"
    remember "STACK_${name}_STARTED" "$(started "$pid")"
}

end_process() { # name pid start-time
    runs "$2" "$3" || return 0
    kill "$2" 2>/dev/null || true
    left=300
    while runs "$2" "$3" && [ $left -gt 0 ]; do
        sleep 0.1
        left=$((left - 1))
        [ $left -ne 100 ] || kill -9 "$2" 2>/dev/null || true
    done
    if runs "$2" "$3"; then die "process $2 ($1) does not end"; fi
    say "ended $1, process $2"
}

# True as soon as the command is; false when the process has gone, or patience has.
wait_for() { # pid command...
    waited_pid=$1
    shift
    left=$((patience_s * 10))
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        if [ $left -le 0 ] || ! kill -0 "$waited_pid" 2>/dev/null; then return 1; fi
        sleep 0.1
    done
}

# Below the range that outgoing connections take theirs from, so nobody snatches one.
free_ports() { # count
    python3 - "$1" <<'END'
import random, socket, sys
held = []
while len(held) < int(sys.argv[1]):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", random.randint(20000, 32000)))
        held.append(s)
    except OSError:
        s.close()
print(*(s.getsockname()[1] for s in held))
END
}

# --- the given ones -------------------------------------------------------------------------

# One address of the list accepts a connection.
brokers_answer() {
    python3 - <<'END'
import os, socket, sys
for address in os.environ["TANDEM_BROKERS"].split(","):
    host, _, port = address.split("://")[-1].strip().rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), 5).close()
        sys.exit(0)
    except (OSError, ValueError):
        pass
sys.exit(1)
END
}

# The address speaks Redis. The URL may hold a password: it stays out of any command line.
redis_answers() {
    python3 - <<'END'
import os, socket, ssl, sys
from urllib.parse import urlsplit
url = urlsplit(os.environ["TANDEM_REDIS"])
try:
    if url.scheme == "unix":
        s = socket.socket(socket.AF_UNIX)
        s.connect(url.path)
    else:
        s = socket.create_connection((url.hostname, url.port or 6379), 5)
    if url.scheme == "rediss":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        s = context.wrap_socket(s)
    s.settimeout(5)
    s.sendall(b"PING\r\n")
    sys.exit(s.recv(1) not in (b"+", b"-"))
except (OSError, ValueError) as error:
    sys.exit(str(error))
END
}

# --- Kafka ----------------------------------------------------------------------------------

has_java() {
    command -v mvn >/dev/null && command -v java >/dev/null || return 1
    major=$(java -XshowSettings:properties -version 2>&1 |
        sed -n 's/^ *java\.specification\.version = \([0-9]*\).*/\1/p')
    [ "${major:-0}" -ge 17 ]
}

has_docker() {
    command -v docker >/dev/null && timeout 20 docker info >/dev/null 2>&1 &&
        docker compose version >/dev/null 2>&1
}

fetch_kafka() {
    wanted=$(cksum <scripts/kafka/pom.xml)
    [ "$(cat build/kafka/fetched 2>/dev/null)" = "$wanted" ] && return
    say "fetching Apache Kafka from Maven Central (93 jars, 54 MB, once)"
    rm -rf build/kafka
    mkdir -p build/kafka
    mvn -q -B -f scripts/kafka/pom.xml dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$libs" >build/kafka/mvn.log 2>&1 </dev/null || {
        say "that failed, see build/kafka/mvn.log: $(grep -m 1 ERROR build/kafka/mvn.log)"
        return 1
    }
    echo "$wanted" >build/kafka/fetched
}

write_kafka_settings() { # port controller-port
    {
        cat scripts/kafka/broker.properties
        cat <<END
controller.quorum.voters=1@127.0.0.1:$2
listeners=BROKER://127.0.0.1:$1,CONTROLLER://127.0.0.1:$2
advertised.listeners=BROKER://127.0.0.1:$1
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$stack/kafka
END
    } >"$stack/server.properties"
}

format_kafka() {
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | cut -c 1-22)
    java -Xmx128m -Dlog4j2.configurationFile="$kafka_logging" -cp "$libs/*" \
        kafka.tools.StorageTool format -t "$id" -c "$stack/server.properties" \
        >"$stack/format.log" 2>&1 </dev/null
}

up_kafka() {
    fetch_kafka || return 1
    ports=$(free_ports 2)
    port=${ports% *}
    write_kafka_settings "$port" "${ports#* }"
    format_kafka || die "Kafka does not format its storage, see $stack/format.log"
    launch KAFKA "$stack/kafka.log" java -Xms256m -Xmx768m -Djava.awt.headless=true \
        -Dlog4j2.configurationFile="$kafka_logging" -cp "$libs/*" \
        kafka.Kafka "$stack/server.properties"
    wait_for "$pid" grep -q 'Kafka Server started' "$stack/kafka.log" ||
        die "Kafka does not start, see $stack/kafka.log"
    remember STACK_KAFKA kafka
    remember TANDEM_BROKERS "127.0.0.1:$port"
    say "Kafka: Apache Kafka 4.1 at 127.0.0.1:$port, process $pid (Java and Maven are here)"
}

why_mock() {
    if [ -n "${STACK_KIND:-}" ]; then echo "as asked"; else
        echo "no Java runtime >= 17 with Maven and no Docker here"
    fi
}

up_mock() {
    [ -x build/tests/mock_broker ] || make -s build/tests/mock_broker >&2
    # shellcheck disable=SC2086  # a list of words
    launch KAFKA "$stack/mock.log" build/tests/mock_broker --stay --partitions 4 $topics
    wait_for "$pid" grep '^[0-9.]*:[0-9]' "$stack/mock.log" ||
        die "the mock does not start, see $stack/mock.log"
    brokers=$(grep -m 1 '^[0-9.]*:[0-9]' "$stack/mock.log")
    remember STACK_KAFKA mock
    remember TANDEM_BROKERS "$brokers"
    remember TANDEM_TOPIC_ID_CHECK false
    say "Kafka: the mock cluster of librdkafka at $brokers, process $pid" \
        "($(why_mock); it keeps 5 MB a partition)"
}

compose() { docker compose -p "$(compose_project)" -f docker-compose.yml "$@"; }
compose_project() { printf 'tandem-%s' "$(printf %s "$stack" | cksum | cut -d' ' -f1)"; }

up_docker() { # service variable: leaves port
    port=$(free_ports 1)
    export "$2=$port"
    remember STACK_DOCKER "$(compose_project)"
    compose up -d --wait "$1" >>"$stack/docker.log" 2>&1
}

may_be() { [ "${STACK_KIND:-$1}" = "$1" ]; }

up_broker() {
    if [ -n "${TANDEM_BROKERS:-}" ]; then
        brokers_answer || die "no broker answers at TANDEM_BROKERS=$TANDEM_BROKERS"
        remember STACK_KAFKA given
        remember TANDEM_BROKERS "$TANDEM_BROKERS"
        say "Kafka: the given one at $TANDEM_BROKERS"
    elif may_be kafka && has_java && up_kafka; then
        return
    elif may_be docker && has_docker && up_docker kafka KAFKA_PORT; then
        remember STACK_KAFKA docker
        remember TANDEM_BROKERS "127.0.0.1:$port"
        say "Kafka: docker compose at 127.0.0.1:$port (no Java with Maven here)"
    elif [ "${STACK_REAL:-}" = 1 ]; then
        die "a real Kafka is needed: install a Java runtime >= 17 and Maven, or start Docker"
    elif may_be mock; then
        up_mock
    else
        die "no Kafka of the kind $STACK_KIND can be had here"
    fi
}

# --- Redis ----------------------------------------------------------------------------------

up_own_redis() {
    port=$(free_ports 1)
    mkdir -p "$stack/redis"
    launch REDIS "$stack/redis.log" redis-server --bind 127.0.0.1 --port "$port" \
        --dir "$stack/redis" --save '' --appendonly no --maxmemory-policy noeviction \
        --daemonize no
    wait_for "$pid" redis-cli -p "$port" ping ||
        die "redis-server does not start, see $stack/redis.log"
    remember STACK_REDIS redis-server
    remember TANDEM_REDIS "redis://127.0.0.1:$port"
    say "Redis: redis-server at redis://127.0.0.1:$port, process $pid"
}

up_redis() {
    if [ -n "${TANDEM_REDIS:-}" ]; then
        redis_answers || die "no Redis answers at the address of TANDEM_REDIS"
        remember STACK_REDIS given
        remember TANDEM_REDIS "'$TANDEM_REDIS'"
        say "Redis: the given one"
    elif command -v redis-server >/dev/null; then
        up_own_redis
    elif has_docker && up_docker redis REDIS_PORT; then
        password=$(compose exec -T redis cat /run/secrets/redis-password)
        remember STACK_REDIS docker
        remember TANDEM_REDIS "redis://:$password@127.0.0.1:$port"
        say "Redis: docker compose at redis://127.0.0.1:$port (no redis-server here)"
    else
        die "no Redis: install redis-server, or give TANDEM_REDIS"
    fi
}

# --- the commands ---------------------------------------------------------------------------

# Sets the STACK_ variables of a stack that was started, and only those.
recall() {
    STACK_KAFKA='' STACK_KAFKA_PID='' STACK_KAFKA_STARTED=''
    STACK_REDIS='' STACK_REDIS_PID='' STACK_REDIS_STARTED='' STACK_DOCKER=''
    [ -e "$env_file" ] || return 1
    eval "$(grep '^STACK_[A-Z_]*=[A-Za-z0-9-]*$' "$env_file")"
}

# The address in $1 is none, or the one that the stack has under the name $2.
same_address() {
    [ -z "$1" ] || [ "$1" = "$(sed -n "s/^$2='\{0,1\}\([^']*\).*/\1/p" "$env_file")" ]
}

all_run() {
    recall && [ -n "$STACK_KAFKA" ] && [ -n "$STACK_REDIS" ] || return 1
    same_address "${TANDEM_BROKERS:-}" TANDEM_BROKERS || return 1
    same_address "${TANDEM_REDIS:-}" TANDEM_REDIS || return 1
    [ -z "$STACK_KAFKA_PID" ] || runs "$STACK_KAFKA_PID" "$STACK_KAFKA_STARTED" || return 1
    [ -z "$STACK_REDIS_PID" ] || runs "$STACK_REDIS_PID" "$STACK_REDIS_STARTED" || return 1
    [ "${STACK_REAL:-}" != 1 ] || [ "$STACK_KAFKA" != mock ]
}

end_all() {
    recall || return 0
    end_process "the broker" "$STACK_KAFKA_PID" "$STACK_KAFKA_STARTED"
    end_process "redis-server" "$STACK_REDIS_PID" "$STACK_REDIS_STARTED"
    if [ -n "$STACK_DOCKER" ]; then
        compose down -v >/dev/null 2>&1 || say "docker compose down failed for $STACK_DOCKER"
    fi
    rm -f "$env_file"
}

# Only a folder that `up` made.
remove_data() { [ ! -e "$stack/of-tandem" ] || rm -rf "$stack"; }

up() {
    if all_run; then
        say "already up: $env_file"
        return
    fi
    down
    mkdir -p "$stack"
    : >"$stack/of-tandem"
    : >"$env_file"
    chmod 600 "$env_file" # a given URL may hold a password
    trap 'give_up_on_failure $?' EXIT
    trap 'exit 130' INT TERM HUP
    up_redis
    up_broker
    say "written to $env_file"
}

# Ends what was started half-way; its logs stay.
give_up_on_failure() { [ "$1" = 0 ] || end_all >&2; }

down() {
    end_all
    remove_data
}

status() {
    if ! recall; then
        say "nothing started at $stack"
        return 3
    fi
    sed -e 's#://[^@]*@#://***@#' "$env_file"
    all_run || { say "not all of it runs"; return 1; }
}

mkdir -p "$(dirname "$stack")"
exec 8>"$stack.lock"
flock 8
case ${1:-} in
up | down | status) "$1" ;;
fetch) has_java && fetch_kafka ;;
*) die "usage: stack.sh up|down|status|fetch" ;;
esac
