#include "handlers/email/letter.hpp"

#include "adapters/mustache.hpp"
#include "core/html.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace millrace::handlers::email {
namespace {

using adapters::Escaping;
using nlohmann::json;

std::string preformatted(const std::string& text) {
    return "<div style=\"white-space: pre-wrap\">" + core::html_escaped(text) + "</div>\n";
}

// A subject is one line: what data brings along of line breaks and the like becomes blanks.
std::string one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f; }, ' ');
    return text;
}

std::string part(const std::string& event_type, const storage::NotifyTemplate& tmpl, const char* which,
                 const std::string& source, const std::string& data) {
    try {
        return adapters::render(source, data, std::string_view{which} == "html" ? Escaping::html : Escaping::none);
    } catch (const adapters::TemplateError& error) {
        throw adapters::TemplateError{
            fmt::format("template {} for {}, its {}: {}", event_type, tmpl.locale, which, error.what())};
    }
}

void add_unless_there(json& data, const char* key, const std::string& value) {
    if (!value.empty() && !data.contains(key)) data[key] = value;
}

std::string dumped(const json& data) {
    return data.dump(-1, ' ', false, json::error_handler_t::replace);
}

Letter plain_digest(const std::vector<storage::DigestedEvent>& events) {
    Letter letter{.subject = fmt::format("{} notification{}", events.size(), events.size() == 1 ? "" : "s"),
                  .text = "",
                  .html = ""};
    std::size_t named = 0;
    for (const auto& event : events) {
        if (named == max_digest_subjects) break;
        ++named;
        const auto& html = event.html.empty() ? preformatted(event.text) : event.html;
        const bool fits = letter.text.size() + event.text.size() < max_digest_bytes &&
                          letter.html.size() + html.size() < max_digest_bytes;
        letter.text += fmt::format("{}\n{}\n", event.subject, event.emitted_at);
        letter.html += fmt::format("<h3>{}</h3>\n<p>{}</p>\n", core::html_escaped(event.subject),
                                   core::html_escaped(event.emitted_at));
        if (!fits) continue;
        letter.text += fmt::format("\n{}\n\n", event.text);
        letter.html += html + "\n";
    }
    if (const auto others = events.size() - named; others > 0) {
        letter.text += fmt::format("and {} more\n", others);
        letter.html += fmt::format("<p>and {} more</p>\n", others);
    }
    return letter;
}

}  // namespace

// No mail is left out because a template names what its event has not: that is a dead letter which says so.
Letter rendered(const std::string& event_type, const storage::NotifyTemplate& tmpl, const std::string& data) {
    auto subject = one_line(part(event_type, tmpl, "subject", tmpl.subject, data));
    if (subject.find_first_not_of(' ') == std::string::npos) {
        throw adapters::TemplateError{fmt::format(
            "template {} for {}, its subject: nothing is left of it with this data", event_type, tmpl.locale)};
    }
    return {.subject = std::move(subject),
            .text = part(event_type, tmpl, "text", tmpl.text, data),
            .html = tmpl.html.empty() ? "" : part(event_type, tmpl, "html", tmpl.html, data)};
}

Letter letter_of(const storage::Notification& notification, const std::optional<storage::NotifyTemplate>& tmpl) {
    if (!tmpl) return {notification.subject, notification.text, notification.html};
    auto data = json::parse(notification.data, nullptr, false);
    if (!data.is_object()) data = json::object();
    add_unless_there(data, "username", notification.username);
    add_unless_there(data, "event_type", notification.event_type);
    add_unless_there(data, "subject", notification.subject);
    add_unless_there(data, "text", notification.text);
    add_unless_there(data, "html", notification.html);
    add_unless_there(data, "unsubscribe_url", notification.unsubscribe_url);
    return rendered(notification.event_type, *tmpl, dumped(data));
}

Letter digest_letter(const storage::Notification& recipient, const std::vector<storage::DigestedEvent>& events,
                     const std::optional<storage::NotifyTemplate>& tmpl) {
    if (!tmpl) return plain_digest(events);
    json data{{"username", recipient.username}, {"count", events.size()}, {"events", json::array()}};
    add_unless_there(data, "unsubscribe_url", recipient.unsubscribe_url);
    for (const auto& event : events) {
        if (data["events"].size() == max_digest_subjects) break;
        auto inner = json::parse(event.data, nullptr, false);
        data["events"].push_back({{"event_type", event.event_type},
                                  {"emitted_at", event.emitted_at},
                                  {"actor", event.actor},
                                  {"subject", event.subject},
                                  {"text", event.text},
                                  {"html", event.html},
                                  {"data", inner.is_object() ? std::move(inner) : json::object()}});
    }
    return rendered("notify.digest", *tmpl, dumped(data));
}

Letter redirected(Letter letter, const std::string& meant_for) {
    const auto note = fmt::format("This mail was for {}.", meant_for);
    if (!letter.text.empty() || letter.html.empty()) letter.text = fmt::format("{}\n\n{}", note, letter.text);
    if (!letter.html.empty()) letter.html = fmt::format("<p>{}</p>\n{}", core::html_escaped(note), letter.html);
    return letter;
}

}  // namespace millrace::handlers::email
