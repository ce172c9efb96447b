#include "workers.hpp"

namespace gravitas::telemetry::http {

namespace {

// Whoever waited for so long has hardly any patience left for the answer itself.
constexpr std::chrono::seconds longest_wait{10};

} // namespace

Workers::Workers(int threads, Answerer &answerer, std::function<void()> notify)
    : answerer_(answerer), notify_(std::move(notify))
{
    for (int i = 0; i < threads; ++i)
        threads_.emplace_back([this] { work(); });
}

Workers::~Workers()
{
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
        waiting_.clear();
    }
    added_.notify_all();
    for (std::thread &thread : threads_)
        thread.join();
}

void Workers::add(Job job)
{
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back({std::move(job), Clock::now()});
    }
    added_.notify_one();
}

std::vector<Workers::Done> Workers::take_done()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(done_, {});
}

void Workers::work()
{
    for (;;) {
        std::unique_lock lock(mutex_);
        added_.wait(lock, [&] { return is_ending_ || !waiting_.empty(); });
        if (waiting_.empty())
            return;
        Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        Reply reply = Clock::now() - next.since > longest_wait
                          ? Reply{answerer_.refuse(503, "too many requests are waiting"), true}
                          : answerer_.answer(next.job.head, std::move(next.job.body));
        lock.lock();
        done_.push_back({next.job.peer, std::move(reply)});
        lock.unlock();
        notify_();
    }
}

} // namespace gravitas::telemetry::http
