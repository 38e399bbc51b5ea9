#pragma once
// Does something when a scope is left, however it is left.

#include <utility>

namespace millrace::core {

template <class Action>
class Finally {
public:
    explicit Finally(Action action) : action_{std::move(action)} {}
    ~Finally() { action_(); }
    Finally(const Finally&) = delete;
    Finally& operator=(const Finally&) = delete;

private:
    const Action action_;
};

}  // namespace millrace::core
