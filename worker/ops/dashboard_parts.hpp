#pragma once
// What the dashboard's pages are made of: the frame around each, tables, lists of facts, and buttons.
//
// Pure. Thread rule: any thread.

#include "ops/dashboard_pages.hpp"
#include "ops/html.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::ops {

enum class Renewal { by_itself, by_hand };

[[nodiscard]] std::string framed(std::string_view title, const Html& content, const Visitor& visitor, Renewal renewal);

struct Column {
    enum class Kind { text, number };

    Markup title;
    Kind kind = Kind::text;
};

class HtmlTable {
public:
    HtmlTable(Markup caption, std::initializer_list<Column> columns);

    void begin_row();
    void add(const Html& cell);
    void add(std::string_view text) { add(Html{text}); }
    void add_number(std::int64_t number);
    void add_error(std::string_view text);  // one that may be long

    // `none` instead of a table without rows.
    [[nodiscard]] Html written(Markup none) const;

private:
    Html head_;
    Html rows_;
};

class Facts {
public:
    Facts& add(Markup name, const Html& value);
    Facts& add(Markup name, std::string_view text) { return add(name, Html{text}); }
    Facts& add_if(Markup name, const std::optional<std::string>& text);
    [[nodiscard]] Html written() const;

private:
    Html facts_;
};

[[nodiscard]] Html link_to_queue(const std::string& name);
[[nodiscard]] Html link_to_job(core::JobId id);

// A word in the colour of its meaning.
[[nodiscard]] Html toned(Markup tone, std::string_view word);

// Nothing for visitors who may only look. `of` is what it is about: a name, or a job's number.
[[nodiscard]] Html button(const Visitor& visitor, Markup action, std::string_view of, Markup label);
// Likewise, behind a word that must be opened first: for what cannot be undone.
[[nodiscard]] Html guarded_button(const Visitor& visitor, Markup action, std::string_view of, Markup label);

}  // namespace millrace::ops
