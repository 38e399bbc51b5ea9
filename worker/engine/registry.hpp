#pragma once
// Which code runs which kind of job.
//
// A kind may also be declared unavailable: this program knows it but cannot run it as configured (no SMTP server, say).
// A worker is not handed its jobs, nor those of kinds that it has not heard of: they wait for a worker that can.
//
// Thread rule: filled before the worker starts, read-only afterwards.

#include "engine/handler.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace millrace::engine {

class Registry {
public:
    struct Unavailable {
        std::string reason;
    };
    using Entry = std::variant<std::unique_ptr<Handler>, std::unique_ptr<TransactionalHandler>, Unavailable>;

    // A kind is added once.
    void add(const std::string& kind, std::unique_ptr<Handler> handler);
    void add(const std::string& kind, std::unique_ptr<TransactionalHandler> handler);
    void add_unavailable(const std::string& kind, std::string reason);

    [[nodiscard]] const Entry* find(const std::string& kind) const;  // null: unknown
    [[nodiscard]] std::vector<std::string> kinds() const;            // sorted, the unavailable ones too
    [[nodiscard]] std::vector<std::string> handled_kinds() const;    // sorted, without them

private:
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace millrace::engine
