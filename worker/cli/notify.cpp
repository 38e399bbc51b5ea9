#include "cli/notify.hpp"

#include "cli/notify_looks.hpp"

#include <array>

namespace millrace::cli {

namespace {

constexpr std::array flags{notify_user_flag,   notify_type_flag, notify_status_flag, notify_limit_flag,
                           notify_locale_flag, notify_data_flag, json_flag};

Exit run(const Invocation& invocation) {
    const auto& words = invocation.arguments.words();
    if (words.empty()) throw UsageError{"notify needs a verb: types, emails or preview"};
    const auto& verb = words.front();
    require_known("verb", verb, {"types", "emails", "preview"});
    if (verb == "preview") return preview(invocation);
    if (words.size() > 1) throw UsageError{"notify " + verb + " takes no words"};
    return verb == "types" ? list_types(invocation) : list_emails(invocation);
}

}  // namespace

Command notify_command() {
    return {.name = "notify",
            .summary = "event types, what became of emails, and how a template reads",
            .usage =
                "millrace notify types [--json]\n"
                "millrace notify emails [--user NAME] [--type TYPE] [--status STATUS] [--limit N] [--json]\n"
                "millrace notify preview TYPE [--locale LOCALE] [--data JSON] [--json]",
            .details =
                "preview prints subject, text and html as the template for the locale makes them of the data: the\n"
                "same code renders what is sent. No job is made. emails ends with 3 when there are none.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
