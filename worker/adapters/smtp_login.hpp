#pragma once
// The secret that a mail is sent with. A token in a file is somebody else's to renew: the file is read for each mail,
// so that a new token holds for the next one. libcurl opens a connection for it; the old ones bear the old token.
//
// Thread rule: `current` by any thread.

#include "adapters/smtp_settings.hpp"
#include "core/guarded.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace millrace::adapters {

struct SmtpLogin {
    std::string password;
    std::string token;
    std::vector<std::string> forms;  // in which they are sent, and which nobody may see
};

// The token's file is of no use now; the text names the setting, the reason and the remedy, never what is in it.
class SmtpLoginProblem : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

class SmtpLogins {
public:
    explicit SmtpLogins(const SmtpSettings& settings);  // which outlive it

    // Throws SmtpLoginProblem.
    [[nodiscard]] std::shared_ptr<const SmtpLogin> current();

private:
    const SmtpSettings& settings_;
    core::Guarded<std::shared_ptr<const SmtpLogin>> latest_;
};

// The first line of a file that nobody but its owner reads. Throws SmtpLoginProblem.
[[nodiscard]] std::string read_token(const std::string& path);

}  // namespace millrace::adapters
