#!/bin/sh
# make-users.sh FOLDER [BUSINESS] >FILE - Redis' ACL file out of users.acl and passwords.
#
#   deploy/redis/make-users.sh secrets >/etc/redis/users.acl
#
# FOLDER holds a file USER.redis with the password of each user; only its SHA-256 goes into the ACL
# file. BUSINESS is the setting `business` (main).
set -eu

template=$(dirname "$0")/users.acl
[ $# -gt 0 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=$1 business=${2:-main}

# One line a user: Redis knows neither comments nor lines that go on.
sed -e '/^ *#/d' -e '/^ *$/d' -e "s/{main/{$business/g" "$template" |
    sed -e ':more' -e '/\\$/{N;s/ *\\\n */ /;b more' -e '}' |
    while read -r user name rest; do
        case $rest in
        *SECRET*)
            [ -s "$folder/$name.redis" ] || { echo "$folder/$name.redis: no password" >&2; exit 1; }
            # sha256sum of the password alone, without the end of its line
            digest=$(tr -d '\r\n' <"$folder/$name.redis" | sha256sum | cut -d' ' -f1)
            rest="${rest%%SECRET*}#$digest${rest#*SECRET}"
            ;;
        esac
        printf '%s %s %s\n' "$user" "$name" "$rest"
    done
