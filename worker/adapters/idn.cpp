#include "adapters/idn.hpp"

#include <idn2.h>

#include <algorithm>
#include <memory>

namespace millrace::adapters {

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::optional<std::string> ascii_domain(std::string_view domain) {
    if (domain.find('\0') != std::string_view::npos) return std::nullopt;  // the library would read half of it
    char* converted = nullptr;
    const std::string whole{domain};
    // Not IDN2_USE_STD3_ASCII_RULES: it drops what the rules forbid, and a person's slip would be another's domain.
    if (idn2_to_ascii_8z(whole.c_str(), &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK) {
        return std::nullopt;
    }
    const std::unique_ptr<char, decltype(&idn2_free)> owned{converted, &idn2_free};
    return std::string{converted};
}

}  // namespace millrace::adapters
