#include "cli/notify_people.hpp"

#include "cli/table.hpp"
#include "storage/notify_people.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

namespace millrace::cli {

namespace {

std::unique_ptr<storage::Session> session_of(const Invocation& invocation) {
    return storage::SessionFactory{invocation.options.database_url}.open("notify");
}

// The one word behind the verb.
const std::string& named(const Invocation& invocation) {
    return invocation.arguments.words()[1];
}

void tell(const Invocation& invocation, const std::string& address, std::string_view now, bool has_changed) {
    if (invocation.arguments.has("json")) {
        Table table{{{"address"}, {"suppressed"}, {"changed"}}};
        table.add({Cell::of(address), Cell::json(now == "suppressed" ? "true" : "false"),
                   Cell::json(has_changed ? "true" : "false")});
        table.print_json_record(invocation.console.out);
    } else if (has_changed) {
        invocation.console.out << fmt::format("{}: {}\n", now, harmless(address));
    } else {
        invocation.console.err << fmt::format("{} before: {}\n", now, harmless(address));
    }
}

}  // namespace

Exit suppress(const Invocation& invocation) {
    const auto& address = named(invocation);
    const auto session = session_of(invocation);
    const auto reason = invocation.arguments.value("reason").value_or("by an operator");
    tell(invocation, address, "suppressed", storage::NotifyPeople{*session}.suppress(address, reason));
    return Exit::done;
}

Exit unsuppress(const Invocation& invocation) {
    const auto& address = named(invocation);
    const auto session = session_of(invocation);
    const bool was_suppressed = storage::NotifyPeople{*session}.unsuppress(address);
    tell(invocation, address, "not suppressed", was_suppressed);
    return was_suppressed ? Exit::done : Exit::nothing;
}

// A user may have settings and no emails: there is something to erase in any case.
Exit erase_user(const Invocation& invocation) {
    using storage::Erasure;
    const auto& user = named(invocation);
    const auto session = session_of(invocation);
    const bool is_certain = invocation.arguments.has("yes");
    const int emails = storage::NotifyPeople{*session}.erase(user, is_certain ? Erasure::erase : Erasure::count);
    auto& console = invocation.console;
    if (invocation.arguments.has("json")) {
        Table table{{{"user"}, {"emails"}, {"erased"}}};
        table.add({Cell::of(user), Cell::of(std::int64_t{emails}), Cell::json(is_certain ? "true" : "false")});
        table.print_json_record(console.out);
    } else if (is_certain) {
        console.out << fmt::format("erased: {}, named in {} emails\n", harmless(user), emails);
    }
    if (!is_certain) {
        console.err << fmt::format("would erase {}, named in {} emails; --yes does it\n", harmless(user), emails);
    }
    return Exit::done;
}

}  // namespace millrace::cli
