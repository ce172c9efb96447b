# Gravitas Telemetry: the one front door. `make help` lists what there is.

PG_CONFIG ?= pg_config
export PG_CONFIG
VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" extension/gravitas_telemetry.control)
# WERROR=1 turns warnings into errors, as CI does.
export WERROR FUZZ_SECONDS

.DEFAULT_GOAL := build
.PHONY: help deps deps-bench deps-coverage deps-versions build demo check check-sanitize check-versions coverage torture bench clean
help:
	@echo "make deps      install what is needed to build and test (Debian, Ubuntu)"
	@echo "make build     the extension, the client library, the demo and the HTTP service"
	@echo "make demo      set up, time real work on this machine, and show what SQL says about it"
	@echo "                 TRACE=FILE-or-FOLDER replays recorded requests instead; KEEP=1 leaves the cluster up"
	@echo "                 HTTP=1 serves it to your browser afterwards, until Ctrl-C"
	@echo "make check     set up and run all tests"
	@echo "make check-sanitize   the tests of the extension, with ASan and UBSan in the server"
	@echo "make check-versions   the same under PostgreSQL 17 and 18, and an 18 with assertions, in roots of their own (as root)"
	@echo "make coverage   how many lines and branches the tests run"
	@echo "make torture   everything at random for TORTURE_SECONDS=600 beside a server that is killed, starved and full;"
	@echo "                 TORTURE_SEED=N repeats a run's choices"
	@echo "make fuzz      search for inputs that break a decoder, FUZZ_SECONDS=15 for each"
	@echo "make bench     set up and measure; BENCH=full up to 100 million events"
	@echo "make install   the extension, into the Postgres that PG_CONFIG names (uninstall, installcheck: as PGXS does)"
	@echo "make install-client PREFIX=/usr/local    the C++ library and its headers"
	@echo "make http      the HTTP service alone; make install-http PREFIX=/usr/local"
	@echo "make clean     remove what was built"

deps:
	@tools/deps
# What the bench only compares with may be absent.
deps-bench: deps
	@tools/deps --bench || echo 'make bench goes on without them'
deps-coverage: deps
	@tools/deps --coverage
deps-versions: deps
	@tools/deps --versions || echo 'make check-versions tells what it leaves out'

# demo, check and bench install what is missing first; a second make then finds it.
demo check check-sanitize torture: deps
bench: deps-bench
coverage: deps-coverage
	@tools/coverage
demo check check-sanitize torture bench:
	@$(MAKE) --no-print-directory -s -j$$(nproc) $@-run

# ---- The extension: PGXS knows how ----

EXTENSION_MAKE = $(MAKE) --no-print-directory -f extension/pgxs.mk
.PHONY: extension sanitized install installdirs uninstall installcheck
extension:
	+@$(EXTENSION_MAKE) all
sanitized install installdirs uninstall installcheck:
	+@$(EXTENSION_MAKE) $@

# ---- The client, the demo, the tests ----

CLIENT_VERSION := $(VERSION)
include client/client.mk
include client/demo/demo.mk
include client/http/http.mk
include test/test.mk
include test/bench/bench.mk

build: extension client client-examples demo-program http-program

.PHONY: demo-run check-run check-sanitize-run torture-run
demo-run: build $(if $(HTTP),http)
	@tools/cluster run $(if $(KEEP),--keep) -- client/demo/run $(if $(HTTP),--serve) $(TRACE)
check-run: build tests
	@tools/check
check-versions: deps-versions
	@tools/versions
check-sanitize-run: extension sanitized build/test/boundary_probe.so
	@tools/sanitize
torture-run: build tests
	@test/crash/run build/test/torture_test

# A cluster that KEEP=1 left running goes first.
clean:
	@grep -ls '^$(CURDIR)/build/' /tmp/gravitas.*/work | xargs -r -n 1 dirname | xargs -r -n 1 tools/cluster stop
	rm -rf build gravitas_telemetry.so
