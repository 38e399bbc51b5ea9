#include "adapters/http.hpp"

#include "adapters/curl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

namespace millrace::adapters {
namespace {

using Reason = HttpError::Reason;

bool is_letter_or_digit(char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0;
}

// RFC 9110 5.6.2
bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char letter) {
        return is_letter_or_digit(letter) || std::string_view{"!#$%&'*+-.^_`|~"}.find(letter) != std::string_view::npos;
    });
}

bool is_control(char letter) {
    return static_cast<unsigned char>(letter) < ' ' || letter == '\x7f';
}

void check(const HttpRequest& request) {
    const auto is_capital = [](char letter) { return letter >= 'A' && letter <= 'Z'; };
    const auto& method = request.method;
    if (method.empty() || !std::all_of(method.begin(), method.end(), is_capital)) {
        throw HttpError{Reason::unfit, "the method of a request is a word of capital letters"};
    }
    const auto is_unfit = [](char letter) { return is_control(letter) || letter == ' '; };
    if (std::any_of(request.url.begin(), request.url.end(), is_unfit)) {
        throw HttpError{Reason::unfit, "there is a space or a control character in the address"};
    }
    if (!request.url.starts_with("http://") && !request.url.starts_with("https://")) {
        throw HttpError{Reason::unfit, "the address begins with neither http:// nor https://"};
    }
    for (const auto& [name, value] : request.headers) {
        const auto is_bad = [](char letter) { return is_control(letter) && letter != '\t'; };
        if (!is_token(name)) throw HttpError{Reason::unfit, "the name of a header is not one"};
        if (std::any_of(value.begin(), value.end(), is_bad)) {
            throw HttpError{Reason::unfit, fmt::format("there is a control character in the header {}", name)};
        }
    }
}

class HeaderList {
public:
    explicit HeaderList(const std::vector<HttpHeader>& headers) {
        append("Expect:");        // no pause before the body
        append("Content-Type:");  // none but what is given
        for (const auto& [name, value] : headers)
            append(value.empty() ? name + ";"
                                 : fmt::format("{}: {}", name, value));  // libcurl: "Name:" would remove it
    }
    ~HeaderList() { curl_slist_free_all(list_); }
    HeaderList(const HeaderList&) = delete;
    HeaderList& operator=(const HeaderList&) = delete;
    [[nodiscard]] curl_slist* get() const noexcept { return list_; }

private:
    void append(const std::string& line) {
        auto* grown = curl_slist_append(list_, line.c_str());
        if (grown == nullptr) throw std::bad_alloc{};
        list_ = grown;
    }
    curl_slist* list_ = nullptr;
};

// What libcurl's callbacks see of one request.
struct Exchange {
    HttpAnswer answer;
    const HttpLimits& limits;
    std::size_t header_bytes = 0;
    bool is_too_large = false;
    bool is_cut_off = false;
    std::string_view unsent;  // of the request's body
    std::stop_token stop;
    std::exception_ptr failure;
};

// libcurl repeats a request by itself when a connection that was kept breaks before the first byte of an answer, though
// the server may have done what was asked. It cannot repeat one whose body it gets piece by piece, and only once.
std::size_t give_body(char* data, std::size_t, std::size_t most, void* exchange) {
    auto& unsent = static_cast<Exchange*>(exchange)->unsent;
    const auto size = unsent.copy(data, most);
    unsent.remove_prefix(size);
    return size;
}

std::size_t take_body(char* data, std::size_t, std::size_t size, void* exchange) {
    auto& all = *static_cast<Exchange*>(exchange);
    const auto room = all.limits.body - all.answer.body.size();
    const bool may_be_cut_off = all.limits.excess == HttpLimits::Excess::is_cut_off;
    all.is_too_large = size > room && !may_be_cut_off;
    if (all.is_too_large) return 0;
    try {
        all.answer.body.append(data, std::min(size, room));
    } catch (const std::bad_alloc&) {
        all.failure = std::current_exception();
        return 0;
    }
    all.is_cut_off = size > room;
    return all.is_cut_off ? 0 : size;  // libcurl ends the connection, on which the rest would be
}

