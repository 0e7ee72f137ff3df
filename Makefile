# tandem - `make help` says what there is to make.
#
#   make                              build/tandem
#   make test T=seen                  only the tests of this name, * as in a shell
#   make test SANITIZE=address,undefined   the same in a build of its own, with sanitizers

CC        = gcc
CFLAGS   ?= -O2 -g
PYTHON   ?= /usr/bin/python3
T        ?=
MINUTES  ?= 0
SANITIZE ?=
SECONDS   = 60
STACK    ?= build/stack
SEEDS    ?= 20000

comma := ,
# What is built: build/tandem, or build/address-undefined/tandem beside it.
B := build$(if $(SANITIZE),/$(subst $(comma),-,$(SANITIZE)))

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Werror
PACKAGES := rdkafka hiredis hiredis_ssl openssl yyjson jansson libxxhash libmicrohttpd libcurl

# Debian 12: what scripts/deps.sh built; elsewhere the folder is not there.
pkg_config := PKG_CONFIG_PATH=$(CURDIR)/build/deps/lib/pkgconfig:$(PKG_CONFIG_PATH) pkg-config

# Warnings are for our own headers, so those of libraries come by -isystem.
library_flags = $(patsubst -I%,-isystem %,$(shell $(pkg_config) --cflags $(PACKAGES)))

ALL_CPPFLAGS  = -I. -I$(B)/gen -D_GNU_SOURCE $(library_flags) $(CPPFLAGS)
ALL_CFLAGS    = -std=c17 $(WARNINGS) -pthread $(CFLAGS)
ALL_LIBS      = $(shell $(pkg_config) --libs $(PACKAGES)) -lcsv -lm

ifeq ($(SANITIZE),)
# tandem itself is optimized as a whole: the path of a record goes through a dozen files. Objects
# hold plain code too, and the hundred test programs are linked from that: it is much faster. What
# a compiler warns of only there is no mistake of one file.
WHOLE      := -flto=auto -ffat-lto-objects
LINK_WHOLE := $(WHOLE) -Wno-error
BY_FILE    := -fno-lto
# librdkafka's threads allocate and free across each other: half as fast again with tcmalloc.
ALLOCATOR := -Wl,--no-as-needed -ltcmalloc_minimal -Wl,--as-needed
else
# What the sanitizers insert makes gcc see uses of what was never set.
ALL_CFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer \
              -Wno-error=maybe-uninitialized
endif

