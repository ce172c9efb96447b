# The extension, built and installed by PGXS. Run from the root of the repository, by the Makefile there; PGXS looks for
# EXTENSION and DATA from VPATH. By itself it would look here too, but not where Postgres was built in its source folder.
VPATH = extension

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(wildcard $(PGXS)),)
$(error no PostgreSQL with server headers behind PG_CONFIG=$(PG_CONFIG): run "make deps", or name the pg_config of PostgreSQL 15 or later)
endif
MAJOR := $(shell $(PG_CONFIG) --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
ifeq ($(shell test $(MAJOR) -ge 15 && echo new enough),)
$(error PostgreSQL 15 or later is needed, but PG_CONFIG=$(PG_CONFIG) is of version $(MAJOR))
endif

EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" extension/gravitas_telemetry.control)

MODULE_big   = gravitas_telemetry
EXTENSION    = gravitas_telemetry
OBJS         = $(patsubst extension/src/%.cpp,build/extension/%.o,$(sort $(wildcard extension/src/*.cpp extension/src/*/*.cpp)))
DATA         = $(addprefix ../,$(wildcard sql/upgrade/gravitas_telemetry--*--*.sql))
DATA_built   = build/gravitas_telemetry--$(EXTVERSION).sql
# -isystem, because Postgres' own macros warn under -Wextra.
PG_CPPFLAGS  = -Iextension/src -isystem $(shell $(PG_CONFIG) --includedir-server)
# PGXS has the warnings of the compiler that built Postgres; CXX may be another one.
PG_CXXFLAGS  = -std=gnu++20 -ffp-contract=off -Wall -Wextra -Wno-register -Wno-unused-parameter -Wno-unknown-warning-option \
               $(if $(WERROR),-Werror)
SHLIB_LINK   = -lstdc++ -lz
REGRESS      = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=gravitas_telemetry
# Nobody inlines C++ into a query plan, and without clang there is one dependency less.
override with_llvm = no
include $(PGXS)

# Objects live under build/, and are built again when PG_CONFIG names another Postgres.
.PHONY: FORCE
build/postgres-version: FORCE
	@mkdir -p $(@D)
	@$(PG_CONFIG) --version --pgxs | cmp -s - $@ || $(PG_CONFIG) --version --pgxs > $@
build/extension/%.o: extension/src/%.cpp build/postgres-version
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<
-include $(OBJS:.o=.d)

# The library again under the sanitizers, for tools/sanitize. PGXS says -fwrapv, under which no sum overflows: the
# extension does not rely on it, and is told where one would.
SANITIZED         = build/sanitize/gravitas_telemetry.so
SANITIZED_OBJS    = $(OBJS:build/extension/%=build/sanitize/%)
SANITIZED_FLAGS   = -O1 -fno-wrapv -U_FORTIFY_SOURCE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
.PHONY: sanitized
sanitized: $(SANITIZED) build/sanitize/preload.so
build/sanitize/preload.so: test/sanitize/preload.c
	@mkdir -p $(@D)
	$(CC) -shared -fPIC -Wall -Wextra -Wl,-z,initfirst -o $@ $<
build/sanitize/%.o: extension/src/%.cpp build/postgres-version
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(CPPFLAGS) $(SANITIZED_FLAGS) -MMD -MP -c -o $@ $<
$(SANITIZED): $(SANITIZED_OBJS)
	$(CXX) $(CXXFLAGS) $(SANITIZED_FLAGS) -shared -o $@ $^ $(SHLIB_LINK)
-include $(SANITIZED_OBJS:.o=.d)

$(DATA_built): $(sort $(wildcard sql/parts/*.sql))
	@mkdir -p $(@D)
	cat $^ > $@
