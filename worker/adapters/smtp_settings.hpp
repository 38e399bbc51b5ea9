#pragma once
// Which SMTP server to use, and how. Values; what they are worth is found out before the first mail.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace millrace::adapters {

enum class SmtpSecurity {
    starttls,  // required: a server that does not offer it is refused before anything is sent
    tls,       // from the first byte (smtps://, port 465)
    none,
};

// How we say who we are.
enum class SmtpAuth {
    automatic,  // the strongest of what the server offers and a password serves
    plain,
    login,
    cram_md5,  // the password itself is not sent
    xoauth2,   // with a token instead of a password
};

struct SmtpSettings {
    std::string host;  // a name or an address, IPv6 without brackets
    std::uint16_t port = 587;
    SmtpSecurity security = SmtpSecurity::starttls;
    std::string username;  // empty: no authentication
    std::string password;
    SmtpAuth auth = SmtpAuth::automatic;
    std::string token;       // of XOAUTH2, which needs no password
    std::string token_file;  // or where it is kept up to date by another program
    std::string ca_file;     // empty: the system's authorities
    std::string from;        // the default sender, "address" or "Name <address>"
    std::string helo;        // what to call ourselves; empty: this host's name

    // Connecting takes in the banner, EHLO, STARTTLS and AUTH: several round trips, and some servers delay the
    // banner by ten seconds to be rid of senders who cannot wait.
    std::chrono::milliseconds connect_timeout{std::chrono::seconds{15}};
    std::chrono::milliseconds total_timeout{std::chrono::seconds{60}};  // of one try up to its message
    // More for the message and the server's word on it: RFC 5321 4.5.3.2.6. It may deliver before it answers, and who
    // does not hear it sends a second copy.
    std::chrono::milliseconds reply_timeout{std::chrono::minutes{10}};

    friend bool operator==(const SmtpSettings&, const SmtpSettings&) = default;
};

// Throws std::invalid_argument, naming the setting and the remedy, when no mail can ever be sent with these.
// A password or token that would cross a network in the clear counts as such.
void check(const SmtpSettings& settings);

std::string url_of(const SmtpSettings& settings);

// libcurl's words for the one way to authenticate; empty when any will do.
std::string login_options_of(const SmtpSettings& settings);

// The password and the token in every form in which they are sent; empty without them.
std::vector<std::string> secrets_of(const SmtpSettings& settings);

}  // namespace millrace::adapters
