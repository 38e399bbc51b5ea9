#pragma once
// A real SMTP server (smtp/server.mjs) for the length of a test: it tells what it received and misbehaves by script.
//
// Thread rule: one thread; the server itself takes any number of connections.

#include "adapters/smtp_settings.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::testing {

// As the mail was read back by an independent parser.
struct ReceivedMail {
    struct File {
        std::string name;
        std::string type;
        std::string disposition;
        std::string content;  // in base64
        friend bool operator==(const File&, const File&) = default;
    };
    struct Address {
        std::string address;
        std::string name;
        friend bool operator==(const Address&, const Address&) = default;
    };
    std::vector<Address> from;
    std::vector<Address> to;
    std::vector<Address> reply_to;
    std::string subject;
    std::string text;
    std::string html;
    std::vector<File> attachments;
    std::string message_id;
    std::string date;  // ISO 8601
    std::string helo;
    std::string user;  // who had authenticated
    std::string connection;
    std::string envelope_from;
    std::vector<std::string> envelope_to;
    std::vector<std::string> headers;  // raw lines, folded as they came
    std::string raw;                   // the whole message; bytes beyond ASCII as UTF-8 of Latin-1
    bool secure = false;
};

class SmtpServer {
public:
    enum class Authentication { none, required };

    static constexpr std::string_view username = "millrace";
    static constexpr std::string_view password = "canary-4f6c7b";  // short enough never to occur by accident

    // `peculiarities` are further words for smtp/server.mjs.
    explicit SmtpServer(adapters::SmtpSecurity security, Authentication authentication = Authentication::none,
                        std::vector<std::string> peculiarities = {});
    ~SmtpServer();
    SmtpServer(const SmtpServer&) = delete;
    SmtpServer& operator=(const SmtpServer&) = delete;

    // Those of a client that this server serves.
    [[nodiscard]] const adapters::SmtpSettings& settings() const noexcept { return settings_; }

    // The faults from now on; the language is described in smtp/faults.mjs. Throws when a script is not understood.
    void script(std::string_view faults);

    // Whether every fault of the script has been met as often as it says.
    [[nodiscard]] bool has_played_script() const;

    [[nodiscard]] std::vector<ReceivedMail> messages() const;
    void forget_messages();

    // Stops answering anything, as a host does that hangs, and goes on.
    void suspend();
    void resume();

private:
    [[nodiscard]] std::string request(const char* method, const char* path, std::string_view body) const;

    adapters::SmtpSettings settings_;
    std::string control_url_;
    pid_t pid_ = -1;
    int stdin_ = -1;  // the server ends when this closes, so that none outlives its test
};

}  // namespace millrace::testing
