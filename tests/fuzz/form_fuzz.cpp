// Bodies of forms as browsers send them to the dashboard, or as somebody else does.
//
// Properties: what is accepted has few fields, is UTF-8 and has no control character; to write it out and read it again
// changes nothing; what a page shows of it is text.

#include "core/printable.hpp"
#include "fuzz/input.hpp"
#include "ops/dashboard_pages.hpp"
#include "ops/form.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::fuzz {

namespace {

bool is_control(unsigned char byte) {
    return byte < 0x20 || byte == 0x7F;
}

std::string written(const std::string& text) {
    std::string encoded;
    for (const char byte : text)
        encoded += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    return encoded;
}

}  // namespace

void try_input(std::string_view bytes) {
    const auto form = ops::read_form(bytes);
    if (!form) return;
    require(form->size() <= ops::most_form_fields, "a form has few fields");
    std::string again;
    for (const auto& [name, value] : *form) {
        const auto text = name + value;
        require(std::none_of(text.begin(), text.end(), is_control), "a form has no control character");
        require(core::printable(text, text.size()) == text, "a form is UTF-8");
        again += written(name) + "=" + written(value) + "&";
    }
    require(ops::read_form(again) == form, "what is written out is read as the same", again);
    const auto page = ops::login_page(ops::field(*form, "token"), ops::field(*form, "of"));
    const auto plain = ops::login_page("x", "x");
    const auto marks = [](const std::string& text, char mark) { return std::count(text.begin(), text.end(), mark); };
    if (ops::field(*form, "token").empty()) return;
    require(marks(page, '<') == marks(plain, '<') && marks(page, '"') == marks(plain, '"'), "text is no markup", page);
}

}  // namespace millrace::fuzz
