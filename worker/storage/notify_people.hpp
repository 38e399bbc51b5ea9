#pragma once
// What people decide about addresses and users: nothing more is sent there, or nothing of them is kept.
//
// All verbs throw ConnectionLost, and Error for what the server refuses.
//
// Thread rule: as the Session.

#include "storage/session.hpp"

#include <string>
#include <vector>

namespace millrace::storage {

struct Suppression {
    std::string address;
    std::string reason;
    std::string suppressed_at;
};

enum class Erasure { count, erase };

class NotifyPeople {
public:
    explicit NotifyPeople(Session& session) : session_{session} {}

    [[nodiscard]] std::vector<Suppression> suppressions(int max_rows);     // the newest first
    bool suppress(const std::string& address, const std::string& reason);  // false: it was suppressed before
    bool unsuppress(const std::string& address);                           // false: it was not suppressed
    int erase(const std::string& username, Erasure how);                   // emails that lose the name, or would

private:
    Session& session_;
};

}  // namespace millrace::storage
