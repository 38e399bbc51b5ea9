#include "cli/notify.hpp"

#include "cli/send_test.hpp"

#include <array>

namespace millrace::cli {

namespace {

constexpr std::array flags{send_test_to_flag, json_flag};

Exit run(const Invocation& invocation) {
    const auto& words = invocation.arguments.words();
    if (words.empty()) throw UsageError{"notify needs a verb: send-test"};
    require_known("verb", words.front(), {"send-test"});
    if (words.size() > 1) throw UsageError{"notify send-test takes no words; did you mean --to " + words[1] + "?"};
    return send_test(invocation);
}

}  // namespace

Command notify_command() {
    return {.name = "notify",
            .summary = "tries the mail server",
            .usage = "millrace notify send-test --to ADDRESS [--json]",
            .details =
                "send-test sends one mail through the configured server and tells each step: connected, encrypted,\n"
                "authenticated, accepted with the server's reply. It ends with 1 when the mail was not accepted.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
