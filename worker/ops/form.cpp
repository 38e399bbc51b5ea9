#include "ops/form.hpp"

#include "core/printable.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace millrace::ops {
namespace {

std::string decoded(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned byte = 0;
        const auto digits = text.substr(at + 1, 2);
        const auto* const end = digits.data() + digits.size();
        if (text[at] == '+') {
            plain += ' ';
        } else if (text[at] == '%' && digits.size() == 2 && std::isxdigit(static_cast<unsigned char>(digits[0])) != 0 &&
                   std::from_chars(digits.data(), end, byte, 16).ptr == end) {
            plain += static_cast<char>(byte);
            at += 2;
        } else {
            plain += text[at];
        }
    }
    return plain;
}

bool is_line_of_text(std::string_view text) {
    const auto is_control = [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; };
    return std::none_of(text.begin(), text.end(), is_control) && core::printable(text, text.size()) == text;
}

}  // namespace

std::optional<Form> read_form(std::string_view body) {
    Form form;
    while (!body.empty()) {
        const auto pair = body.substr(0, body.find('&'));
        body.remove_prefix(std::min(body.size(), pair.size() + 1));
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        auto name = decoded(pair.substr(0, equals));
        auto value = decoded(pair.substr(std::min(equals + 1, pair.size())));
        if (!is_line_of_text(name) || !is_line_of_text(value)) return std::nullopt;
        if (!form.emplace(std::move(name), std::move(value)).second) return std::nullopt;
        if (form.size() > most_form_fields) return std::nullopt;
    }
    return form;
}

std::string field(const Form& form, std::string_view name) {
    const auto found = form.find(name);
    return found == form.end() ? std::string{} : found->second;
}

}  // namespace millrace::ops
