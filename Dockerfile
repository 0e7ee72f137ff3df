# One image for every role of tandem: the role is the command, `docker run tandem sales-worker`.
#
#   docker build -t tandem .
#
# The upstream version of every library is pinned, so a build means the same tomorrow; fixes that
# Debian makes to that version come in. For the same bytes as well, give the base by its digest:
# --build-arg BASE=debian@sha256:...

ARG BASE=debian:trixie-slim

# --- what tandem needs to run, once for both stages below
FROM ${BASE} AS libraries
RUN apt-get -q update \
 && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
        ca-certificates tzdata \
        libcsv3=3.0.* libcurl4t64=8.14.* libhiredis1.1.0=1.2.* libjansson4=2.14* libmicrohttpd12t64=1.0.* \
        librdkafka1=2.8.* libtcmalloc-minimal4t64=2.16* libxxhash0=0.8.* libyyjson0=0.10.* \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* \
        /var/cache/ldconfig/aux-cache

# --- compiled here; nothing of this stage but the binary is kept
FROM libraries AS build
RUN apt-get -q update \
 && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
        gcc=4:14.* libc6-dev=2.41* make=4.4.* pkgconf=1.8.* libssl-dev=3.5.* \
        libcsv-dev=3.0.* libcurl4-openssl-dev=8.14.* libgoogle-perftools-dev=2.16* \
        libhiredis-dev=1.2.* \
        libjansson-dev=2.14* libmicrohttpd-dev=1.0.* librdkafka-dev=2.8.* \
        libxxhash-dev=0.8.* libyyjson-dev=0.10.*
WORKDIR /src
COPY . .
RUN make -s -j"$(nproc)" CFLAGS='-O2 -ffile-prefix-map=/src=.' build/tandem \
 && strip build/tandem

# --- the image
FROM libraries
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tandem" \
      org.opencontainers.image.description="Counts sale and service events from Kafka into Redis and compares them" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /src/build/tandem /usr/bin/tandem
COPY LICENSE /usr/share/doc/tandem/copyright
# No account of the system: a number that owns nothing in here.
USER 65532:65532
# Where every role answers /healthz, /readyz and /metrics; `tandem health` asks it.
ENV TANDEM_LISTEN=0.0.0.0:9464
EXPOSE 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s CMD ["/usr/bin/tandem", "health"]
ENTRYPOINT ["/usr/bin/tandem"]
CMD ["help"]
