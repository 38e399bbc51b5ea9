#pragma once
// What becomes of settings that have other values when they are read again: a process that works takes over what it can
// change safely, and keeps the rest until somebody starts it anew.
//
// Taken over is what the next job, mail, request or line meets. Kept is what the server was told of a session (queues,
// name, lease), what was opened at the start (the database, the port), and what the identity of mails is made of
// (smtp.from).
//
// Pure but for files that settings name, as `mail_server_problem` looks at them.

#include "options.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

// Which command reads them: it does not mind settings of others.
enum class Reader { worker, serve };

struct Changes {
    std::vector<std::string> taken;  // keys, in the order of config/millrace.conf
    std::vector<std::string> kept;   // those that need a restart
};

// Puts into `now` what can be taken over of `next`.
Changes take_over(Options& now, const Options& next, Reader reader);

// What config/millrace.conf says of a setting: "yes"; "no"; "slots" when that is all that can change.
struct Reloadable {
    std::string_view key;
    std::string_view extent;
};
[[nodiscard]] std::vector<Reloadable> reloadable_settings();

}  // namespace millrace::cli
