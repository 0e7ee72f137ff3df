#!/bin/sh
# deps.sh [run|test|all] - install what tandem needs and this machine lacks.
#
#   run   what builds and runs tandem: compiler, libraries, redis-server
#   test  and what its tests need: cmocka, kcat, valgrind, Prometheus, Python, a Java runtime, Maven,
#         and for the page Chromium and Node.js
#   all   and what formats and lints it (the default)
#
# Debian 13 packages every library. Debian 12 has librdkafka 2.0 (stalls for a whole second
# when its local queue is full), hiredis 0.14 (no TLS) and no yyjson: there the first two are
# built once from the source packages of Debian 13, as static libraries under build/deps, and
# yyjson's package is unpacked beside them. Nothing of Debian 13 is installed on the system.
# A second run finds everything and ends at once.
set -eu
cd "$(dirname "$0")/.."

group=${1:-all}
deps=build/deps
recipe='librdkafka>=2.8 hiredis>=1.2 yyjson>=0.10, recipe 1'

say() { printf 'deps: %s\n' "$*"; }
die() { printf 'deps: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root for: $* (neither root nor sudo here)"
    fi
}

codename() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null; }

# Below Debian 13 the distribution's own libraries are too old.
builds_libraries() { [ "$(codename)" = bookworm ]; }

wanted_packages() {
    echo ca-certificates gcc libc6-dev make pkg-config python3 tzdata util-linux
    echo libjansson-dev libxxhash-dev libcsv-dev libmicrohttpd-dev libssl-dev libcurl4-openssl-dev
    echo libgoogle-perftools-dev
    echo redis-server redis-tools
    if builds_libraries; then
        echo debian-archive-keyring dpkg-dev g++
        echo liblz4-dev libsasl2-dev libzstd-dev zlib1g-dev
    else
        echo libhiredis-dev librdkafka-dev libyyjson-dev
    fi
    case $group in
    run) return ;;
    esac
    echo kcat libcmocka-dev openssl prometheus python3-jsonschema valgrind
    echo mmdebstrap python3-yaml systemd # a Docker of the tests' own; what reads deploy/
    java_is_17 || echo default-jre-headless
    command -v mvn >/dev/null || echo maven
    command -v node >/dev/null || echo nodejs npm
    echo chromium python3-venv
    case $group in
    all) echo clang-format clang-tidy ;;
    esac
}

java_is_17() {
    command -v java >/dev/null || return 1
    major=$(java -XshowSettings:properties -version 2>&1 |
        sed -n 's/^ *java\.specification\.version = \([0-9]*\).*/\1/p')
    [ "${major:-0}" -ge 17 ]
}

missing_packages() {
    for package in $(wanted_packages); do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || printf ' %s' "$package"
    done
}

install_packages() {
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    say "installing with apt:$missing"
    had_redis=$(command -v redis-server || true)
    had_prometheus=$(command -v prometheus || true)
    as_root apt-get -q update >build/apt.log 2>&1 || die "apt-get update failed, see build/apt.log"
    # shellcheck disable=SC2086  # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
        $missing >>build/apt.log 2>&1 || die "apt-get install failed, see build/apt.log"
    [ -n "$had_redis" ] || leave_stopped redis-server
    [ -n "$had_prometheus" ] || leave_stopped prometheus
}

# A package that starts a service on a port of its own; tandem starts its own where it needs one.
leave_stopped() { # service
    if [ -d /run/systemd/system ] && [ -e "/lib/systemd/system/$1.service" ]; then
        say "stopping the $1 service that the package has just started"
        as_root systemctl disable --now "$1" >>build/apt.log 2>&1 || true
    fi
}

# --- Debian 12: three libraries from Debian 13 ----------------------------------------------

# apt, on a source list and a state of its own. The list is the system's, one release later.
private_apt() {
    apt-get -q -o Dir::Etc::sourcelist="$prefix/apt/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$prefix/apt/lists" \
        -o Dir::Cache="$prefix/apt/cache" -o APT::Sandbox::User= \
        -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}

write_source_list() {
    mkdir -p "$deps/apt/lists/partial" "$deps/apt/cache/archives/partial"
    [ -n "$(system_suites)" ] || as_root apt-get -q update >>build/apt.log 2>&1
    system_suites | sed -e 's/bookworm/trixie/' >"$deps/apt/sources.list"
    [ -s "$deps/apt/sources.list" ] || die "no Debian entry in this system's apt sources"
}

# shellcheck disable=SC2016  # $(...) is apt's own
system_suites() {
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' 'Component: main' |
        awk -v keyring="$keyring" '$2 ~ /^bookworm(-updates|-security)?$/ && !seen[$0]++ {
            print "deb [signed-by=" keyring "] " $0
            print "deb-src [signed-by=" keyring "] " $0 }'
}

has() { [ -e "$deps/lib/pkgconfig/$1.pc" ]; }

write_pc() { # name version libs: the last step of a library, so that it tells a finished one
    mkdir -p "$deps/lib/pkgconfig"
    # -isystem: their headers are not held to tandem's warnings
    cat >"$deps/lib/pkgconfig/$1.pc" <<END
prefix=\${pcfiledir}/../..
Name: $1
Description: built for tandem
Version: $2
Cflags: -isystem \${prefix}/include
Libs: $3
END
}

