#pragma once
// Limits of queues and of concurrency keys, for a person: what may run or start, what does, and how much waits for it.
//
// All verbs throw ConnectionLost, and Error for what the server refuses; each is one transaction.
//
// Thread rule: as the Session.

#include "storage/session.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::storage {

// Null where there is no limit, or nothing of the kind.
struct LimitRow {
    std::string queue;
    std::string scope;  // queue, each key, key
    std::optional<std::string> key;
    std::optional<int> limit;  // at one time
    std::optional<std::string> rate;
    std::optional<int> burst;
    std::optional<std::int64_t> running;  // of a key: that hold a slot
    std::optional<std::int64_t> waiting;
    std::optional<std::string> next_token_at;  // while there is none
    bool is_own = false;                       // of a key: not merely what each key of the queue has
};

struct KeyLimit {
    std::optional<int> most;  // at one time; null: as the queue has it
    std::optional<std::string> rate;
    std::optional<int> burst;
};

class LimitStore {
public:
    static constexpr int most_keys = 1000;

    explicit LimitStore(Session& session) : session_{session} {}

    // Of one queue, or of all: the queue's, those of each of its keys, and of single keys those that have their own or
    // for which jobs wait, `most_keys` at most, of which most jobs wait for the first.
    [[nodiscard]] std::vector<LimitRow> limits(const std::optional<std::string>& queue);

    // Without a limit and a rate the key has those of its queue again.
    void limit_key(const std::string& queue, const std::string& key, const KeyLimit& limit);

private:
    Session& session_;
};

}  // namespace millrace::storage