sources := $(wildcard common/*.c producers/*.c producers/*/*.c consumers/*/*.c)
scripts := $(wildcard common/*.lua consumers/*/*.lua)
units   := $(wildcard tests/unit/*_test.c)
helpers := $(filter-out $(units),$(wildcard tests/unit/*.c))
tools   := $(wildcard tests/tools/*.c)
# The simulator of faults, and the test that its store does as Redis does.
doubles := $(filter-out %_test.c,$(wildcard tests/simulator/*.c))
benches := parts load floor latency
bench_programs := $(benches:%=$(B)/bench/%) $(B)/bench/floor-malloc
shared  := $(filter-out $(benches:%=bench/%.c),$(wildcard bench/*.c))
c_files := $(wildcard main.c) $(sources) $(units) $(helpers) $(tools) $(wildcard tests/fuzz/*.c tests/simulator/*.c) \
           $(wildcard bench/*.c)
h_files := $(wildcard common/*.h producers/*.h producers/*/*.h consumers/*/*.h tests/*/*.h bench/*.h)

objects     := $(sources:%.c=$(B)/obj/%.o)
headers     := $(patsubst %.lua,$(B)/gen/%_lua.h,$(notdir $(scripts))) $(B)/gen/page_files.h
page        := $(wildcard consumers/dashboard/page/*) schemas/dashboard.openapi.json
unit_tests  := $(units:tests/unit/%.c=$(B)/tests/unit/%)
test_tools  := $(tools:tests/tools/%.c=$(B)/tests/%)
fuzzers     := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/*_fuzz.c))

.PHONY: all tests fuzzers fuzz deps stack-up stack-down stack-status demo test fmt fmt-check lint \
        test-browser test-compose test-security faults clean distclean help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/tandem

$(B)/tandem: $(B)/obj/main.o $(B)/libtandem.a
	$(CC) $(ALL_CFLAGS) $(LINK_WHOLE) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) $(ALLOCATOR)

# Everything but main.c, for the tests.
$(B)/libtandem.a: $(objects)
	@rm -f $@
	@rm -f $@
	ar rcs $@ $^

$(B)/obj/%.o: %.c | $(headers)
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(WHOLE) -MD -MP -c -o $@ $<

# common/apply.lua becomes `static const char apply_lua[]` of "apply_lua.h".
vpath %.lua common $(wildcard consumers/*)
$(B)/gen/%_lua.h: %.lua
	@mkdir -p $(@D)
	@{ echo 'static const char $*_lua[] ='; \
	   sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$$/\\n"/' $<; \
	   echo '    ;'; } >$@

# The page's files become one array in "page_files.h", so that tandem needs none of them to run.
$(B)/gen/page_files.h: $(page) scripts/embed.sh
	@mkdir -p $(@D)
	@scripts/embed.sh $(page) >$@

tests: $(B)/tandem $(unit_tests) $(test_tools) $(B)/tests/simulate $(B)/tests/double_test $(B)/bench/parts $(fuzzers:$(B)/%=$(B)/obj/%.o)

# Files of tests/unit that are no test of their own are shared by all of them, as are the rules of
# customers, which the simulator has too.
$(B)/libunit.a: $(helpers:%.c=$(B)/obj/%.o) $(B)/obj/tests/simulator/customer_rules.o
	@rm -f $@
	@rm -f $@
	ar rcs $@ $^

$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(B)/libunit.a $(B)/libtandem.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(BY_FILE) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) -lcmocka

$(B)/tests/%: $(B)/obj/tests/tools/%.o $(B)/libtandem.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(BY_FILE) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) $(ALLOCATOR)

# Built by clang, in build/fuzz; gcc's warnings are gcc's.
fuzzers: $(fuzzers)

$(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(B)/libtandem.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(ALL_LIBS)

fuzz:
	@! command -v clang >/dev/null || $(MAKE) -s B=build/fuzz CC=clang WARNINGS=-w \
	    SANITIZE=fuzzer-no-link,address,undefined fuzzers
	@SECONDS_EACH='$(SECONDS)' PYTHON='$(PYTHON)' T='$(T)' scripts/fuzz.sh

# Counted by callgrind, so no allocator that it would have to see through.
$(B)/bench/parts: BENCH_ALLOCATOR =
$(B)/bench/%: BENCH_ALLOCATOR = $(ALLOCATOR)
$(B)/bench/%: $(B)/obj/bench/%.o $(shared:%.c=$(B)/obj/%.o) $(B)/libtandem.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LINK_WHOLE) $(LDFLAGS) -o $@ $^ $(ALL_LIBS) $(BENCH_ALLOCATOR)

$(B)/bench/floor-malloc: $(B)/obj/bench/floor.o $(B)/libtandem.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(BY_FILE) $(LDFLAGS) -o $@ $^ $(ALL_LIBS)

bench bench-quick: $(B)/tandem $(bench_programs)
	@$(PYTHON) bench/run.py $(if $(findstring quick,$@),--quick) $(BENCH)

bench: bench-customers-fast
.PHONY: bench-customers-fast
bench-customers-fast: $(B)/tandem $(bench_programs) $(test_tools)
	@$(PYTHON) bench/customers.py --without report,faults,order,memory

bench-customers: $(B)/tandem $(test_tools)
	@$(PYTHON) bench/customers.py $(BENCH)

bench-parts: $(B)/bench/parts
	@$(PYTHON) bench/parts.py $(if $(CHECK),--check) $(if $(RECORD),--record)

# Zones take milliseconds to read: all workers of a schedule share one.
simulator_link = $(BY_FILE) -Wl,--wrap=zone_open,--wrap=zone_free $(ALL_LIBS)

$(B)/tests/simulate: $(doubles:%.c=$(B)/obj/%.o) $(B)/libtandem.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(BY_FILE) $(LDFLAGS) -o $@ $^ $(simulator_link)

$(B)/tests/double_test: $(addprefix $(B)/obj/tests/simulator/,double_test.o double_ledger_test.o \
        memory.o blob.o) $(B)/libtandem.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(BY_FILE) $(LDFLAGS) -o $@ $^ $(ALL_LIBS)

simulate-faults: $(B)/tests/simulate
	$< --seeds $(SEEDS)

# What a test needs that compiles one changed file itself: compiler, flags; linker's flags.
print-flags:
	@echo '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)'
	@echo '$(simulator_link)'

deps:
	@scripts/deps.sh

stack-up stack-down stack-status:
	@STACK='$(STACK)' scripts/stack.sh $(@:stack-%=%)

demo:
	@scripts/demo.sh

test:
	@SANITIZE='$(SANITIZE)' PYTHON='$(PYTHON)' T='$(T)' scripts/test.sh

# A Kafka and a Redis with TLS, users and rights, set up by the commands of docs/security.md.
test-security:
	@$(MAKE) -s test T=security

# docker-compose.yml in a Docker of its own; needs no tandem built here.
test-compose:
	@scripts/deps.sh test
	@'$(PYTHON)' -u tests/compose/compose_test.py -v

# The page in Debian's Chromium; part of `make test`. Screenshots lie in build/screenshots.
test-browser:
	@$(MAKE) -s test T=page

# On a Kafka, Redis and Sentinels of its own; one round, or as long as MINUTES says.
faults: $(B)/tandem $(test_tools)
	@TANDEM_BIN='$(CURDIR)/$(B)/tandem' '$(PYTHON)' tests/faults/run.py --minutes '$(MINUTES)' \
	    --only $(T)

fmt:
	clang-format -i $(c_files) $(h_files)

fmt-check:
	clang-format --dry-run -Werror $(c_files) $(h_files)

lint: $(headers)
	printf '%s\n' $(c_files) | \
	    xargs -P 2 -I{} clang-tidy --quiet {} -- -std=c17 $(ALL_CPPFLAGS)

# build/deps stays: it takes a minute to make again.
clean:
	rm -rf build/obj build/gen build/tests build/tandem build/*.a $(dir $(wildcard build/*/obj))

