// Who sends batches, and up to which sequence each of them is stored.

#pragma once

#include "core/batch.hpp"
#include "pg/prelude.hpp"

namespace gravitas::telemetry {

// Takes the batch with this header for stored, and locks its producer until the transaction ends; false where the batch
// was stored before. Raises batch_out_of_sequence where others have to come first, and batch_too_old where its producer
// may have been forgotten since it was made; a batch without events may be of any age.
bool advance_producer(const core::BatchHeader &header, std::size_t events);

} // namespace gravitas::telemetry
