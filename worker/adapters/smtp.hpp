#pragma once
// Hands one mail to one SMTP server, and says what became of it in terms a queue can act on.
//
// Delivered means that the server answered the end of the message with 250 and so took responsibility for it.
// Everything else is classified by the server's reply and by the command it answered, never by how the
// connection died: only the message's own refusals are the message's fault, and a message whose final reply was
// lost is neither delivered nor undelivered.
//
// Connections are kept open between mails and belong to idle transfers of a pool: as many as there were mails
// under way at one time. Credentials are in no result, and no AUTH exchange is ever recorded.
//
// Thread rule: `deliver` may be called from any thread, concurrently.

#include "adapters/mail.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

namespace millrace::adapters {

enum class SmtpSecurity {
    starttls,  // required: a server that does not offer it is refused before anything is sent
    tls,       // from the first byte ("smtps", port 465)
    none,
};

struct SmtpSettings {
    std::string host;
    std::uint16_t port = 587;
    SmtpSecurity security = SmtpSecurity::starttls;
    std::string username;  // empty: no authentication
    std::string password;
    std::string ca_file;  // empty: the system's authorities
    std::string from;     // the default sender, "address" or "Name <address>"
    std::string helo;     // empty: this host's name

    // Connecting takes in the banner, EHLO, STARTTLS and AUTH: several round trips, and some servers delay the
    // banner by ten seconds to be rid of senders who cannot wait.
    std::chrono::milliseconds connect_timeout{std::chrono::seconds(15)};
    std::chrono::milliseconds total_timeout{std::chrono::seconds(60)};
};

// What became of one mail.
struct Delivery {
    enum class Verdict {
        accepted,
        rejected,   // refused for good, for a reason of its own: the same mail will be refused again
        deferred,   // refused for now, for a reason of its own
        ambiguous,  // the connection was lost after the message was sent: it may have been delivered
        unserved,   // the server or our configuration is at fault, whatever the mail: nothing was delivered
        stopped,    // we were asked to stop before the message was sent: nothing was delivered
    };
    Verdict verdict = Verdict::unserved;
    int code = 0;       // of the last SMTP reply, 0 when there was none
    std::string reply;  // the server's last reply, printable ASCII on one line, bounded
    std::string error;  // what happened, for a person; empty when accepted
};

class Smtp {
public:
    // Throws std::invalid_argument, naming the setting and the remedy, for a configuration that cannot work.
    explicit Smtp(SmtpSettings settings);
    ~Smtp();
    Smtp(const Smtp&) = delete;
    Smtp& operator=(const Smtp&) = delete;

    // The mail must be sound (`mail_problem`). Returns within the total timeout, sooner when a stop is requested:
    // but a message already sent is given a moment for its reply, since not hearing it would make it ambiguous.
    Delivery deliver(const Mail& mail, std::stop_token stop);

    [[nodiscard]] const Mailbox& default_sender() const noexcept { return sender_; }

private:
    class Transfer;  // an easy handle and the connection it keeps

    std::unique_ptr<Transfer> take_transfer();
    void give_back(std::unique_ptr<Transfer> transfer);

    const SmtpSettings settings_;
    const Mailbox sender_;

    std::mutex mutex_;  // protects what follows
    std::vector<std::unique_ptr<Transfer>> idle_;
};

}  // namespace millrace::adapters
