#pragma once
// What became of one mail, in terms that a queue can act on.

#include <string>

namespace millrace::adapters {

struct Delivery {
    enum class Verdict {
        accepted,   // the server has taken responsibility for the message
        rejected,   // refused for good, for a reason of its own: the same mail will be refused again
        deferred,   // refused for now, for a reason of its own
        ambiguous,  // the connection was lost after the message was sent: it may have been delivered
        unserved,   // the server or our configuration is at fault, whatever the mail: nothing was delivered
        stopped,    // we were asked to stop before the message was sent: nothing was delivered
    };
    Verdict verdict = Verdict::unserved;
    int code = 0;       // of the last SMTP reply, 0 when there was none
    std::string reply;  // the server's last reply: printable ASCII, one line, bounded
    std::string error;  // what happened, for a person; empty when accepted
};

}  // namespace millrace::adapters
