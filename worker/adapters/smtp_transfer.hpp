#pragma once
// A libcurl handle and the one SMTP connection that it keeps from mail to mail.
//
// Thread rule: one thread at a time.

#include "adapters/delivery.hpp"
#include "adapters/mail.hpp"
#include "adapters/smtp_dialogue.hpp"
#include "adapters/smtp_login.hpp"
#include "adapters/smtp_settings.hpp"

#include <chrono>
#include <stop_token>
#include <string>

namespace millrace::adapters {

class SmtpTransfer {
public:
    // How long the reply to a message already sent is waited for after a stop request: not hearing it would make the
    // mail ambiguous, and a second copy likely.
    static constexpr std::chrono::seconds final_reply_grace{3};

    enum class Connection {
        kept,  // that of the mail before, if it still stands
        fresh,
    };
    struct Try {
        Delivery delivery;
        Connection connection;  // the one that was used
        SmtpSteps steps;
    };

    // The settings have been checked, and outlive the transfer.
    explicit SmtpTransfer(const SmtpSettings& settings);
    ~SmtpTransfer();
    SmtpTransfer(const SmtpTransfer&) = delete;
    SmtpTransfer& operator=(const SmtpTransfer&) = delete;

    // Whoever has a username logs in, or sends nothing. No result shows a secret of the login.
    [[nodiscard]] Try send(const Mail& mail, Sender sender, const SmtpLogin& login, std::stop_token stop,
                           Connection wanted);

private:
    void set_server(const SmtpLogin& login);

    const SmtpSettings& settings_;
    const std::string url_;
    void* const curl_;  // CURL*, whose header stays out of ours
};

}  // namespace millrace::adapters
