#include "cli/notify.hpp"

#include "cli/notify_looks.hpp"
#include "cli/send_test.hpp"

#include <array>

namespace millrace::cli {

namespace {

constexpr std::array flags{notify_user_flag,   notify_type_flag, notify_status_flag, notify_limit_flag,
                           notify_locale_flag, notify_data_flag, send_test_to_flag,  json_flag};

Exit run(const Invocation& invocation) {
    const auto& words = invocation.arguments.words();
    if (words.empty()) throw UsageError{"notify needs a verb: types, emails, preview or send-test"};
    const auto& verb = words.front();
    require_known("verb", verb, {"types", "emails", "preview", "send-test"});
    if (verb == "preview") return preview(invocation);
    if (verb == "send-test") {
        if (words.size() > 1) throw UsageError{"notify send-test takes no words; did you mean --to " + words[1] + "?"};
        return send_test(invocation);
    }
    if (words.size() > 1) throw UsageError{"notify " + verb + " takes no words"};
    return verb == "types" ? list_types(invocation) : list_emails(invocation);
}

}  // namespace

Command notify_command() {
    return {.name = "notify",
            .summary = "event types, what became of emails, how a template reads, and whether mail goes out",
            .usage =
                "millrace notify types [--json]\n"
                "millrace notify emails [--user NAME] [--type TYPE] [--status STATUS] [--limit N] [--json]\n"
                "millrace notify preview TYPE [--locale LOCALE] [--data JSON] [--json]\n"
                "millrace notify send-test --to ADDRESS [--json]",
            .details =
                "preview prints subject, text and html as the template for the locale makes them of the data: the\n"
                "same code renders what is sent. No job is made. emails ends with 3 when there are none.\n"
                "send-test sends one mail through the configured server and tells each step: connected, encrypted,\n"
                "authenticated, accepted with the server's reply. It ends with 1 when the mail was not accepted.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
