#pragma once
// One request over HTTP or HTTPS and its answer, through libcurl. Connections are kept and used again.
//
// An answer is whatever the server says, 404 and 503 included. Everything else is an HttpError, whose reason says what
// to make of it. A redirection is an answer too: it is never followed, since a request may bear a secret for one host.
// A request with a body is sent once, whatever becomes of its connection; one without may be sent again.
//
// Nothing but the request decides what is sent: no proxy and no .netrc of the environment, no cookies, no credentials
// from an earlier answer. Neither a header nor a method can smuggle in another one. An error bears nothing of a
// request; an answer may echo it, and to mask that is the caller's.
//
// Thread rule: any thread; requests run side by side. `stop` is noticed within a second.

#include "core/guarded.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace millrace::adapters {

// There was no whole answer.
class HttpError : public std::runtime_error {
public:
    enum class Reason {
        transport,  // no connection, or one that broke, or an answer that is not HTTP: worth another try
        timeout,    // a limit of time has passed: worth another try; the server may have done what was asked
        too_large,  // the answer is larger than the limit, and is not to be cut off, or its headers are
        stopped,    // was asked to stop
        unfit,      // the request cannot be sent as it is; nothing was
    };

    HttpError(Reason reason, const std::string& what) : std::runtime_error{what}, reason_{reason} {}
    [[nodiscard]] Reason reason() const noexcept { return reason_; }

private:
    Reason reason_;
};

struct HttpHeader {
    std::string name;   // a token of RFC 9110
    std::string value;  // no control character but the tab; may be empty
};

struct HttpLimits {
    enum class Excess { is_an_error, is_cut_off };  // of an answer that is longer than `body`

    std::chrono::milliseconds connect{std::chrono::seconds{10}};
    std::chrono::milliseconds total{std::chrono::seconds{60}};  // connecting included
    std::size_t body = std::size_t{8} * 1024 * 1024;            // bytes of an answer
    Excess excess = Excess::is_an_error;
    static constexpr std::size_t headers = std::size_t{64} * 1024;
};

struct HttpRequest {
    std::string method = "GET";  // A-Z
    std::string url;             // http:// or https://
    std::vector<HttpHeader> headers = {};
    std::string body = {};
    HttpLimits limits = {};
};

struct HttpAnswer {
    int status = 0;
    std::map<std::string, std::string> headers;  // by their names in small letters; of one name, with ", " between them
    std::string body;                            // its beginning, if the limits cut it off

    [[nodiscard]] std::string header(const std::string& name) const;  // empty: none
};

class Http {
public:
    struct Settings {
        std::string ca_file = {};  // empty: the system's authorities
        std::string user_agent = "millrace";
    };

    explicit Http(Settings settings) : settings_{std::move(settings)} {}

    // Throws HttpError.
    [[nodiscard]] HttpAnswer send(const HttpRequest& request, const std::stop_token& stop);

private:
    struct FreeHandle {
        void operator()(void* curl) const noexcept;
    };
    using Handle = std::unique_ptr<void, FreeHandle>;  // CURL*, whose header stays out of ours

    Handle take();

    const Settings settings_;
    core::Guarded<std::vector<Handle>> idle_;
};

// RFC 3986: all bytes but the unreserved ones as %XX, fit for a segment of a path or a value in a query.
[[nodiscard]] std::string percent_encoded(const std::string& text);

}  // namespace millrace::adapters
