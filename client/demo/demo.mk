# gravitas-demo, a program of the client library. Part of the top Makefile: every variable here is a DEMO_ one.

DEMO_PROGRAM  = build/demo/gravitas-demo
DEMO_LIBRARY  = build/client/libgravitas_telemetry.a
DEMO_OBJECTS  = $(patsubst client/demo/%.cpp,build/demo/%.o,$(sort $(wildcard client/demo/*.cpp)))
DEMO_PG       = $(or $(PG_CONFIG),pg_config)
DEMO_CXXFLAGS = -std=c++20 -Wall -Wextra -O2 -g -MMD -MP $(if $(filter 1,$(WERROR)),-Werror)
DEMO_INCLUDES = -Iclient/include -I$(shell $(DEMO_PG) --includedir)
DEMO_LIBS     = -L$(shell $(DEMO_PG) --libdir) -lpq -lz -pthread

.PHONY: demo-program
demo-program: $(DEMO_PROGRAM)

$(DEMO_PROGRAM): $(DEMO_OBJECTS) $(DEMO_LIBRARY)
	$(CXX) -o $@ $^ $(DEMO_LIBS)

$(DEMO_OBJECTS): build/demo/%.o: client/demo/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(DEMO_CXXFLAGS) $(DEMO_INCLUDES) -c -o $@ $<

-include $(DEMO_OBJECTS:.o=.d)