void note_header(HttpAnswer& answer, std::string_view line) {
    if (line.starts_with("HTTP/")) answer.headers.clear();  // those before are of a 100 or the like
    const auto colon = line.find(':');
    if (colon == line.npos) return;
    std::string name{line.substr(0, colon)};
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    line.remove_prefix(colon + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    line = line.substr(0, line.find_last_not_of(" \t\r\n") + 1);
    const auto [at, is_new] = answer.headers.try_emplace(std::move(name), line);
    if (!is_new) at->second.append(", ").append(line);
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* exchange) {
    auto& all = *static_cast<Exchange*>(exchange);
    all.header_bytes += size;
    all.is_too_large = all.header_bytes > HttpLimits::headers;
    if (all.is_too_large) return 0;
    try {
        note_header(all.answer, {data, size});
    } catch (const std::bad_alloc&) {
        all.failure = std::current_exception();
        return 0;
    }
    return size;
}

// Called at least once a second while anything is waited for.
int consider_stopping(void* exchange, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Exchange*>(exchange)->stop.stop_requested() ? 1 : 0;
}

void set_request(CURL* curl, const HttpRequest& request, const Http::Settings& settings) {
    set(curl, CURLOPT_NOSIGNAL, 1L);
    set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    set(curl, CURLOPT_PROXY, "");  // none, whatever the environment says
    set(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!settings.ca_file.empty()) set(curl, CURLOPT_CAINFO, settings.ca_file.c_str());
    set(curl, CURLOPT_USERAGENT, settings.user_agent.c_str());
    set(curl, CURLOPT_URL, request.url.c_str());
    set(curl, CURLOPT_FOLLOWLOCATION, 0L);
    const bool has_body = !request.body.empty() || request.method == "POST" || request.method == "PUT" ||
                          request.method == "PATCH";  // an empty one is said to be empty: RFC 9110 8.6
    if (has_body) {
        set(curl, CURLOPT_POST, 1L);
        set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    }
    if (request.method == "HEAD") set(curl, CURLOPT_NOBODY, 1L);
    set(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    set(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.limits.connect.count()));
    set(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.limits.total.count()));
}

void set_callbacks(CURL* curl, Exchange& exchange) {
    set(curl, CURLOPT_READFUNCTION, &give_body);
    set(curl, CURLOPT_READDATA, &exchange);
    set(curl, CURLOPT_WRITEFUNCTION, &take_body);
    set(curl, CURLOPT_WRITEDATA, &exchange);
    set(curl, CURLOPT_HEADERFUNCTION, &take_header);
    set(curl, CURLOPT_HEADERDATA, &exchange);
    set(curl, CURLOPT_NOPROGRESS, 0L);
    set(curl, CURLOPT_XFERINFOFUNCTION, &consider_stopping);
    set(curl, CURLOPT_XFERINFODATA, &exchange);
}

void refuse(CURLcode result, const Exchange& exchange) {
    if (exchange.failure) std::rethrow_exception(exchange.failure);
    if (exchange.is_too_large) throw HttpError{Reason::too_large, "the answer is larger than it may be"};
    const auto* const said = curl_easy_strerror(result);
    switch (result) {
        case CURLE_OK:
            return;
        case CURLE_OUT_OF_MEMORY:
            throw std::bad_alloc{};
        case CURLE_ABORTED_BY_CALLBACK:
            throw HttpError{Reason::stopped, "was asked to stop"};
        case CURLE_OPERATION_TIMEDOUT:
            throw HttpError{Reason::timeout, "there was no whole answer in time"};
        case CURLE_SEND_FAIL_REWIND:
            throw HttpError{Reason::transport, "the connection broke before there was an answer"};
        case CURLE_URL_MALFORMAT:
        case CURLE_SSL_CACERT_BADFILE:
            throw HttpError{Reason::unfit, said};
        default:
            throw HttpError{Reason::transport, said};
    }
}

}  // namespace

std::string HttpAnswer::header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
}

void Http::FreeHandle::operator()(void* curl) const noexcept {
    curl_easy_cleanup(curl);
}

Http::Handle Http::take() {
    auto kept = idle_.with([](std::vector<Handle>& idle) {
        Handle handle;
        if (!idle.empty()) {
            handle = std::move(idle.back());
            idle.pop_back();
        }
        return handle;
    });
    if (kept) return kept;
    Handle made{curl_easy_init()};
    if (!made) throw std::bad_alloc{};
    return made;
}

HttpAnswer Http::send(const HttpRequest& request, const std::stop_token& stop) {
    check(request);
    if (stop.stop_requested()) throw HttpError{Reason::stopped, "was asked to stop"};
    auto handle = take();
    CURL* const curl = handle.get();
    Exchange exchange{.answer = {},
                      .limits = request.limits,
                      .header_bytes = 0,
                      .is_too_large = false,
                      .is_cut_off = false,
                      .unsent = request.body,
                      .stop = stop,
                      .failure = {}};
    const HeaderList headers{request.headers};
    set_request(curl, request, settings_);
    set(curl, CURLOPT_HTTPHEADER, headers.get());
    set_callbacks(curl, exchange);

    const auto result = curl_easy_perform(curl);
    if (!exchange.is_cut_off) refuse(result, exchange);  // a handle that has failed goes, and its connection with it
    long status = 0;
    require(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status));
    exchange.answer.status = static_cast<int>(status);
    curl_easy_reset(curl);  // what it was given is gone soon; the connection stays
    idle_.with([&](std::vector<Handle>& idle) { idle.push_back(std::move(handle)); });
    return std::move(exchange.answer);
}

std::string percent_encoded(const std::string& text) {
    std::string encoded;
    for (const char letter : text) {
        const bool is_plain = is_letter_or_digit(letter) || std::string_view{"-._~"}.find(letter) != std::string::npos;
        encoded += is_plain ? std::string(1, letter) : fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    }
    return encoded;
}

}  // namespace millrace::adapters
