# The C++ client: its libraries, example and tests. Included by the Makefile; every variable has a prefix, so that
# PGXS could be beside it. What a user may set: CLIENT_CXXFLAGS, WERROR=1, PREFIX, DESTDIR, PG_CONFIG, CXX.

CLIENT_CXXFLAGS ?= -O2 -g
PREFIX          ?= /usr/local
PG_CONFIG       ?= pg_config

CLIENT_VERSION  ?= $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" extension/gravitas_telemetry.control)
CLIENT_SOVERSION = 0
CLIENT_BUILD     = build/client
CLIENT_LIB       = libgravitas_telemetry
CLIENT_SHARED    = $(CLIENT_LIB).so.$(CLIENT_VERSION)
CLIENT_SONAME    = $(CLIENT_LIB).so.$(CLIENT_SOVERSION)

CLIENT_PQ_CFLAGS := $(shell pkg-config --cflags libpq 2>/dev/null || echo -I`$(PG_CONFIG) --includedir 2>/dev/null`)
CLIENT_PQ_LIBS   := $(shell pkg-config --libs libpq 2>/dev/null || echo -L`$(PG_CONFIG) --libdir 2>/dev/null` -lpq) -lz

CLIENT_REQUIRED  = -std=c++20 -Wall -Wextra $(if $(WERROR),-Werror) -fPIC -fvisibility=hidden \
                   -fvisibility-inlines-hidden -pthread -MMD -MP -Iclient/include -Iextension/src $(CLIENT_PQ_CFLAGS)
CLIENT_COMPILE   = $(CXX) $(CLIENT_CXXFLAGS) $(CLIENT_REQUIRED)
# ThreadSanitizer does not model the fences of the queue, which have atomics beside them that it does.
CLIENT_FLAGS_tsan = -O1 -g -fsanitize=thread -Wno-tsan
# -O1 takes three times as long to compile.
CLIENT_FLAGS_asan = -O0 -g -fsanitize=address,undefined -fno-sanitize-recover=all

CLIENT_SOURCES   = $(sort $(wildcard client/src/*.cpp))
# The batch format is the extension's and ours: its core knows no Postgres.
CLIENT_CORE      = batch batch_reader batch_writer
CLIENT_TESTS     = $(sort $(wildcard test/client/*.cpp))
# A program in C, as a part of the tests.
CLIENT_C_OBJECT  = $(CLIENT_BUILD)/test/c_program.o
CLIENT_OBJECTS   = $(patsubst client/src/%.cpp,$(CLIENT_BUILD)/%.o,$(CLIENT_SOURCES)) $(CLIENT_CORE:%=$(CLIENT_BUILD)/core/%.o)
CLIENT_TEST_OBJECTS = $(patsubst test/client/%.cpp,$(CLIENT_BUILD)/test/%.o,$(CLIENT_TESTS))

.PHONY: client client-examples client-tests install-client uninstall-client

client: $(addprefix $(CLIENT_BUILD)/,$(CLIENT_LIB).a $(CLIENT_SHARED) gravitas-telemetry.pc)
client-examples: $(CLIENT_BUILD)/examples/quickstart
client-tests: $(addprefix build/test/,client_test_tsan client_test_asan)

$(CLIENT_BUILD)/%.o: client/src/%.cpp
	@mkdir -p $(@D)
	$(CLIENT_COMPILE) -c -o $@ $<

$(CLIENT_BUILD)/core/%.o: extension/src/core/%.cpp
	@mkdir -p $(@D)
	$(CLIENT_COMPILE) -c -o $@ $<

$(CLIENT_BUILD)/test/%.o: test/client/%.cpp
	@mkdir -p $(@D)
	$(CLIENT_COMPILE) -c -o $@ $<

$(CLIENT_C_OBJECT): test/client/c_program.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -pedantic -O1 -g -Wall -Wextra $(if $(WERROR),-Werror) -MMD -MP -Iclient/include -c -o $@ $<

$(CLIENT_BUILD)/$(CLIENT_LIB).a: $(CLIENT_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(CLIENT_BUILD)/$(CLIENT_SHARED): $(CLIENT_OBJECTS)
	$(CXX) -shared -pthread -Wl,-soname,$(CLIENT_SONAME) -Wl,-z,defs -o $@ $^ $(CLIENT_PQ_LIBS)
	ln -sf $(CLIENT_SHARED) $(CLIENT_BUILD)/$(CLIENT_SONAME)
	ln -sf $(CLIENT_SONAME) $(CLIENT_BUILD)/$(CLIENT_LIB).so

# Always made anew, since PREFIX may differ from the last time.
.PHONY: $(CLIENT_BUILD)/gravitas-telemetry.pc
$(CLIENT_BUILD)/gravitas-telemetry.pc: client/gravitas-telemetry.pc.in
	@mkdir -p $(@D)
	sed -e 's|@prefix@|$(PREFIX)|' -e 's|@version@|$(CLIENT_VERSION)|' $< > $@

$(CLIENT_BUILD)/examples/quickstart: client/examples/quickstart.cpp $(CLIENT_BUILD)/$(CLIENT_LIB).a
	@mkdir -p $(@D)
	$(CLIENT_COMPILE) -o $@ $(filter %.cpp %.a,$^) $(CLIENT_PQ_LIBS)

build/test/client_test: $(CLIENT_TEST_OBJECTS) $(CLIENT_C_OBJECT) $(CLIENT_BUILD)/$(CLIENT_LIB).a
	@mkdir -p $(@D)
	$(CXX) -pthread -o $@ $^ $(CLIENT_PQ_LIBS) -lgtest -lgtest_main

# All tests of a folder as one source, made anew where one comes or goes: what they include is most of the work.
# gcc takes what is included for a header, where a fixture should not be local.
CLIENT_ALL_TESTS = -O0 -I. -Wno-subobject-linkage
build/test/all_%_tests.cpp: test/%
	@mkdir -p $(@D)
	printf '#include "%s"\n' $(sort $(wildcard test/$*/*.cpp)) > $@

