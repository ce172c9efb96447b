# What the tests need built. Included by the Makefile; tools/check runs them.

CORE_SOURCES = $(sort $(wildcard extension/src/core/*.cpp))
UNIT_SOURCES = $(sort $(wildcard test/unit/*_test.cpp))
# Compiled without Postgres' headers on the path, so that core cannot come to know them; and with the sanitizers, so that
# every run of the unit tests is a check for undefined behaviour too.
UNIT_CXXFLAGS = -std=c++20 -O1 -g -Wall -Wextra $(if $(WERROR),-Werror) -Iextension/src -MMD -MP \
                -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_OBJECTS = $(patsubst %.cpp,build/unit/%.o,$(CORE_SOURCES) $(UNIT_SOURCES))

.PHONY: tests
tests: build/test/unit_test build/test/boundary_probe.so client-tests http-tests fuzzers

build/unit/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(UNIT_CXXFLAGS) -c -o $@ $<
build/test/unit_test: $(UNIT_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) $(UNIT_CXXFLAGS) -o $@ $^ -lgtest -lgtest_main -lz -pthread
-include $(UNIT_OBJECTS:.o=.d)

# The extension's build says for which PostgreSQL it was.
build/postgres-version: extension ;
# A module for test/pgtap/boundary.sql, made of the extension's own boundary.
PROBE_SOURCES = test/boundary/boundary_probe.cpp extension/src/pg/boundary.cpp
build/test/boundary_probe.so: $(PROBE_SOURCES) $(wildcard extension/src/pg/*.hpp extension/src/core/*.hpp) build/postgres-version
	@mkdir -p $(@D)
	$(CXX) -std=gnu++20 -O2 -g -fPIC -shared -Wall -Wextra -Wno-register -Wno-unused-parameter $(if $(WERROR),-Werror) \
	    -Iextension/src -isystem $(shell $(PG_CONFIG) --includedir-server) -o $@ $(PROBE_SOURCES)

# Where clang is, the product's sources are shown to it too, for its warnings.
CLANG         := $(shell command -v clang++)
CLANG_SOURCES  = $(wildcard extension/src/*.cpp extension/src/*/*.cpp client/src/*.cpp client/demo/*.cpp client/examples/*.cpp) \
                 $(if $(HTTP_LIBRARY),$(HTTP_SOURCES))
CLANG_CHECKED  = $(if $(CLANG),$(CLANG_SOURCES:%.cpp=build/clang/%.checked))
.PHONY: clang
tests: clang
clang: $(CLANG_CHECKED)
build/clang/%.checked: %.cpp
	@mkdir -p $(@D)
	$(CLANG) -fsyntax-only -std=gnu++20 -Wall -Wextra -Wno-register -Wno-unused-parameter $(if $(WERROR),-Werror) \
	    -Iextension/src -Iclient/include -Iclient/http -DGRAVITAS_HTTP_VERSION='""' $(HTTP_CFLAGS) $(CLIENT_PQ_CFLAGS) \
	    -isystem $(CLANG_POSTGRES) -MMD -MP -MT $@ -MF $(@:.checked=.d) $<
	@touch $@
CLANG_POSTGRES := $(shell $(PG_CONFIG) --includedir-server)
-include $(CLANG_CHECKED:.checked=.d)

# Decoders of what may come from outside. Each target runs over its committed corpus with any compiler; where clang has
# libFuzzer, it also searches on from there.
FUZZ_TARGETS = $(patsubst test/fuzz/%_fuzz.cpp,%,$(sort $(wildcard test/fuzz/*_fuzz.cpp)))
FUZZ_CLANG  := $(shell ls $$(clang++ -print-runtime-dir 2>/dev/null)/libclang_rt.fuzzer*.a >/dev/null 2>&1 && echo clang++)
FUZZ_SECONDS ?= 15

.PHONY: fuzzers fuzz
fuzzers: $(FUZZ_TARGETS:%=build/fuzz/%_replay) $(if $(FUZZ_CLANG),$(FUZZ_TARGETS:%=build/fuzz/%_fuzz))

build/fuzz/%_replay: test/fuzz/%_fuzz.cpp test/fuzz/replay.cpp test/fuzz/fuzz.hpp $(filter build/unit/extension/%,$(UNIT_OBJECTS))
	@mkdir -p $(@D)
	$(CXX) $(filter-out -MMD -MP,$(UNIT_CXXFLAGS)) -o $@ $(filter-out %.hpp,$^) -lz
build/fuzz/%_fuzz: test/fuzz/%_fuzz.cpp test/fuzz/fuzz.hpp $(CORE_SOURCES) $(wildcard extension/src/core/*.hpp)
	@mkdir -p $(@D)
	$(FUZZ_CLANG) -std=c++20 -O1 -g -Iextension/src -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	    -o $@ $(filter %.cpp,$^) -lz

# For as long as one wants: make fuzz FUZZ_SECONDS=3600. What it finds is left in build/fuzz.
fuzz: fuzzers
	@test/scripts/fuzz_test.sh
build/fuzz/seed_corpus: test/fuzz/seed_corpus.cpp $(filter build/unit/extension/%,$(UNIT_OBJECTS))
	$(CXX) $(filter-out -MMD -MP,$(UNIT_CXXFLAGS)) -o $@ $^ -lz

# Tests that kill the server, with the client as it is.
CRASH_OBJECTS = $(patsubst test/%.cpp,build/test/%.o,$(sort $(wildcard test/crash/*_test.cpp)) test/crash/faults.cpp test/crash/small_disk.cpp)
tests: build/test/crash_test build/test/exit_client
build/test/crash/%.o: test/crash/%.cpp
	@mkdir -p $(@D)
	$(CLIENT_COMPILE) -Itest -c -o $@ $<
build/test/crash_test: $(CRASH_OBJECTS) $(CLIENT_BUILD)/test/support.o $(CLIENT_BUILD)/$(CLIENT_LIB).a
	@mkdir -p $(@D)
	$(CXX) -pthread -o $@ $^ $(CLIENT_PQ_LIBS) -lgtest -lgtest_main
# A program of its own, since it ends in every way that a program can end.
build/test/exit_client: build/test/crash/exit_client.o $(CLIENT_BUILD)/$(CLIENT_LIB).a
	$(CXX) -pthread -o $@ $^ $(CLIENT_PQ_LIBS)
-include $(CRASH_OBJECTS:.o=.d) build/test/crash/exit_client.d

# Everything at random, for as long as one wants.
TORTURE_OBJECTS = $(patsubst test/%.cpp,build/test/%.o,$(sort $(wildcard test/torture/*.cpp)))
tests: build/test/torture_test
build/test/torture/%.o: test/torture/%.cpp
	@mkdir -p $(@D)
	$(CLIENT_COMPILE) -Itest -Iextension/src -c -o $@ $<
build/test/torture_test: $(TORTURE_OBJECTS) build/test/crash/faults.o build/test/crash/small_disk.o $(CLIENT_BUILD)/test/support.o \
                    $(CLIENT_BUILD)/$(CLIENT_LIB).a
	@mkdir -p $(@D)
	$(CXX) -pthread -o $@ $^ $(CLIENT_PQ_LIBS) -lgtest
-include $(TORTURE_OBJECTS:.o=.d)
