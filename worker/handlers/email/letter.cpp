#include "handlers/email/letter.hpp"

#include "adapters/mustache.hpp"
#include "core/html.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
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

// A page of its own, which cannot be a part of another.
bool is_document(std::string html) {
    std::transform(html.begin(), html.end(), html.begin(), [](unsigned char c) { return std::tolower(c); });
    return html.find("<html") != html.npos || html.find("<body") != html.npos;
}

void add_unless_there(json& data, const char* key, const std::string& value) {
    if (!value.empty() && !data.contains(key)) data[key] = value;
}

std::string dumped(const json& data) {
    return data.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::size_t words_of(const storage::DigestedEvent& event) {
    const auto html = event.html.empty() ? core::html_escaped(event.text).size() : event.html.size();
    return event.text.size() + html + event.data.size();
}

// Those that are named, without the words of those that do not fit.
std::vector<storage::DigestedEvent> fitting(const std::vector<storage::DigestedEvent>& events) {
    std::vector<storage::DigestedEvent> named;
    std::size_t subjects = 0;
    std::size_t words = 0;
    for (const auto& event : events) {
        subjects += core::html_escaped(event.subject).size();
        if (named.size() == max_digest_subjects || subjects > max_digest_subject_bytes) break;
        named.push_back({.event_type = event.event_type,
                         .emitted_at = event.emitted_at,
                         .actor = event.actor,
                         .subject = event.subject,
                         .text = "",
                         .html = "",
                         .data = "{}"});
        if (words + words_of(event) > max_digest_bytes) continue;
        words += words_of(event);
        named.back() = event;
    }
    return named;
}

Letter plain_digest(const std::vector<storage::DigestedEvent>& named, std::size_t count) {
    Letter letter{.subject = fmt::format("{} notification{}", count, count == 1 ? "" : "s"), .text = "", .html = ""};
    for (const auto& event : named) {
        letter.text += fmt::format("{}\n{}\n", event.subject, event.emitted_at);
        letter.html += fmt::format("<h3>{}</h3>\n<p>{}</p>\n", core::html_escaped(event.subject),
                                   core::html_escaped(event.emitted_at));
        if (event.text.empty() && event.html.empty()) continue;
        letter.text += fmt::format("\n{}\n\n", event.text);
        letter.html += (event.html.empty() ? preformatted(event.text) : event.html) + "\n";
    }
    if (const auto others = count - named.size(); others > 0) {
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
    const auto named = fitting(events);
    if (!tmpl) return plain_digest(named, events.size());
    json data{{"username", recipient.username}, {"count", events.size()}, {"events", json::array()}};
    add_unless_there(data, "unsubscribe_url", recipient.unsubscribe_url);
    if (named.size() < events.size()) data["others"] = events.size() - named.size();
    for (const auto& event : named) {
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

storage::DigestedEvent in_template(storage::DigestedEvent event, const storage::Notification& reader,
                                   const storage::NotifyTemplate& tmpl) {
    storage::Notification alone;
    alone.event_type = event.event_type;
    alone.username = reader.username;
    alone.subject = event.subject;
    alone.text = event.text;
    alone.html = event.html;
    alone.data = event.data;
    alone.unsubscribe_url = reader.unsubscribe_url;
    try {
        auto letter = letter_of(alone, tmpl);
        event.subject = std::move(letter.subject);
        event.text = std::move(letter.text);
        event.html = is_document(letter.html) ? "" : std::move(letter.html);
    } catch (const adapters::TemplateError&) {  // the emit's words, then
    }
    return event;
}

}  // namespace millrace::handlers::email
