// Which attachments and addresses of pages may be sent; declared in mail.hpp.

#include "adapters/mail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace millrace::adapters {
namespace {

constexpr std::size_t max_type_part = 127;  // RFC 6838 4.2

bool is_type_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$&^_.+-").find(c) != std::string_view::npos;
}

bool is_type_part(std::string_view part) {
    return !part.empty() && part.size() <= max_type_part && std::all_of(part.begin(), part.end(), is_type_character);
}

bool is_media_type(std::string_view type) {
    constexpr std::string_view charset = "; charset=";
    const auto end = type.find(';');
    if (end != std::string_view::npos) {
        if (type.substr(end, charset.size()) != charset || !is_type_part(type.substr(end + charset.size()))) {
            return false;
        }
        type = type.substr(0, end);
    }
    const auto slash = type.find('/');
    return slash != std::string_view::npos && is_type_part(type.substr(0, slash)) &&
           is_type_part(type.substr(slash + 1));
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

}  // namespace

std::optional<std::string> attachment_problem(const Attachment& attachment) {
    const auto& [name, type, content] = attachment;
    if (name.empty()) return "has no name; give one like \"invoice.pdf\"";
    if (name.size() > max_attachment_name) {
        return fmt::format("has a name of {} bytes; at most {} are allowed", name.size(), max_attachment_name);
    }
    const auto is_bad = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '/' || c == '\\';
    };
    if (const auto bad = std::find_if(name.begin(), name.end(), is_bad); bad != name.end()) {
        return fmt::format("has a name with the byte 0x{:02x}; leave out directories and control characters",
                           static_cast<unsigned char>(*bad));
    }
    // Some readers decode it even here, and see a directory after all.
    if (name.find("=?") != std::string::npos) return "has a name with =?, as encoded text begins; write it out";
    if (!is_media_type(type))
        return "has no media type; write one like \"application/pdf\", with no more than a charset";
    const auto kind = lower(type.substr(0, type.find('/')));
    // Both have parts of their own, which must not be in base64 (RFC 2046 5.1, 5.2.1).
    if (kind == "multipart" || kind == "message")
        return "is of a type that holds mails; send it as a file in an archive";
    return std::nullopt;
}

std::optional<std::string> url_problem(std::string_view url) {
    constexpr std::string_view scheme = "https://";
    if (url.size() > max_url) return fmt::format("has {} bytes; at most {} are allowed", url.size(), max_url);
    if (url.substr(0, scheme.size()) != scheme || url.size() == scheme.size() || url[scheme.size()] == '/') {
        return "must be the https:// address of a page";
    }
    const auto bad = std::find_if(url.begin(), url.end(), [](char c) {
        return c <= ' ' || c > '~' || std::string_view("<>\"\\^`{|}").find(c) != std::string_view::npos;
    });
    if (bad == url.end()) return std::nullopt;
    return fmt::format("holds the byte 0x{:02x}; write such characters as %XX", static_cast<unsigned char>(*bad));
}

}  // namespace millrace::adapters
