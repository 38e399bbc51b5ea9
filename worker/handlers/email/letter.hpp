#pragma once
// The words of a notification: what its event says, or what a template makes of the event's data.
//
// A template sees the data that was given to emit, and beside it `username`, `event_type`, `subject`, `text` and `html`
// where the data has none of that name; that of a digest `username`, `count` and `events`, each with `event_type`,
// `emitted_at`, `actor`, `subject`, `text`, `html` and `data`, and `others` where not all are there. Both see
// `unsubscribe_url` where there is one. What it puts into html is escaped, but in triple braces. One whose subject
// renders to nothing is as bad as one that cannot be rendered.
//
// Pure functions.

#include "storage/notify_store.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace millrace::handlers::email {

// Beyond the first a digest names what else there is, and beyond the others it counts it. Together they leave room for
// the rest of a mail: subjects are in its text and in its html.
inline constexpr std::size_t max_digest_bytes = 400'000;          // of text, html and data
inline constexpr std::size_t max_digest_subject_bytes = 200'000;  // escaped
inline constexpr std::size_t max_digest_subjects = 1000;

struct Letter {
    std::string subject;
    std::string text;
    std::string html;  // may be empty
};

// Throw adapters::TemplateError, which names the template.
[[nodiscard]] Letter letter_of(const storage::Notification& notification,
                               const std::optional<storage::NotifyTemplate>& tmpl);
[[nodiscard]] Letter digest_letter(const storage::Notification& recipient,
                                   const std::vector<storage::DigestedEvent>& events,
                                   const std::optional<storage::NotifyTemplate>& tmpl);

// `data` is a JSON object.
[[nodiscard]] Letter rendered(const std::string& event_type, const storage::NotifyTemplate& tmpl,
                              const std::string& data);

// An event of a digest as the template of its type puts it for this reader. Of a template that cannot be rendered, the
// emit's words are left: one event must not keep back the others. Html that is a page of its own is left out.
[[nodiscard]] storage::DigestedEvent in_template(storage::DigestedEvent event, const storage::Notification& reader,
                                                 const storage::NotifyTemplate& tmpl);

}  // namespace millrace::handlers::email
