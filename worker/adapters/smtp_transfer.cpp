#include "adapters/smtp_transfer.hpp"

#include "adapters/smtp_message.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <new>
#include <optional>
#include <utility>

namespace millrace::adapters {
namespace {

using Clock = std::chrono::steady_clock;
using Phase = SmtpDialogue::Phase;
using Verdict = Delivery::Verdict;

// What libcurl's callbacks see of one try.
struct Watch {
    SmtpDialogue dialogue;
    std::stop_token stop;
    Clock::duration patience;  // up to the message, and for the farewell
    Clock::time_point latest = Clock::now() + patience;
    std::optional<Clock::time_point> stop_seen{};
    bool is_leaving = false;
    bool is_late = false;
    bool must_log_in = false;
    bool is_logged_in = true;  // on a kept connection: whoever was not has been hung up on
    SmtpSteps steps{};
    std::string login_tried{};
    bool lacks_login = false;  // the mail was begun without one
};

void note_line(Watch& watch, std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n'))
        line.remove_suffix(1);
    auto& steps = watch.steps;
    if (steps.greeting.empty()) steps.greeting = watch.dialogue.clean(line.substr(0, SmtpDialogue::max_reply));
    if (line.substr(0, 3) != "235" || watch.dialogue.phase() != Phase::opening) return;
    steps.login = watch.login_tried;  // RFC 4954 6
    watch.is_logged_in = true;
}

// Of an AUTH command no more than the name of the way: what follows is a secret.
void note_command(Watch& watch, std::string_view command) {
    constexpr std::string_view verb = "AUTH ";
    if (command.substr(0, 4) == "QUIT") {
        watch.is_leaving = true;
        watch.latest = Clock::now() + watch.patience;
    }
    const auto greeting = command.substr(0, 5);
    if (greeting == "EHLO " || greeting == "HELO ") watch.is_logged_in = false;
    if (watch.dialogue.phase() != Phase::opening || command.substr(0, verb.size()) != verb) return;
    command.remove_prefix(verb.size());
    watch.login_tried = watch.dialogue.clean(command.substr(0, command.find_first_of(" \r\n")));
}

void note_text(Watch& watch, std::string_view text) {
    constexpr std::string_view start = "SSL connection using ";  // libcurl's own words; there is no other way to ask
    if (text.substr(0, start.size()) != start) return;
    watch.steps.tls = watch.dialogue.clean(text.substr(start.size(), text.find('\n') - start.size()));
}

int listen(CURL*, curl_infotype kind, char* data, std::size_t size, void* watch) {
    auto& seen = *static_cast<Watch*>(watch);
    const std::string_view text{data, size};
    if (kind == CURLINFO_HEADER_OUT) {
        note_command(seen, text);
        seen.dialogue.sent(text);
        // libcurl goes on without a login when the server offers none. Here it ends: consider_stopping is called before
        // a message is begun.
        const bool has_begun = seen.dialogue.phase() != Phase::opening;
        if (has_begun && seen.must_log_in && !seen.is_logged_in) seen.lacks_login = true;
    } else if (kind == CURLINFO_HEADER_IN) {
        note_line(seen, text);
        seen.dialogue.heard(text);
    } else if (kind == CURLINFO_TEXT) {
        note_text(seen, text);
    }
    return 0;
}

// Called at least once a second while anything is waited for. Anything but 0 ends the transfer.
int consider_stopping(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& watch = *static_cast<Watch*>(data);
    if (watch.lacks_login) return 1;
    const bool awaits_word = watch.dialogue.phase() == Phase::message && !watch.is_leaving;
    if (!awaits_word && Clock::now() >= watch.latest) {
        watch.is_late = true;
        return 1;
    }
    if (!watch.stop.stop_requested()) return 0;
    if (watch.dialogue.phase() != Phase::message) return 1;
    if (!watch.stop_seen) watch.stop_seen = Clock::now();
    return Clock::now() - *watch.stop_seen < SmtpTransfer::final_reply_grace ? 0 : 1;
}

const char* remedy(CURLcode result) {
    switch (result) {
        case CURLE_USE_SSL_FAILED:
            return "; it offers no STARTTLS: set smtp.security to tls or none if that is right";
        case CURLE_PEER_FAILED_VERIFICATION:
            return "; set smtp.ca_file to the authority that signed its certificate";
        case CURLE_LOGIN_DENIED:
            return "; check smtp.username and the password or token, and smtp.auth if the server wants another way";
        default:
            return "";
    }
}

std::string describe(Verdict verdict, Phase phase, const std::string& cause) {
    static constexpr std::array refused = {"the session", "the sender", "the recipient", "the message", "the message"};
    switch (verdict) {
        case Verdict::accepted:
            break;
        case Verdict::rejected:
            return fmt::format("the mail server refused {}: {}", refused.at(static_cast<std::size_t>(phase)), cause);
        case Verdict::deferred:
            return fmt::format("the mail server put off {}: {}", refused.at(static_cast<std::size_t>(phase)), cause);
        case Verdict::ambiguous:
            return fmt::format(
                "the connection was lost before the mail server's final reply ({}): the message may have "
                "been delivered, the next attempt bears the same Message-ID",
                cause);
        case Verdict::broken_off:
            return fmt::format("the mail server broke off at {}: {}", refused.at(static_cast<std::size_t>(phase)),
                               cause);
        case Verdict::unserved:
            return fmt::format("the mail server delivers nothing for us: {}", cause);
        case Verdict::stopped:
            return "stopped before the message was sent";
    }
    return "";
}

constexpr auto too_late = "its answers take longer than smtp.total_timeout";

constexpr auto lacks_login =
    "it offers no way to log in, and smtp.username is set: check smtp.url and smtp.security, or leave the name and its "
    "secret out if the server needs none";

Delivery judge(const Watch& watch, CURLcode result, long code, Sender sender, const char* error) {
    const auto phase = watch.dialogue.phase();
    Delivery delivery;
    delivery.code = static_cast<int>(code);
    delivery.reply = watch.dialogue.reply();
    delivery.verdict = result == CURLE_OK ? Verdict::accepted : verdict(phase, delivery.code, sender);
    const bool is_aborted = result == CURLE_ABORTED_BY_CALLBACK;
    if (is_aborted && !watch.is_late && phase != Phase::message) delivery.verdict = Verdict::stopped;

    if (watch.lacks_login) {
        delivery.verdict = Verdict::unserved;
        delivery.error = describe(delivery.verdict, phase, lacks_login);
        return delivery;
    }
    if (is_aborted && watch.is_late) error = too_late;
    const bool is_refusal = code >= 400;
    const auto cause =
        is_refusal ? delivery.reply : watch.dialogue.clean(*error != '\0' ? error : curl_easy_strerror(result));
    delivery.error = describe(delivery.verdict, phase, cause + remedy(result));
    return delivery;
}

std::string address_of(CURL* curl) {
    const char* host = nullptr;
    long port = 0;
    if (curl_easy_getinfo(curl, CURLINFO_PRIMARY_IP, &host) != CURLE_OK || host == nullptr) return "";
    if (curl_easy_getinfo(curl, CURLINFO_PRIMARY_PORT, &port) != CURLE_OK) return "";
    const bool is_ipv6 = std::string_view{host}.find(':') != std::string_view::npos;
    return fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port);
}

}  // namespace

