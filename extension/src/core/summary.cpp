#include "core/summary.hpp"

#include <new>

namespace gravitas::telemetry::core {

void Summary::make_totals() const
{
    if (totals_ != nullptr)
        return;
    Totals *totals = new (memory_->allocate(sizeof(Totals), alignof(Totals))) Totals{*memory_};
    try {
        for (const Sample &sample : samples_)
            totals->add(sample);
    } catch (...) {
        totals->release();
        memory_->deallocate(totals, sizeof(Totals), alignof(Totals));
        throw;
    }
    totals_ = totals;
}

SampleList Summary::samples() const noexcept
{
    SampleList list;
    for (const Sample &sample : samples_)
        list.insert(sample);
    return list;
}

const Totals &Summary::totals() const
{
    make_totals();
    return *totals_;
}

void Summary::stop_listing()
{
    make_totals();
    samples_.release(*memory_);
    listed_ = false;
}

void Summary::add_listed(const Sample &sample)
{
    if (samples_.size() == most_listed) {
        stop_listing();
        totals_->add(sample);
        return;
    }
    samples_.push_back(sample, *memory_);
    if (totals_ != nullptr)
        totals_->add(sample);
}

void Summary::merge(const Summary &other)
{
    if (!other.listed_) {
        if (listed_)
            stop_listing();
        totals_->merge(*other.totals_);
        return;
    }
    for (const Sample &sample : other.samples()) // a copy: the other may be this one
        add(sample);
}

void Summary::release() noexcept
{
    samples_.release(*memory_);
    if (totals_ != nullptr) {
        totals_->release();
        memory_->deallocate(totals_, sizeof(Totals), alignof(Totals));
    }
    *this = Summary{*memory_};
}

} // namespace gravitas::telemetry::core