# The library and its tests again, as build/test/client_test_SANITIZER.
define CLIENT_SANITIZED
CLIENT_OBJECTS_$(1) = $$(patsubst $(CLIENT_BUILD)/%,$(CLIENT_BUILD)/$(1)/%,$$(CLIENT_OBJECTS)) $(CLIENT_BUILD)/$(1)/test/all.o

$(CLIENT_BUILD)/$(1)/%.o: client/src/%.cpp
	@mkdir -p $$(@D)
	$$(CXX) $$(CLIENT_REQUIRED) $$(CLIENT_FLAGS_$(1)) -c -o $$@ $$<
$(CLIENT_BUILD)/$(1)/core/%.o: extension/src/core/%.cpp
	@mkdir -p $$(@D)
	$$(CXX) $$(CLIENT_REQUIRED) $$(CLIENT_FLAGS_$(1)) -c -o $$@ $$<
$(CLIENT_BUILD)/$(1)/test/%.o: test/client/%.cpp
	@mkdir -p $$(@D)
	$$(CXX) $$(CLIENT_REQUIRED) $$(CLIENT_FLAGS_$(1)) -c -o $$@ $$<
$(CLIENT_BUILD)/$(1)/test/all.o: build/test/all_client_tests.cpp
	@mkdir -p $$(@D)
	$$(CXX) $$(CLIENT_REQUIRED) $$(CLIENT_FLAGS_$(1)) $$(CLIENT_ALL_TESTS) -c -o $$@ $$<
build/test/client_test_$(1): $$(CLIENT_OBJECTS_$(1)) $(CLIENT_C_OBJECT)
	@mkdir -p $$(@D)
	$$(CXX) $$(CLIENT_FLAGS_$(1)) -pthread -o $$@ $$^ $$(CLIENT_PQ_LIBS) -lgtest -lgtest_main
-include $$(CLIENT_OBJECTS_$(1):.o=.d)
endef
$(foreach sanitizer,tsan asan,$(eval $(call CLIENT_SANITIZED,$(sanitizer))))

install-client: client
	install -d '$(DESTDIR)$(PREFIX)/include/gravitas' '$(DESTDIR)$(PREFIX)/lib/pkgconfig'
	install -m 644 client/include/gravitas/telemetry.h client/include/gravitas/telemetry.hpp '$(DESTDIR)$(PREFIX)/include/gravitas/'
	install -m 644 $(CLIENT_BUILD)/$(CLIENT_LIB).a '$(DESTDIR)$(PREFIX)/lib/'
	install -m 755 $(CLIENT_BUILD)/$(CLIENT_SHARED) '$(DESTDIR)$(PREFIX)/lib/'
	ln -sf $(CLIENT_SHARED) '$(DESTDIR)$(PREFIX)/lib/$(CLIENT_SONAME)'
	ln -sf $(CLIENT_SONAME) '$(DESTDIR)$(PREFIX)/lib/$(CLIENT_LIB).so'
	install -m 644 $(CLIENT_BUILD)/gravitas-telemetry.pc '$(DESTDIR)$(PREFIX)/lib/pkgconfig/'

uninstall-client:
	rm -f $(patsubst %,'$(DESTDIR)$(PREFIX)/include/gravitas/%',telemetry.h telemetry.hpp) \
	      $(patsubst %,'$(DESTDIR)$(PREFIX)/lib/%',$(CLIENT_LIB).a $(CLIENT_LIB).so $(CLIENT_SONAME) $(CLIENT_SHARED) \
	        pkgconfig/gravitas-telemetry.pc)
	-rmdir '$(DESTDIR)$(PREFIX)/include/gravitas'

-include $(CLIENT_OBJECTS:.o=.d) $(CLIENT_TEST_OBJECTS:.o=.d) \
         $(CLIENT_C_OBJECT:.o=.d) $(CLIENT_BUILD)/examples/quickstart.d
