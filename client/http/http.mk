# gravitas-telemetry-http and its tests. Part of the top Makefile, behind client/client.mk; every variable has a prefix.

HTTP_BUILD    = build/http
HTTP_PROGRAM  = $(HTTP_BUILD)/gravitas-telemetry-http
HTTP_SOURCES  = $(sort $(wildcard client/http/*.cpp))
HTTP_OBJECTS  = $(patsubst client/http/%.cpp,$(HTTP_BUILD)/%.o,$(filter-out client/http/main.cpp,$(HTTP_SOURCES)))
HTTP_ASSETS   = client/http/openapi.json $(filter-out %/ASSETS,$(sort $(wildcard client/http/web/*)))
# What the page takes from packages: lines of name, path and type.
HTTP_PACKAGED := $(shell awk '{ print $$1 "=" $$2 }' client/http/web/ASSETS)
HTTP_PACKAGED_FILES := $(foreach asset,$(HTTP_PACKAGED),$(lastword $(subst =, ,$(asset))))
HTTP_MISSING  := $(filter-out $(wildcard $(HTTP_PACKAGED_FILES)),$(HTTP_PACKAGED_FILES))
HTTP_TEST_OBJECTS = $(patsubst test/http/%.cpp,$(HTTP_BUILD)/test/%.o,$(sort $(wildcard test/http/*.cpp)))

HTTP_LIBRARY  := $(if $(HTTP_MISSING),,$(shell pkg-config --exists 'cpp-httplib >= 0.11' && echo cpp-httplib))
HTTP_CFLAGS   := $(if $(HTTP_LIBRARY),$(shell pkg-config --cflags cpp-httplib))
HTTP_LIBS     := $(if $(HTTP_LIBRARY),$(shell pkg-config --libs cpp-httplib))

HTTP_REQUIRED = -std=c++20 -Wall -Wextra $(if $(WERROR),-Werror) -pthread -MMD -MP -Iclient/http \
                -DGRAVITAS_HTTP_VERSION='"$(CLIENT_VERSION)"' $(HTTP_CFLAGS) $(CLIENT_PQ_CFLAGS)
HTTP_COMPILE  = $(CXX) $(CLIENT_CXXFLAGS) $(HTTP_REQUIRED)

.PHONY: http http-program http-tests install-http uninstall-http
ifdef HTTP_LIBRARY
http http-program: $(HTTP_PROGRAM)
http-tests: build/test/http_test_asan build/test/http_test_tsan $(HTTP_PROGRAM)
else
http:
	@echo 'gravitas-telemetry-http needs $(or $(HTTP_MISSING),cpp-httplib 0.11 or later): run make deps' >&2 && false
http-program:
	@echo 'without gravitas-telemetry-http: $(or $(HTTP_MISSING),cpp-httplib 0.11 or later) is missing (make deps)'
http-tests:
endif

$(HTTP_BUILD)/%.o: client/http/%.cpp
	@mkdir -p $(@D)
	$(HTTP_COMPILE) -c -o $@ $<
$(HTTP_BUILD)/test/%.o: test/http/%.cpp
	@mkdir -p $(@D)
	$(HTTP_COMPILE) -Iclient/include -Itest -c -o $@ $<
# Anew where a file was added or taken away, too.
$(HTTP_BUILD)/assets.s: client/http/embed client/http/web client/http/web/ASSETS $(HTTP_ASSETS) $(HTTP_PACKAGED_FILES)
	@mkdir -p $(@D)
	client/http/embed $(HTTP_ASSETS) $(HTTP_PACKAGED) > $@
$(HTTP_BUILD)/assets_data.o: $(HTTP_BUILD)/assets.s
	$(CC) -c -o $@ $<

$(HTTP_PROGRAM): $(HTTP_BUILD)/main.o $(HTTP_OBJECTS) $(HTTP_BUILD)/assets_data.o
	$(CXX) -pthread -o $@ $^ $(HTTP_LIBS) $(CLIENT_PQ_LIBS)
build/test/http_test: $(HTTP_TEST_OBJECTS) $(HTTP_OBJECTS) $(HTTP_BUILD)/assets_data.o $(CLIENT_BUILD)/test/support.o $(CLIENT_BUILD)/$(CLIENT_LIB).a
	@mkdir -p $(@D)
	$(CXX) -pthread -o $@ $^ $(HTTP_LIBS) $(CLIENT_PQ_LIBS) -lgtest -lgtest_main

# The same again, as build/test/http_test_SANITIZER.
define HTTP_SANITIZED
HTTP_OBJECTS_$(1) = $$(patsubst $(HTTP_BUILD)/%,$(HTTP_BUILD)/$(1)/%,$$(HTTP_OBJECTS)) $(HTTP_BUILD)/$(1)/test/all.o
$(HTTP_BUILD)/$(1)/%.o: client/http/%.cpp
	@mkdir -p $$(@D)
	$$(CXX) $$(HTTP_REQUIRED) $$(CLIENT_FLAGS_$(1)) -c -o $$@ $$<
$(HTTP_BUILD)/$(1)/test/all.o: build/test/all_http_tests.cpp
	@mkdir -p $$(@D)
	$$(CXX) $$(HTTP_REQUIRED) -Iclient/include -Itest $$(CLIENT_FLAGS_$(1)) $$(CLIENT_ALL_TESTS) -c -o $$@ $$<
build/test/http_test_$(1): $$(HTTP_OBJECTS_$(1)) $(HTTP_BUILD)/assets_data.o $(CLIENT_BUILD)/$(1)/test/support.o \
                           $$(patsubst $(CLIENT_BUILD)/%,$(CLIENT_BUILD)/$(1)/%,$$(CLIENT_OBJECTS))
	@mkdir -p $$(@D)
	$$(CXX) $$(CLIENT_FLAGS_$(1)) -pthread -o $$@ $$^ $$(HTTP_LIBS) $$(CLIENT_PQ_LIBS) -lgtest -lgtest_main
-include $$(HTTP_OBJECTS_$(1):.o=.d) $(CLIENT_BUILD)/$(1)/test/support.d
endef
$(foreach sanitizer,tsan asan,$(eval $(call HTTP_SANITIZED,$(sanitizer))))

install-http: http
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/lib/systemd/system'
	install -m 755 $(HTTP_PROGRAM) '$(DESTDIR)$(PREFIX)/bin/'
	sed 's|/usr/local/|$(PREFIX)/|' client/http/gravitas-telemetry-http.service > $(HTTP_BUILD)/gravitas-telemetry-http.service
	install -m 644 $(HTTP_BUILD)/gravitas-telemetry-http.service '$(DESTDIR)$(PREFIX)/lib/systemd/system/'
uninstall-http:
	rm -f '$(DESTDIR)$(PREFIX)/bin/gravitas-telemetry-http' '$(DESTDIR)$(PREFIX)/lib/systemd/system/gravitas-telemetry-http.service'

-include $(HTTP_OBJECTS:.o=.d) $(HTTP_BUILD)/main.d $(HTTP_TEST_OBJECTS:.o=.d)
