#include "cli/notify.hpp"

#include "cli/input.hpp"
#include "cli/notify_looks.hpp"
#include "cli/notify_people.hpp"
#include "cli/send_test.hpp"

#include <array>

namespace millrace::cli {

namespace {

constexpr std::array flags{notify_user_flag,   notify_type_flag, notify_status_flag, notify_limit_flag,
                           notify_locale_flag, notify_data_flag, notify_reason_flag, notify_yes_flag,
                           send_test_to_flag,  json_flag};

constexpr std::array verbs{
    Verb{"types", 0, 0, "takes no words", "json"},
    Verb{"emails", 0, 0, "takes no words", "user type status limit json"},
    Verb{"preview", 1, 1, "needs one event type", "locale data json"},
    Verb{"suppress", 1, 1, "needs one address", "reason json"},
    Verb{"unsuppress", 1, 1, "needs one address", "json"},
    Verb{"suppressed", 0, 0, "takes no words", "limit json"},
    Verb{"erase", 1, 1, "needs one user", "yes json"},
    Verb{"send-test", 0, 0, "takes no words: --to ADDRESS", "to json"},
};

Exit run(const Invocation& invocation) {
    if (invocation.arguments.words().empty()) throw UsageError{"notify needs a verb, such as types or emails"};
    const auto verb = verb_of("notify", invocation.arguments, verbs).name;
    if (verb == "types") return list_types(invocation);
    if (verb == "emails") return list_emails(invocation);
    if (verb == "preview") return preview(invocation);
    if (verb == "suppress") return suppress(invocation);
    if (verb == "unsuppress") return unsuppress(invocation);
    if (verb == "suppressed") return list_suppressed(invocation);
    if (verb == "erase") return erase_user(invocation);
    return send_test(invocation);
}

}  // namespace

Command notify_command() {
    return {.name = "notify",
            .summary = "event types, what became of emails, how a template reads, suppressed addresses, a test mail",
            .usage =
                "millrace notify types [--json]\n"
                "millrace notify emails [--user NAME] [--type TYPE] [--status STATUS] [--limit N] [--json]\n"
                "millrace notify preview TYPE [--locale LOCALE] [--data JSON] [--json]\n"
                "millrace notify suppress ADDRESS [--reason TEXT] [--json]\n"
                "millrace notify unsuppress ADDRESS [--json]\n"
                "millrace notify suppressed [--limit N] [--json]\n"
                "millrace notify erase USER [--yes] [--json]\n"
                "millrace notify send-test --to ADDRESS [--json]",
            .details =
                "preview prints subject, text and html as the template for the locale makes them of the data: the\n"
                "same code renders what is sent. No job is made. emails ends with 3 when there are none.\n"
                "Nothing is sent to a suppressed address. erase takes a user out of notifications for good; without\n"
                "--yes it only counts the emails.\n"
                "send-test sends one mail through the configured server and tells each step: connected, encrypted,\n"
                "authenticated, accepted with the server's reply. It ends with 1 when the mail was not accepted.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
