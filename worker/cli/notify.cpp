#include "cli/notify.hpp"

#include "cli/notify_looks.hpp"
#include "cli/notify_people.hpp"
#include "cli/send_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace millrace::cli {

namespace {

constexpr std::array flags{notify_user_flag,   notify_type_flag, notify_status_flag, notify_limit_flag,
                           notify_locale_flag, notify_data_flag, notify_reason_flag, notify_yes_flag,
                           send_test_to_flag,  json_flag};

constexpr std::array verbs{
    std::pair{"types", &list_types},  std::pair{"emails", &list_emails},    std::pair{"preview", &preview},
    std::pair{"suppress", &suppress}, std::pair{"unsuppress", &unsuppress}, std::pair{"suppressed", &list_suppressed},
    std::pair{"erase", &erase_user},  std::pair{"send-test", &send_test},
};

Exit run(const Invocation& invocation) {
    const auto& words = invocation.arguments.words();
    std::vector<std::string> known;
    known.reserve(verbs.size());
    for (const auto& [name, unused] : verbs)
        known.emplace_back(name);
    if (words.empty()) throw UsageError{fmt::format("notify needs a verb: {}", fmt::join(known, ", "))};
    const auto& verb = words.front();
    require_known("verb", verb, known);
    const bool takes_a_word = verb == "preview" || verb == "suppress" || verb == "unsuppress" || verb == "erase";
    if (verb == "send-test" && words.size() > 1) {
        throw UsageError{"notify send-test takes no words; did you mean --to " + words[1] + "?"};
    }
    if (!takes_a_word && words.size() > 1) throw UsageError{"notify " + verb + " takes no words"};
    const auto* const found =
        std::find_if(verbs.begin(), verbs.end(), [&verb](const auto& each) { return each.first == verb; });
    return found->second(invocation);
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
