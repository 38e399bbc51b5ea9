#pragma once
// Numbers that must not be mistaken for one another: a fence is not a job id, whatever their bits.

#include <compare>
#include <cstdint>
#include <functional>

namespace millrace::core {

template <class Tag, class Value>
struct Id {
    Value value{};
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 that a comparison is compared with for one
    friend auto operator<=>(const Id&, const Id&) = default;
};

using JobId = Id<struct JobIdTag, std::int64_t>;

// The right to settle what one claim handed out. Unique for ever, not ordered: compare for equality only.
using Fence = Id<struct FenceTag, std::int64_t>;

// A worker session's row in `millrace.worker`: what a lease belongs to.
using WorkerId = Id<struct WorkerIdTag, std::int32_t>;

}  // namespace millrace::core

template <class Tag, class Value>
struct std::hash<millrace::core::Id<Tag, Value>> {
    std::size_t operator()(const millrace::core::Id<Tag, Value>& id) const noexcept {
        return std::hash<Value>{}(id.value);
    }
};
