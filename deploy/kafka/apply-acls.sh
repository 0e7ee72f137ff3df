#!/bin/sh
# apply-acls.sh ADDRESS [OPTION...] - gives the roles of acls.txt what they may touch in Kafka.
#
#   deploy/kafka/apply-acls.sh kafka.internal:9094 --command-config admin.properties
#
# Needs Kafka's kafka-acls.sh on the PATH (KAFKA_ACLS names another). Running it again changes
# nothing; what acls.txt no longer names is not taken away. ACLS names another file than the
# acls.txt beside this script, DRY_RUN=1 only prints the commands.
set -eu

acls=${ACLS:-$(dirname "$0")/acls.txt}
kafka_acls=${KAFKA_ACLS:-kafka-acls.sh}
[ $# -gt 0 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
address=$1
shift
[ -z "${DRY_RUN:-}" ] || kafka_acls="echo $kafka_acls"

# One command a user, set of operations and kind of resource: each starts a Java of its own.
commands() {
    awk '
        /^[ \t]*(#|$)/ { next }
        NF != 4 { print FILENAME ":" FNR ": not user, operation, resource, name" >"/dev/stderr"; bad = 1 }
        { at = $1 " " $3 " " $4
          if (!(at in operations)) order[++count] = at
          operations[at] = operations[at] " --operation " $2 }
        END {
            if (bad) exit 1
            for (i = 1; i <= count; i++) {
                split(order[i], word, " ")
                same = word[1] operations[order[i]]
                if (!(same in names)) { heads[++n] = same; user[same] = word[1]; does[same] = operations[order[i]] }
                names[same] = names[same] " --" word[2] " " word[3]
            }
            for (i = 1; i <= n; i++)
                print "--add --allow-principal User:" user[heads[i]] does[heads[i]] names[heads[i]]
        }' "$acls"
}

words=$(commands)
# shellcheck disable=SC2086  # KAFKA_ACLS may be several words
printf '%s\n' "$words" | xargs -L 1 -P 4 $kafka_acls --bootstrap-server "$address" "$@"
