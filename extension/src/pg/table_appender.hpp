// Appending rows to an ordinary table the way COPY does: many to a page and a WAL record, constraints checked, indexes
// kept. It bypasses no rule of the user's, since it refuses tables that have any which an executor would apply.
//
// Everything here may ereport; nothing holds a destructor.

#pragma once

#include "pg/prelude.hpp"

extern "C" {
#include "executor/executor.h"
}

namespace gravitas::telemetry::pg {

// Whether inserting into a table (a partitioned one, for its part) is no more than constraints and indexes: no trigger,
// rule or generated column.
bool is_plain_table(Relation table) noexcept;

// Whether the current user may insert into all columns of a table, with no row security in between.
bool may_insert_plainly(Relation table);

// Raises the error of a read-only transaction, a standby or a parallel worker.
void refuse_if_read_only();

class TableAppender {
public:
    // The table is open and locked for writing, and stays so until finish().
    explicit TableAppender(Relation table);

    // An empty row, to be filled in the table's own columns, every one of them.
    TupleTableSlot *next_row();
    void finish(); // stores what is left

private:
    static constexpr int most_rows = 128; // slots cost more than larger groups of rows save

    void store();

    EState *executor_;
    ResultRelInfo *target_;
    TupleTableSlot *rows_[most_rows];
    int made_ = 0; // slots so far
    int filled_ = 0;
};

} // namespace gravitas::telemetry::pg
