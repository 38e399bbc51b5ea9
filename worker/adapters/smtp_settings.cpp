#include "adapters/smtp_settings.hpp"

#include "adapters/mail.hpp"
#include "adapters/mime.hpp"
#include "adapters/smtp_login.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <tuple>

namespace millrace::adapters {
namespace {

constexpr std::string_view letters_and_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

void require(bool sound, const std::string& problem) {
    if (!sound) throw std::invalid_argument{problem};
}

bool consists_of(std::string_view text, std::string_view others) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return letters_and_digits.find(c) != std::string_view::npos || others.find(c) != std::string_view::npos;
    });
}

bool is_loopback(std::string_view host) {
    const auto is_dotted = host.find_first_not_of("0123456789.") == std::string_view::npos;
    return host == "localhost" || host == "::1" || (is_dotted && host.substr(0, 4) == "127.");
}

void check_login(const SmtpSettings& settings) {
    const bool has_token = !settings.token.empty() || !settings.token_file.empty();
    const bool has_secret = !settings.password.empty() || has_token;
    if (settings.auth == SmtpAuth::xoauth2) {
        require(!settings.username.empty(), "smtp.auth=xoauth2 needs smtp.username, the mailbox to send as");
        require(has_token,
                "smtp.auth=xoauth2 needs a token; set smtp.token_file, or MILLRACE_SMTP_TOKEN in the environment");
        require(settings.token.empty() || settings.token_file.empty(),
                "smtp.token and smtp.token_file are both set; leave one of them out");
        require(settings.password.empty(),
                "smtp.auth=xoauth2 takes a token, not a password; leave smtp.password and smtp.password_file out");
        if (!settings.token_file.empty()) std::ignore = read_token(settings.token_file);
    } else {
        require(settings.token_file.empty(),
                "smtp.token_file is set but smtp.auth is not xoauth2; set both or neither");
        require(settings.token.empty(), "smtp.token is set but smtp.auth is not xoauth2; set both or neither");
        require(settings.auth == SmtpAuth::automatic || !settings.username.empty(),
                "smtp.auth is set but smtp.username is not; set both or neither");
        require(settings.username.empty() == settings.password.empty(),
                settings.username.empty() ? "smtp.password is set but smtp.username is not; set both or neither"
                                          : "smtp.username is set but there is no password; set smtp.password_file, or "
                                            "MILLRACE_SMTP_PASSWORD in the environment");
    }
    require(
        !has_secret || settings.security != SmtpSecurity::none || is_loopback(settings.host),
        "smtp.security=none would send the password in the clear; use starttls or tls, or leave smtp.username empty");
}

}  // namespace

void check(const SmtpSettings& settings) {
    require(!settings.host.empty() && consists_of(settings.host, ".-_:"),
            "smtp.url names no host; write it like smtp://mail.example.com:587");
    require(settings.port != 0, "smtp.url has port 0; the usual ones are 587 (starttls), 465 (tls) and 25");
    check_login(settings);
    require(settings.ca_file.empty() || std::ifstream{settings.ca_file}.good(),
            fmt::format("smtp.ca_file: {} cannot be read; it should hold certificates in PEM", settings.ca_file));
    require(!settings.from.empty(), "smtp.from is not set; give the sender's address, \"Name <address>\" if you like");
    const auto sender = parse_mailbox(settings.from);
    if (const auto problem = mailbox_problem(sender)) throw std::invalid_argument{"smtp.from: " + *problem};
    require(consists_of(settings.helo, ".-:[]"), "smtp.helo is no host name; use one like worker-1.example.com");
    require(settings.connect_timeout.count() > 0 && settings.total_timeout >= settings.connect_timeout,
            "the SMTP timeouts must be positive, and the total one no shorter than the one for connecting");
    require(settings.reply_timeout.count() > 0, "smtp.reply_timeout must be positive");
}

std::string url_of(const SmtpSettings& settings) {
    const bool is_ipv6 = settings.host.find(':') != std::string::npos;
    return fmt::format("{}://{}:{}/{}", settings.security == SmtpSecurity::tls ? "smtps" : "smtp",
                       is_ipv6 ? "[" + settings.host + "]" : settings.host, settings.port, settings.helo);
}

std::string login_options_of(const SmtpSettings& settings) {
    switch (settings.auth) {
        case SmtpAuth::automatic:
            break;
        case SmtpAuth::plain:
            return "AUTH=PLAIN";
        case SmtpAuth::login:
            return "AUTH=LOGIN";
        case SmtpAuth::cram_md5:
            return "AUTH=CRAM-MD5";
        case SmtpAuth::xoauth2:
            return "AUTH=XOAUTH2";
    }
    return "";
}

std::vector<std::string> secrets_of(const SmtpSettings& settings) {
    std::vector<std::string> secrets;
    if (!settings.password.empty()) {
        const std::string separator(1, '\0');  // AUTH PLAIN: RFC 4616 2
        secrets = {base64(separator + settings.username + separator + settings.password), base64(settings.password),
                   settings.password};
    }
    if (!settings.token.empty()) {
        const std::string separator(1, '\1');
        secrets.push_back(
            base64("user=" + settings.username + separator + "auth=Bearer " + settings.token + separator + separator));
        secrets.push_back(base64(settings.token));
        secrets.push_back(settings.token);
    }
    return secrets;
}

}  // namespace millrace::adapters
