/* Gravitas Telemetry: the client for C, and for every language that can call C. telemetry.hpp says what it does.
 *
 * Any function may be called from any thread, but gravitas_telemetry_free(), which is the last call. Strings are UTF-8
 * and end with a NUL; NULL is the same as an empty one. Nothing throws, and only flush, close and free wait. Functions
 * that log return false where the event was dropped or refused at once; the account says which.
 */
#ifndef GRAVITAS_TELEMETRY_H
#define GRAVITAS_TELEMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

typedef struct gravitas_telemetry_client gravitas_telemetry_client;
/* A model, GPU or subsystem that the client knows; valid as long as the client. */
typedef struct gravitas_telemetry_component gravitas_telemetry_component;

/* What becomes of an event that finds the queue full; see OnFull. */
enum { GRAVITAS_TELEMETRY_DROP_NEWEST = 0, GRAVITAS_TELEMETRY_BLOCK = 1, GRAVITAS_TELEMETRY_SPILL = 2 };

/* Called on the client's own thread. `sqlstate` is empty where the error is not the server's; `retryable` says that the
 * client tries again by itself. The strings are valid during the call. */
typedef void (*gravitas_telemetry_on_error)(void *context, const char *message, const char *sqlstate, bool retryable);

/* Set struct_size to sizeof(gravitas_telemetry_options) and what is needed; a member that is 0 has its default.
 * Defaults and what they trade are in telemetry.hpp, struct Options. */
typedef struct gravitas_telemetry_options {
    size_t struct_size;   /* members beyond it are those of a newer header: they have their defaults */
    const char *conninfo; /* NULL: from the PG* environment variables */
    size_t queue_capacity;
    int on_full; /* GRAVITAS_TELEMETRY_DROP_NEWEST, … */
    const char *spill_directory;
    uint64_t spill_bytes_max;
    size_t batch_events;
    int64_t batch_age_ms; /* negative: every event at once */
    size_t batches_in_flight;
    int64_t reconnect_max_ms;
    int64_t close_deadline_ms; /* negative: free() does not wait */
    gravitas_telemetry_on_error on_error;
    void *on_error_context;
} gravitas_telemetry_options;

/* What became of the events that were logged; accepted is the sum of the others, always. */
typedef struct gravitas_telemetry_account {
    uint64_t accepted;
    uint64_t stored;
    uint64_t queued;
    uint64_t spilled;
    uint64_t dropped;
    uint64_t refused;
} gravitas_telemetry_account;

/* Does not wait for the server. NULL for options that cannot work; the reason is then written to `error`, cut to
 * `error_size` bytes, both of which may be 0. `options` may be NULL: all defaults. */
gravitas_telemetry_client *gravitas_telemetry_open(const gravitas_telemetry_options *options, char *error,
                                                   size_t error_size);
/* Closes within close_deadline_ms, and frees the client. NULL is allowed. */
void gravitas_telemetry_free(gravitas_telemetry_client *client);

/* The handle of a name, always the same; made when first asked for, so ask once and keep it. NULL for an empty name, or
 * where there is no memory. */
const gravitas_telemetry_component *gravitas_telemetry_get_component(gravitas_telemetry_client *client,
                                                                     const char *name);

/* By handle, without touching a string; a NULL handle is refused. */
bool gravitas_telemetry_log_load_latency(gravitas_telemetry_client *client, const gravitas_telemetry_component *model,
                                         double load_time_seconds, bool success);
/* `first_token_seconds`: NAN where it is not known. */
bool gravitas_telemetry_log_thought_latency(gravitas_telemetry_client *client,
                                            const gravitas_telemetry_component *model, double inference_time_seconds,
                                            int32_t tokens_generated, int32_t prompt_tokens, double first_token_seconds,
                                            bool success);

/* Any event. `value`: NAN where it has none; `metadata`: a JSON object as text; empty strings are stored as NULL, but
 * `event_type` is required. */
bool gravitas_telemetry_log(gravitas_telemetry_client *client, const char *event_type, const char *component,
                            double value, const char *metadata, const char *status);

/* As Client::flush() and Client::close(). */
bool gravitas_telemetry_flush(gravitas_telemetry_client *client, int64_t deadline_ms);
bool gravitas_telemetry_close(gravitas_telemetry_client *client, int64_t deadline_ms);

gravitas_telemetry_account gravitas_telemetry_get_account(const gravitas_telemetry_client *client);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
