#pragma once
// A value and the mutex that protects it, so that neither is reached without the other.
//
//     Guarded<std::set<JobId>> seen;
//     seen.with([&](auto& ids) { ids.insert(id); });
//
// Thread rule: any thread. Nothing that blocks or calls back belongs inside `with`.

#include <mutex>
#include <utility>

namespace millrace::core {

template <class Value>
class Guarded {
public:
    Guarded() = default;
    explicit Guarded(Value value) : value_{std::move(value)} {}

    template <class Use>
    decltype(auto) with(Use&& use) {
        const std::lock_guard lock{mutex_};
        return std::forward<Use>(use)(value_);
    }

    template <class Use>
    decltype(auto) with(Use&& use) const {
        const std::lock_guard lock{mutex_};
        return std::forward<Use>(use)(value_);
    }

private:
    mutable std::mutex mutex_;
    Value value_{};
};

}  // namespace millrace::core
