// The metadata document of an event. What has a column of its own is stored there only; readers get it back as the
// JSON document that users of LOAD_LATENCY and THOUGHT_LATENCY know.

#pragma once

#include "core/event.hpp"
#include "pg/jsonb.hpp"

namespace gravitas::telemetry {

// Fills figures that are absent from the keys of `metadata` that older applications put them in (load_time_ms;
// inference_time_ms, tokens_generated, prompt_tokens, first_token_ms, latency_per_token_ms). What is not a possible
// figure is left alone.
void fill_from_metadata(core::EventKind kind, Jsonb *metadata, core::Figures &figures);

// The model that such metadata names, for a load or an inference; nullptr where it names none.
text *component_from_metadata(core::EventKind kind, Jsonb *metadata);

// `metadata` without the fields that the document of these figures will hold anyway; nullptr where nothing is left.
Jsonb *without_document(core::EventKind kind, const text *component, const core::Figures &figures, Jsonb *metadata);

// The document of these figures, with the fields of `metadata` added; of two with one key, that of `metadata` wins.
// nullptr where there is neither.
Jsonb *with_document(core::EventKind kind, const text *component, const core::Figures &figures, Jsonb *metadata);

} // namespace gravitas::telemetry
