#include "adapters/mime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>

namespace millrace::adapters {
namespace {

constexpr std::size_t max_columns = 76;  // RFC 2047 2, for a line that holds an encoded-word
constexpr std::string_view word_start = "=?UTF-8?B?";
constexpr std::string_view word_end = "?=";
constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view fold = "\r\n ";

// Text that reads the same with and without decoding. A reader trims spaces at the ends, and takes "=?" for the
// start of an encoded-word.
bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }) &&
           text.find("=?") == std::string_view::npos && (text.empty() || (text.front() != ' ' && text.back() != ' '));
}

// How many bytes of the text fit `columns` as one encoded-word, ending with a whole character.
std::size_t word_bytes(std::string_view text, std::size_t columns) {
    const auto room = (columns - word_start.size() - word_end.size()) / 4 * 3;
    auto size = std::min(room, text.size());
    const auto is_continuation = [&](std::size_t i) {
        return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80;
    };
    while (size > 0 && is_continuation(size))
        --size;
    return size > 0 ? size : std::min(room, text.size());
}

std::string encoded_words(std::string_view text, std::size_t name_width) {
    std::string words;
    while (!text.empty()) {
        const auto size = word_bytes(text, max_columns - (words.empty() ? name_width : 1));
        if (!words.empty()) words += fold;
        words.append(word_start).append(base64(text.substr(0, size))).append(word_end);
        text.remove_prefix(size);
    }
    return words;
}

std::string quoted(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

// RFC 2231 4: what is neither a letter nor a digit as %XX, in pieces that fit a line (3).
std::string extended_name(std::string_view name) {
    constexpr std::size_t piece_columns = 55;
    std::vector<std::string> pieces{"UTF-8''"};
    for (const char c : name) {
        const bool is_alone = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                              c == '-' || c == '_';
        if (pieces.back().size() > piece_columns) pieces.emplace_back();
        pieces.back() += is_alone ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    if (pieces.size() == 1) return fmt::format(";{}filename*={}", fold, pieces.front());
    std::string parameters;
    for (std::size_t i = 0; i < pieces.size(); ++i)
        parameters += fmt::format(";{}filename*{}*={}", fold, i, pieces[i]);
    return parameters;
}

std::string line(std::string_view name, std::string_view value) {
    return fmt::format("{}: {}", name, value);
}

std::string mailbox_line(std::string_view name, const Mailbox& mailbox) {
    return line(name, encode_mailbox(mailbox, name.size() + 2));
}

}  // namespace

std::string base64(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto group = bytes.substr(i, 3);
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            bits = bits << 8 | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k)
            out += k <= group.size() ? base64_digits[bits >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    std::array<signed char, 256> value{};
    value.fill(-1);
    for (std::size_t i = 0; i < base64_digits.size(); ++i)
        value.at(static_cast<unsigned char>(base64_digits[i])) = static_cast<signed char>(i);
    std::string out;
    out.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    std::size_t digits = 0;
    std::size_t padding = 0;
    for (const char c : text) {
        if (c == '\n' || c == '\r') continue;
        const auto digit = value.at(static_cast<unsigned char>(c));
        if (c == '=' ? ++padding > 2 : (digit < 0 || padding > 0)) return std::nullopt;
        bits = bits << 6 | (c == '=' ? 0U : static_cast<std::uint32_t>(digit));
        if (++digits % 4 != 0) continue;
        for (std::size_t k = 0; k < 3 - padding; ++k)
            out += static_cast<char>(bits >> (16 - 8 * k) & 0xff);
    }
    if (digits % 4 != 0) return std::nullopt;
    return out;
}

std::string encode_header_text(std::string_view utf8, std::size_t name_width) {
    if (is_plain(utf8) && name_width + utf8.size() <= max_columns) return std::string(utf8);
    return encoded_words(utf8, name_width);
}

std::string encode_mailbox(const Mailbox& mailbox, std::size_t name_width) {
    auto address = ascii_address(mailbox.address);
    if (mailbox.name.empty()) return address;
    const auto name = quoted(mailbox.name);
    const auto width = name_width + name.size() + address.size() + 3;
    if (is_plain(mailbox.name) && width <= max_columns) return fmt::format("{} <{}>", name, address);
    // The address on a line of its own: it may take more columns than an encoded-word leaves.
    return fmt::format("{}{}<{}>", encoded_words(mailbox.name, name_width), fold, address);
}

std::string format_date(std::chrono::system_clock::time_point at) {
    // Not strftime, which writes names in the language of the process.
    constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto seconds = std::chrono::system_clock::to_time_t(at);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} +0000", days.at(static_cast<std::size_t>(utc.tm_wday)),
                       utc.tm_mday, months.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour,
                       utc.tm_min, utc.tm_sec);
}

std::string with_crlf(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 32);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\r' && text[i] != '\n') {
            out += text[i];
            continue;
        }
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
        out += "\r\n";
    }
    return out;
}

std::vector<std::string> attachment_lines(const Attachment& attachment) {
    const auto plain = fmt::format("; filename={}", quoted(attachment.name));
    constexpr std::string_view start = "Content-Disposition: attachment";
    const bool fits = is_plain(attachment.name) && start.size() + plain.size() <= max_columns;
    return {std::string(start) + (fits ? plain : extended_name(attachment.name))};
}

std::vector<std::string> header_lines(const Mail& mail) {
    std::vector<std::string> lines;
    lines.push_back(mailbox_line("From", mail.from));
    lines.push_back(mailbox_line("To", mail.to));
    if (mail.reply_to) lines.push_back(mailbox_line("Reply-To", *mail.reply_to));
    lines.push_back(line("Subject", encode_header_text(mail.subject, std::string_view("Subject: ").size())));
    lines.push_back(line("Date", format_date(mail.date)));
    lines.push_back(line("Message-ID", mail.message_id));
    lines.push_back(line("MIME-Version", "1.0"));
    // RFC 3834 5: keeps vacation responders from answering.
    lines.push_back(line("Auto-Submitted", "auto-generated"));
    if (!mail.unsubscribe_url.empty()) {
        lines.push_back(line("List-Unsubscribe", fmt::format("<{}>", mail.unsubscribe_url)));  // RFC 2369 3.2
        lines.push_back(line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));          // RFC 8058 3.1
    }
    return lines;
}

}  // namespace millrace::adapters
