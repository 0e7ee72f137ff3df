#!/bin/sh
# box.sh FOLDER TREE - a Docker daemon where there is none, which leaves nothing behind.
#
# Run by box.py as `unshare --mount --pid --fork --kill-child sh box.sh ...`: mounts, processes and
# the network of the daemon and of its containers are in namespaces of their own, and its data in
# memory; when this process ends, all of it has gone. Inside is a Debian 13, made of the packages
# of the system's own apt sources, with Docker in it and TREE at its place, read-only. A plain copy
# of it, without Docker, is the image debian:trixie-slim. Of the network it reaches what the system
# does, through slirp4netns, and nobody reaches it.
#
# Prints the number, in this namespace, of the process whose network the daemon is in.
set -eu
folder=$1 tree=$2
step() { printf 'box: %s\n' "$*" >&2; }

# The system's Debian entries, of Debian 13 whatever the system is.
# shellcheck disable=SC2016  # $(...) is apt's own
sources() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' 'Component: main' |
        awk '$2 ~ /^(bookworm|trixie)(-updates|-security)?$/ && !seen[$0]++ {
            sub(/bookworm/, "trixie", $2)
            print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " $0 }'
}

make_root() {
    sources >"$folder/sources.list"
    [ -s "$folder/sources.list" ] || { apt-get -q update >&2 && sources >"$folder/sources.list"; }
    # What `slim` leaves out is left out; the tar is taken before Docker goes in.
    TMPDIR=$folder mmdebstrap --quiet --variant=minbase --mode=root \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook="tar --one-file-system --sort=name -C \"\$1\" -cf '$folder/slim.tar' \
            --exclude='./var/lib/apt/lists/*' --exclude='./var/cache/apt/*' --exclude='./dev/*' \
            --exclude='./proc/*' --exclude='./sys/*' ." \
        --customize-hook='chroot "$1" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
            --no-install-recommends docker.io docker-cli docker-compose slirp4netns iproute2 \
            python3-minimal >/dev/null' \
        trixie "$folder/root" - <"$folder/sources.list" >&2
}

enter_root() {
    cd "$folder/root"
    mount --bind . .
    cd "$folder/root"
    mount -t proc proc proc
    mount --rbind /sys sys
    mount --rbind /dev dev
    mkdir -p ".$tree" old images
    mount --bind "$tree" ".$tree"
    mount -o remount,bind,ro ".$tree"
    mv "$folder/slim.tar" images/
    pivot_root . old
    umount -l old
    cd /
}

start_network() {
    unshare --net sh -c 'ip link set lo up; exec sleep infinity' &
    network=$!
    echo nameserver 10.0.2.3 >/etc/resolv.conf # slirp4netns answers there
    ours=$(readlink /proc/self/ns/net)
    until [ "$(readlink "/proc/$network/ns/net")" != "$ours" ]; do sleep 0.05; done
    slirp4netns --configure --mtu=1400 --disable-host-loopback "$network" tap0 \
        >/run/slirp.log 2>&1 &
    until grep -q tap0 "/proc/$network/net/dev"; do sleep 0.05; done
}

mount -t tmpfs -o mode=700,size=90% box "$folder"
step "making a Debian 13 with Docker"
make_root
enter_root
start_network
step "starting dockerd"
nsenter --net="/proc/$network/ns/net" dockerd --cgroup-parent "/$(basename "$folder")" \
    >/run/dockerd.log 2>&1 &
daemon=$!
until docker version >/dev/null 2>&1; do
    kill -0 "$daemon" 2>/dev/null || { cat /run/dockerd.log >&2; exit 1; }
    sleep 0.1
done
docker import - debian:trixie-slim </images/slim.tar >/dev/null
rm /images/slim.tar
echo "$network"
exec sleep infinity
