// The columns of telemetry.event, and of the view system_telemetry, in their order.

#pragma once

namespace gravitas::telemetry {

enum EventColumn {
    timestamp_column,
    id_column,
    event_type_column,
    component_column,
    value_column,
    duration_ms_column,
    first_token_ms_column,
    prompt_tokens_column,
    tokens_generated_column,
    status_column,
    metadata_column,
    column_count
};

} // namespace gravitas::telemetry
