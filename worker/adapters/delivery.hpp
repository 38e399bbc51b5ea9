#pragma once
// What became of one mail, in terms that a queue can act on.

#include <array>
#include <string>
#include <string_view>

namespace millrace::adapters {

struct Delivery {
    enum class Verdict {
        accepted,    // the server has taken responsibility for the message
        rejected,    // refused for good, for a reason of its own: the same mail will be refused again
        deferred,    // refused for now, for a reason of its own
        ambiguous,   // the connection was lost after the message was sent: it may have been delivered
        unserved,    // the server or our configuration is at fault, whatever the mail: nothing was delivered
        broken_off,  // by a server that had heard for whom it is: nothing was delivered, and whose fault, nobody knows
        stopped,     // we were asked to stop before the message was sent: nothing was delivered
    };
    Verdict verdict = Verdict::unserved;
    int code = 0;       // of the last SMTP reply, 0 when there was none
    std::string reply;  // the server's last reply: printable ASCII, one line, bounded
    std::string error;  // what happened, for a person; empty when accepted
};

inline constexpr std::array verdicts{Delivery::Verdict::accepted, Delivery::Verdict::rejected,
                                     Delivery::Verdict::deferred, Delivery::Verdict::ambiguous,
                                     Delivery::Verdict::unserved, Delivery::Verdict::broken_off,
                                     Delivery::Verdict::stopped};

// "accepted" and so on.
[[nodiscard]] constexpr std::string_view name_of(Delivery::Verdict verdict) {
    constexpr std::array<std::string_view, verdicts.size()> names{"accepted", "rejected",   "deferred", "ambiguous",
                                                                  "unserved", "broken_off", "stopped"};
    return names.at(static_cast<std::size_t>(verdict));
}

// How far a delivery came, for a person who sets a mail server up. Each is empty while it has not happened.
struct SmtpSteps {
    std::string address;   // that was connected to, with its port
    std::string greeting;  // the server's first reply
    std::string tls;       // version and cipher
    std::string login;     // the way in which we have authenticated
};

}  // namespace millrace::adapters
