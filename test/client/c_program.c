/* What a program in C does with the client. */

#include "c_program.h"

#include <math.h>
#include <string.h>

static void remember(void *context, const char *message, const char *sqlstate, bool retryable)
{
    struct c_program_result *result = context;
    if (result->told[0] == '\0')
        strncpy(result->told, message, sizeof result->told - 1);
    strncpy(result->sqlstate, sqlstate, sizeof result->sqlstate - 1);
    result->retryable = retryable;
}

void c_program(const char *conninfo, struct c_program_result *result)
{
    gravitas_telemetry_options options = {.struct_size = sizeof options,
                                          .conninfo = conninfo,
                                          .batch_age_ms = -1,
                                          .on_error = remember,
                                          .on_error_context = result};
    memset(result, 0, sizeof *result);
    gravitas_telemetry_client *client = gravitas_telemetry_open(&options, result->error, sizeof result->error);
    if (client == NULL)
        return;

    const gravitas_telemetry_component *model = gravitas_telemetry_get_component(client, "gemma2:27b");
    result->same_handle = model != NULL && gravitas_telemetry_get_component(client, "gemma2:27b") == model;
    result->no_handle = gravitas_telemetry_get_component(client, "") == NULL;
    result->logged = gravitas_telemetry_log_load_latency(client, model, 2.5, true) +
                     gravitas_telemetry_log_thought_latency(client, model, 3.0024, 200, 50, 0.25, true) +
                     gravitas_telemetry_log_thought_latency(client, model, 1.0, 10, 0, NAN, false) +
                     gravitas_telemetry_log(client, "VRAM_CHECK", "gpu0", 8192, "{\"free\": true}", "OK") +
                     gravitas_telemetry_log(client, "NOTE", NULL, NAN, NULL, NULL) +
                     gravitas_telemetry_log(client, "NOTE", NULL, 1, "no object", NULL);
    result->refused = !gravitas_telemetry_log_load_latency(client, NULL, 2.5, true) +
                      !gravitas_telemetry_log_thought_latency(client, NULL, 1, 1, 1, NAN, true) +
                      !gravitas_telemetry_log(client, NULL, NULL, 1, NULL, NULL);
    result->flushed = gravitas_telemetry_flush(client, 30000);
    result->closed = gravitas_telemetry_close(client, 30000);
    result->account = gravitas_telemetry_get_account(client);
    gravitas_telemetry_free(client);
}