distclean:
	rm -rf build

help:
	@echo 'make                 build/tandem'
	@echo 'make demo            the whole of tandem on example data, in two minutes'
	@echo 'make test [T=name]   every test on a real Kafka and Redis, or those of this name'
	@echo 'make test-security   a Kafka and a Redis that let in only whom they know, by docs/security.md'
	@echo 'make test-compose     the image and docker-compose.yml, in a Docker of its own (root)'
	@echo 'make test-browser    the page in a browser; screenshots in build/screenshots'
	@echo 'make faults [MINUTES=30] [T=name]   kills, cuts off and fills up, compares every counter'
	@echo 'make tests           builds the test programs only'
	@echo 'make bench           tandem beside its alternatives; bench-quick: in three minutes'
	@echo 'make bench-customers the customers of a business of two years, against the oracle'
	@echo 'make bench-parts     what an event costs; CHECK=1 judges it, RECORD=1 accepts it'
	@echo 'make simulate-faults [SEEDS=n]   the worker under n schedules of faults'
	@echo 'make deps            installs what is missing (apt, with sudo when not root)'
	@echo 'make stack-up        starts a Kafka and a Redis, see build/stack.env'
	@echo 'make stack-down      ends exactly those; stack-status tells of them'
	@echo 'make fuzz [SECONDS=60] [T=name]   any bytes for every parser (clang, libclang-rt-dev)'
	@echo 'make fmt | fmt-check | lint'
	@echo 'make clean           what was compiled; distclean: the libraries built for it too'
	@echo
	@echo 'SANITIZE=address,undefined   a build and test run with these sanitizers'
	@echo 'STACK=folder                 a second stack beside the first (build/stack)'

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
