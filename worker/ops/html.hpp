#pragma once
// A piece of an HTML page, as it is written. Markup is what stands in our source, and the compiler sees to that; all
// else is text, and escaped on its way in.
//
// Thread rule: one thread.

#include "core/html.hpp"
#include "core/printable.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::ops {

class Markup {
public:
    template <std::size_t size>
    consteval Markup(const char (&literal)[size]) : text_{literal, size - 1} {}  // NOLINT(google-explicit-constructor)
    [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

private:
    std::string_view text_;
};

class Html {
public:
    static constexpr std::size_t most_text_bytes = std::size_t{64} * 1024;

    Html() = default;
    explicit Html(std::string_view text) { this->text(text); }

    Html& markup(Markup markup) {
        html_ += markup.text();
        return *this;
    }
    // In an element, or within a quoted attribute. UTF-8, cut at the limit.
    Html& text(std::string_view text, std::size_t limit = most_text_bytes) {
        html_ += core::html_escaped(core::printable(text, limit));
        return *this;
    }
    Html& number(std::int64_t number) {
        html_ += std::to_string(number);
        return *this;
    }
    Html& html(const Html& other) {
        html_ += other.html_;
        return *this;
    }

    [[nodiscard]] const std::string& written() const noexcept { return html_; }
    [[nodiscard]] bool is_empty() const noexcept { return html_.empty(); }

private:
    std::string html_;
};

}  // namespace millrace::ops
