#pragma once
// A REST interface that takes and gives JSON and knows us by a token: what the build services have in common.
//
//     408, 5xx, no answer at all             → passing
//     429, 403 with a rate limit             → passing, and to be left alone until when they say, an hour at most, or
//                                              for a minute
//     any other answer that is not wanted    → lasting: a redirection too, which is never followed
//
// No error bears the token, even if the service repeats it.
//
// Thread rule: one thread.

#include "adapters/http.hpp"
#include "handlers/pipeline/build_runner.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace millrace::handlers::pipeline {

// Of an HTTP status: whether the same request may succeed later.
[[nodiscard]] bool is_passing(int status);
// How long an answer asks us to wait: Retry-After in seconds, an hour at most. Nothing when it does not.
[[nodiscard]] std::optional<std::chrono::milliseconds> patience_of(const adapters::HttpAnswer& answer);

class ServiceClient {
public:
    struct Settings {
        std::string name;      // for people: "GitHub"
        std::string base_url;  // without a slash at its end
        std::string token;
        std::vector<adapters::HttpHeader> headers;  // of every request
    };

    // `http` outlives this.
    ServiceClient(adapters::Http& http, Settings settings);

    struct Call {
        std::string method;
        std::string path;  // from the slash on, percent-encoded
        std::string body;  // JSON text; empty: none
    };
    // The body of an answer with one of these statuses; null when it says no more than that status. Throws
    // BuildRunnerError.
    [[nodiscard]] nlohmann::json call(const Call& call, std::initializer_list<int> wanted,
                                      const std::stop_token& stop) const;

private:
    [[nodiscard]] std::string masked(std::string text) const;

    adapters::Http& http_;
    const Settings settings_;
};

// What the repository's own tools call the commit of a URI; throws SourceControlError.
using CommitNames = std::function<std::string(const std::string& uri)>;

}  // namespace millrace::handlers::pipeline
