#pragma once
// The schemas of the kinds that this worker runs: which attempts may start, and what becomes of those that may not.
//
// They are asked for before the first claim and every `reload_every` after it, so that a worker may go by a schema that
// is so much older than the server's. While the database is away, those that are known stay.
//
// A payload that breaks a rule is discarded: a retry would find it no better. A schema that this program does not
// understand is no fault of the jobs, which are put off without counting an attempt.
//
// Thread rule: one thread loads, any may ask.

#include "core/guarded.hpp"
#include "core/job.hpp"
#include "core/outcome.hpp"
#include "engine/payload_schema.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace millrace::engine {

class PayloadSchemas {
public:
    static constexpr std::chrono::milliseconds reload_every{2000};
    static constexpr std::chrono::seconds put_off{30};

    explicit PayloadSchemas(std::vector<std::string> kinds) : kinds_{std::move(kinds)} {}

    // Throws ConnectionLost and storage::Error.
    void load(storage::Session& session);

    // Until the first `load`, or until `stop` is requested.
    void await_loaded(const std::stop_token& stop);

    // What becomes of an attempt that must not start, and whether its payload is to blame or the schema.
    struct Refusal {
        core::Outcome outcome;
        std::optional<std::string> bad_schema;  // what is wrong with it
    };
    [[nodiscard]] std::optional<Refusal> refusal(const core::Job& job) const;

private:
    struct Known {
        std::unique_ptr<const PayloadSchema> schema;
        std::string problem;  // when there is none, because it is not understood
    };
    using ByKind = std::map<std::string, Known>;

    const std::vector<std::string> kinds_;
    std::string version_;  // of the loading thread
    core::Guarded<std::shared_ptr<const ByKind>> known_;

    std::mutex mutex_;  // protects loaded_
    std::condition_variable_any changed_;
    bool loaded_ = false;
};

}  // namespace millrace::engine
