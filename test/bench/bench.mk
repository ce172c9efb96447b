# make bench: measures what DESIGN.md section 8 asks for. Included by the Makefile; every variable here is a BENCH_ one.
# BENCH=full takes 1 and 10 million events and real time; see test/bench/options.hpp for what else may be set.

BENCH_OBJECTS  = $(patsubst test/bench/%.cpp,build/bench/%.o,$(sort $(wildcard test/bench/*.cpp)))
# The client's encoder of batches, and the client.
BENCH_CORE     = build/bench/core/batch.o build/bench/core/batch_writer.o
BENCH_CLIENT   = build/client/libgravitas_telemetry.a
# Only compared with, and named as absent where they are: tools/deps --bench installs them.
BENCH_PEERS    = $(shell pkg-config --exists spdlog && echo spdlog) \
                 $(shell pkg-config --exists prometheus-cpp-core && echo prometheus-cpp-core)
BENCH_PEER_FLAGS = $(if $(filter spdlog,$(BENCH_PEERS)),-DBENCH_SPDLOG='"$(shell pkg-config --modversion spdlog)"') \
                   $(if $(filter prometheus-cpp-core,$(BENCH_PEERS)),-DBENCH_PROMETHEUS='"$(shell pkg-config --modversion prometheus-cpp-core)"') \
                   $(if $(strip $(BENCH_PEERS)),$(shell pkg-config --cflags $(BENCH_PEERS)))
BENCH_PEER_LIBS  = $(if $(strip $(BENCH_PEERS)),$(shell pkg-config --libs $(BENCH_PEERS)))
BENCH_PG       = $(or $(PG_CONFIG),pg_config)
BENCH_CXXFLAGS = -std=c++20 -O2 -g -Wall -Wextra -pthread -MMD -MP -Iextension/src -Iclient/include $(if $(filter 1,$(WERROR)),-Werror)
# Nothing but the bench works in its cluster: vacuum and compaction run where the bench says so.
BENCH_OPTIONS  = shared_buffers=1GB max_wal_size=16GB autovacuum=off checkpoint_timeout=1h \
                 gravitas_telemetry.maintenance=off

.PHONY: bench-program bench-run
bench-program: build/bench/bench
bench-run: extension bench-program http-program
	@tools/cluster run $(if $(KEEP),--keep) $(addprefix --option ,$(BENCH_OPTIONS)) -- build/bench/bench

build/bench/bench: $(BENCH_OBJECTS) $(BENCH_CORE) $(BENCH_CLIENT)
	$(CXX) -pthread -o $@ $^ -L$(shell $(BENCH_PG) --libdir) -lpq -lz $(BENCH_PEER_LIBS)

$(BENCH_OBJECTS): build/bench/%.o: test/bench/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(BENCH_CXXFLAGS) -I$(shell $(BENCH_PG) --includedir) -c -o $@ $<
# Made anew when a library has come or gone.
build/bench/hot_path_peers.o: BENCH_CXXFLAGS += $(BENCH_PEER_FLAGS)
build/bench/hot_path_peers.o: build/bench/peers
.PHONY: build/bench/peers-now
build/bench/peers: build/bench/peers-now
	@mkdir -p $(@D)
	@[ "$$(cat $@ 2>/dev/null)" = "$(strip $(BENCH_PEERS))" ] || echo "$(strip $(BENCH_PEERS))" > $@

$(BENCH_CORE): build/bench/core/%.o: extension/src/core/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(BENCH_CXXFLAGS) -c -o $@ $<

-include $(BENCH_OBJECTS:.o=.d) $(BENCH_CORE:.o=.d)