fetch_source() { # name: leaves source_dir and version
    say "fetching the source package of $1"
    (cd "$deps/src" && private_apt source --only-source "$1" >>"$log" 2>&1) ||
        die "cannot fetch the source of $1, see $log"
    source_dir=$(find "$deps/src" -maxdepth 1 -type d -name "$1-*")
    version=${source_dir##*-}
}

build_librdkafka() {
    has rdkafka && return
    fetch_source librdkafka
    say "building librdkafka $version (about a minute)"
    # Without curl (it serves OIDC tokens only), as Debian 12's own package.
    (cd "$source_dir" && ./configure --disable-curl && make -j"$(nproc)" libs) >>"$log" 2>&1 ||
        die "librdkafka does not build, see $log"
    mkdir -p "$deps/include/librdkafka"
    cp "$source_dir/src/rdkafka.h" "$source_dir/src/rdkafka_mock.h" "$deps/include/librdkafka/"
    cp "$source_dir/src/librdkafka.a" "$deps/lib/"
    write_pc rdkafka "$version" "\${prefix}/lib/librdkafka.a \
-lsasl2 -lssl -lcrypto -lz -llz4 -lzstd -lm -ldl -lpthread -lrt"
}

build_hiredis() {
    has hiredis_ssl && return
    fetch_source hiredis
    say "building hiredis $version"
    make -C "$source_dir" -j"$(nproc)" USE_SSL=1 static >>"$log" 2>&1 ||
        die "hiredis does not build, see $log"
    mkdir -p "$deps/include/hiredis"
    cp "$source_dir"/*.h "$deps/include/hiredis/"
    cp "$source_dir/libhiredis.a" "$source_dir/libhiredis_ssl.a" "$deps/lib/"
    write_pc hiredis "$version" "\${prefix}/lib/libhiredis.a"
    write_pc hiredis_ssl "$version" \
        "\${prefix}/lib/libhiredis_ssl.a \${prefix}/lib/libhiredis.a -lssl -lcrypto"
}

# Its binary package asks for no more than libc6 >= 2.14, so it is taken as it is.
unpack_yyjson() {
    has yyjson && return
    say "unpacking yyjson"
    (cd "$deps/src" && private_apt download libyyjson0 libyyjson-dev >>"$log" 2>&1) ||
        die "cannot fetch yyjson, see $log"
    for package in "$deps"/src/libyyjson*.deb; do dpkg-deb -x "$package" "$deps/src/yyjson"; done
    cp -P "$deps"/src/yyjson/usr/lib/*/libyyjson.so* "$deps/lib/"
    cp "$deps/src/yyjson/usr/include/yyjson.h" "$deps/include/"
    version=$(dpkg-deb -f "$deps"/src/libyyjson0_*.deb Version)
    write_pc yyjson "${version%%+*}" "-L\${prefix}/lib -Wl,-rpath,\${prefix}/lib -lyyjson"
}

build_libraries() {
    prefix=$PWD/$deps
    log=$PWD/build/deps.log
    stamp="$recipe, $(dpkg --print-architecture)"
    [ "$(cat "$deps/recipe" 2>/dev/null)" = "$stamp" ] || rm -rf "$deps"
    has rdkafka && has hiredis_ssl && has yyjson && return
    say "this is Debian 12: taking librdkafka, hiredis and yyjson from Debian 13"
    mkdir -p "$deps/include" "$deps/lib"
    rm -rf "$deps/src"
    mkdir -p "$deps/src"
    echo "$stamp" >"$deps/recipe"
    : >"$log"
    write_source_list
    private_apt update >>"$log" 2>&1 || die "cannot read Debian 13's package lists, see $log"
    build_librdkafka
    build_hiredis
    unpack_yyjson
    rm -rf "$deps/src" "$deps/apt"
}

check_versions() {
    for need in 'rdkafka >= 2.2' 'hiredis >= 1.0' 'hiredis_ssl >= 1.0' 'yyjson >= 0.9' jansson libcurl; do
        PKG_CONFIG_PATH=$deps/lib/pkgconfig pkg-config --print-errors "$need" ||
            die "tandem needs $need"
    done
}

case $group in
run | test | all) ;;
*) die "usage: deps.sh [run|test|all]" ;;
esac
command -v apt-get >/dev/null ||
    die "no apt here. Install by hand: gcc, make, pkg-config, librdkafka >= 2.2, hiredis >= 1.0 \
with TLS, OpenSSL, yyjson, jansson, xxhash, libcsv, libmicrohttpd, libcurl, tcmalloc-minimal, cmocka, redis-server, \
kcat, python3 with jsonschema, a Java runtime >= 17, Maven"
mkdir -p build
exec 9>build/deps.lock
flock 9 2>/dev/null || true # two makes at once: the second waits; no util-linux yet: go on
install_packages
if builds_libraries; then build_libraries; fi
check_versions
say "everything for '$group' is here"
