// Memory contexts as the memory of C++ containers.

#pragma once

#include <memory_resource>

#include "pg/prelude.hpp"

namespace gravitas::telemetry::pg {

// Allocates in one memory context. Out of memory is std::bad_alloc, never an ereport, so that no call needs a guard.
// It owns nothing: what was allocated lives until it is deallocated or the context is reset.
// Its destructor does nothing, so a longjmp may pass over one on the stack.
class ContextResource final : public std::pmr::memory_resource {
public:
    explicit ContextResource(MemoryContext context) noexcept : context_(context) {}

private:
    void *do_allocate(std::size_t bytes, std::size_t alignment) override
    {
        // A larger request is an ereport even where running out of memory is not.
        if (bytes > MaxAllocHugeSize || alignment > MAXIMUM_ALIGNOF)
            throw std::bad_alloc();
        void *const memory = MemoryContextAllocExtended(context_, bytes, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
        if (memory == nullptr)
            throw std::bad_alloc();
        return memory;
    }

    void do_deallocate(void *memory, std::size_t, std::size_t) override { pfree(memory); }

    bool do_is_equal(const memory_resource &other) const noexcept override { return this == &other; }

    MemoryContext context_;
};

} // namespace gravitas::telemetry::pg
