#include "cli/notify_looks.hpp"

#include "adapters/mustache.hpp"
#include "cli/answer.hpp"
#include "cli/table.hpp"
#include "core/nearest.hpp"
#include "handlers/email/letter.hpp"
#include "storage/notify_overview.hpp"
#include "storage/notify_people.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <ostream>
#include <vector>

namespace millrace::cli {

namespace {

constexpr int default_limit = 100;
constexpr int max_limit = 10'000;

std::unique_ptr<storage::Session> session_of(const Invocation& invocation) {
    return storage::SessionFactory{invocation.options.database_url}.open("notify");
}

Tone tone_of(const std::string& status) {
    if (status == "sent") return Tone::good;
    if (status == "failed") return Tone::bad;
    return status == "sending" ? Tone::busy : Tone::plain;
}

// Why there is nothing to preview, and what to do.
Exit complain_of(const Invocation& invocation, storage::NotifyOverview& overview, const std::string& type) {
    std::vector<std::string> codes;
    for (const auto& known : overview.types())
        codes.push_back(known.code);
    if (std::find(codes.begin(), codes.end(), type) != codes.end()) {
        invocation.console.complain(fmt::format("{} has no template for this locale, nor for en", type),
                                    "What emit is given is sent as it is. select notify.put_template(…) makes one.");
        return Exit::nothing;
    }
    const auto meant = core::nearest(type, codes);
    invocation.console.complain(
        fmt::format("unknown event type \"{}\"", type),
        meant ? fmt::format("Did you mean \"{}\"?", *meant) : "millrace notify types lists them.");
    return Exit::nothing;
}

// A whole text for a terminal: its lines stay, what could steer the terminal does not.
void print_text(std::ostream& out, const std::string& text) {
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        out << harmless(text.substr(begin, end - begin)) << '\n';
        begin = end + 1;
    }
}

}  // namespace

Exit list_types(const Invocation& invocation) {
    const auto session = session_of(invocation);
    Table table{{{"code"}, {"category"}, {"required"}, {"default"}, {"description"}}};
    for (const auto& type : storage::NotifyOverview{*session}.types()) {
        table.add({Cell::of(type.code, Tone::strong), Cell::of(type.category),
                   Cell::of(std::string{type.is_required ? "yes" : "no"}),
                   Cell::of(std::string{type.is_default ? "on" : "off"}), Cell::of(type.description)});
    }
    return show_rows(invocation, table, "no event types: select notify.define_type(…)");
}

Exit list_emails(const Invocation& invocation) {
    const auto& arguments = invocation.arguments;
    const storage::EmailFilter filter{.username = arguments.value("user"),
                                      .type = arguments.value("type"),
                                      .status = arguments.value("status"),
                                      .max_rows = arguments.number("limit", 1, max_limit).value_or(default_limit)};
    const auto session = session_of(invocation);
    Table table{{{"id"}, {"type"}, {"user"}, {"address"}, {"status"}, {"reason"}, {"emitted_at"}, {"job"}}};
    for (const auto& email : storage::NotifyOverview{*session}.emails(filter)) {
        table.add({Cell::of(email.id), Cell::of(email.event_type), Cell::maybe(email.username),
                   Cell::maybe(email.address), Cell::of(email.status, tone_of(email.status)), Cell::maybe(email.reason),
                   Cell::of(email.emitted_at), email.job ? Cell::of(*email.job) : Cell{}});
    }
    return show_rows(invocation, table, "no emails");
}

Exit list_suppressed(const Invocation& invocation) {
    const int most = invocation.arguments.number("limit", 1, max_limit).value_or(default_limit);
    const auto session = session_of(invocation);
    Table table{{{"address"}, {"reason"}, {"suppressed_at"}}};
    for (const auto& suppression : storage::NotifyPeople{*session}.suppressions(most)) {
        table.add({Cell::of(suppression.address, Tone::strong), Cell::of(suppression.reason),
                   Cell::of(suppression.suppressed_at)});
    }
    return show_rows(invocation, table, "no address is suppressed");
}

Exit preview(const Invocation& invocation) {
    const auto& words = invocation.arguments.words();
    const auto data = invocation.arguments.value("data").value_or("{}");
    if (!nlohmann::json::parse(data, nullptr, false).is_object()) {
        throw UsageError{"--data must be a JSON object, for example '{\"name\": \"Ada\"}'"};
    }
    const auto session = session_of(invocation);
    storage::NotifyOverview overview{*session};
    const auto found = overview.tmpl(words[1], invocation.arguments.value("locale").value_or("en"));
    if (!found) return complain_of(invocation, overview, words[1]);

    handlers::email::Letter letter;
    try {
        letter = handlers::email::rendered(words[1], *found, data);
    } catch (const adapters::TemplateError& error) {
        invocation.console.complain(error.what(), "Nothing would be sent. select notify.put_template(…) replaces it.");
        return Exit::failed;
    }
    auto& out = invocation.console.out;
    if (invocation.arguments.has("json")) {
        Table table{{{"locale"}, {"subject"}, {"text"}, {"html"}}};
        table.add({Cell::of(found->locale), Cell::of(letter.subject), Cell::of(letter.text), Cell::of(letter.html)});
        table.print_json_record(out);
        return Exit::done;
    }
    out << fmt::format("locale: {}\nsubject: {}\n\n", found->locale, harmless(letter.subject));
    print_text(out, letter.text);
    if (!letter.html.empty()) {
        out << "\nhtml:\n\n";
        print_text(out, letter.html);
    }
    return Exit::done;
}

}  // namespace millrace::cli
