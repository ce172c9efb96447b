#pragma once

#include <gravitas/telemetry.h>

#ifdef __cplusplus
extern "C" {
#endif

struct c_program_result {
    char error[200];
    char told[200];
    char sqlstate[6];
    bool retryable;
    bool same_handle;
    bool no_handle;
    int logged;
    int refused;
    bool flushed;
    bool closed;
    gravitas_telemetry_account account;
};

void c_program(const char *conninfo, struct c_program_result *result);

#ifdef __cplusplus
}
#endif