SmtpTransfer::SmtpTransfer(const SmtpSettings& settings)
    : settings_{settings}, url_{url_of(settings)}, curl_{curl_easy_init()} {
    if (curl_ == nullptr) throw std::bad_alloc{};
}

SmtpTransfer::~SmtpTransfer() {
    // Closing says QUIT and waits up to two minutes for an answer that nobody needs: end the waiting beforehand.
    curl_socket_t socket = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(curl_, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK && socket != CURL_SOCKET_BAD) {
        ::shutdown(socket, SHUT_RD);
    }
    curl_easy_cleanup(curl_);
}

void SmtpTransfer::set_server(const SmtpLogin& login) {
    set(curl_, CURLOPT_NOSIGNAL, 1L);
    set(curl_, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    set(curl_, CURLOPT_PROXY, "");  // none, whatever the environment says
    set(curl_, CURLOPT_URL, url_.c_str());
    set(curl_, CURLOPT_USE_SSL,
        static_cast<long>(settings_.security == SmtpSecurity::none ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    set(curl_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!settings_.ca_file.empty()) set(curl_, CURLOPT_CAINFO, settings_.ca_file.c_str());
    if (!settings_.username.empty()) {
        set(curl_, CURLOPT_USERNAME, settings_.username.c_str());
        if (settings_.auth == SmtpAuth::xoauth2) {
            set(curl_, CURLOPT_XOAUTH2_BEARER, login.token.c_str());
        } else {
            set(curl_, CURLOPT_PASSWORD, login.password.c_str());
        }
        if (const auto options = login_options_of(settings_); !options.empty()) {
            set(curl_, CURLOPT_LOGIN_OPTIONS, options.c_str());
        }
    }
    set(curl_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.connect_timeout.count()));
    // For all but the message consider_stopping allows less, and for the QUIT after a refusal, too.
    const auto all = settings_.total_timeout + settings_.reply_timeout;
    set(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(all.count()));
    set(curl_, CURLOPT_SERVER_RESPONSE_TIMEOUT,  // libcurl's own is two minutes
        static_cast<long>(std::chrono::ceil<std::chrono::seconds>(all).count()));
}

SmtpTransfer::Try SmtpTransfer::send(const Mail& mail, Sender sender, const SmtpLogin& login, std::stop_token stop,
                                     Connection wanted) {
    Watch watch{.dialogue = SmtpDialogue{login.forms},
                .stop = std::move(stop),
                .patience = settings_.total_timeout,
                .must_log_in = !settings_.username.empty()};
    std::array<char, CURL_ERROR_SIZE> error{};
    // Clears what the last mail left, which is gone by now, and keeps the connection.
    curl_easy_reset(curl_);
    set_server(login);
    set(curl_, CURLOPT_FRESH_CONNECT, wanted == Connection::fresh ? 1L : 0L);
    set(curl_, CURLOPT_VERBOSE, 1L);  // without it nothing is listened to
    set(curl_, CURLOPT_DEBUGFUNCTION, &listen);
    set(curl_, CURLOPT_DEBUGDATA, &watch);
    set(curl_, CURLOPT_NOPROGRESS, 0L);
    set(curl_, CURLOPT_XFERINFOFUNCTION, &consider_stopping);
    set(curl_, CURLOPT_XFERINFODATA, &watch);
    set(curl_, CURLOPT_ERRORBUFFER, error.data());
    const SmtpMessage message{curl_, mail};

    const auto result = curl_easy_perform(curl_);
    long code = 0;
    long opened = 0;
    require(curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &code));
    require(curl_easy_getinfo(curl_, CURLINFO_NUM_CONNECTS, &opened));
    if (!watch.steps.greeting.empty()) watch.steps.address = address_of(curl_);
    // The handle and its connection outlive what the callbacks were given.
    set(curl_, CURLOPT_VERBOSE, 0L);
    set(curl_, CURLOPT_NOPROGRESS, 1L);
    set(curl_, CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
    return {judge(watch, result, code, sender, error.data()), opened == 0 ? Connection::kept : Connection::fresh,
            std::move(watch.steps)};
}

}  // namespace millrace::adapters
