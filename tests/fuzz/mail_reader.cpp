#include "fuzz/mail_reader.hpp"

#include "fuzz/input.hpp"
#include "fuzz/text.hpp"

#include <cstdint>

namespace millrace::fuzz {
namespace {

constexpr std::string_view word_start{"=?UTF-8?B?"};
constexpr std::string_view word_end{"?="};

std::string unfolded(std::string_view value) {
    std::string text;
    for (const char letter : value) {
        if (letter != '\r' && letter != '\n') text += letter;
    }
    return text;
}

std::string from_base64(std::string_view digits) {
    constexpr std::string_view alphabet{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"};
    require(digits.size() % 4 == 0, "base64 comes in groups of four", digits);
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char digit : digits.substr(0, digits.find('='))) {
        const auto value = alphabet.find(digit);
        require(value != alphabet.npos, "a digit is one of base64", digits);
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        held += 6;
        if (held >= 8) bytes += static_cast<char>(bits >> (held -= 8) & 0xFF);
    }
    return bytes;
}

// Encoded-words with blanks between them, which belong to none.
std::string from_words(std::string_view words) {
    std::string text;
    bool is_whole = true;  // each word holds whole characters
    while (!words.empty()) {
        const auto end = words.find(word_end, word_start.size());
        require(words.starts_with(word_start) && end != words.npos, "encoded-words stand alone", words);
        require(end + word_end.size() <= 75, "an encoded-word has at most 75 characters", words);
        const auto part = from_base64(words.substr(word_start.size(), end - word_start.size()));
        is_whole = is_whole && is_utf8(part);
        text += part;
        words.remove_prefix(end + word_end.size());
        words.remove_prefix(std::min(words.find_first_not_of(' '), words.size()));
    }
    require(is_whole || !is_utf8(text), "no character is split between encoded-words", text);
    return text;
}

std::string from_quoted(std::string_view quoted) {
    require(quoted.size() >= 2 && quoted.ends_with('"'), "a quotation ends", quoted);
    quoted = quoted.substr(1, quoted.size() - 2);
    std::string text;
    for (std::size_t at = 0; at < quoted.size(); ++at) {
        require(quoted[at] != '"', "a quotation ends once", quoted);
        if (quoted[at] == '\\') require(++at < quoted.size(), "a backslash stands before something", quoted);
        text += quoted[at];
    }
    return text;
}

}  // namespace

void require_one_header(std::string_view header, std::size_t name_width) {
    bool is_first = true;
    while (true) {
        const auto end = header.find("\r\n");
        const auto line = header.substr(0, end);
        for (const char letter : line)
            require((letter >= ' ' && letter <= '~') || letter == '\t', "a header is ASCII on one line", line);
        require(is_first || line.starts_with(' '), "what follows a line break continues the header", line);
        const auto width = line.size() + (is_first ? name_width : 0);
        require(width <= (line.find(word_start) == line.npos ? 998U : 76U), "a line is no longer than allowed", line);
        require(is_first || line.find_first_not_of(" \t") != line.npos, "no line is blank", line);
        if (end == header.npos) return;
        header.remove_prefix(end + 2);
        is_first = false;
    }
}

std::string read_text(std::string_view value) {
    const auto text = unfolded(value);
    return text.starts_with(word_start) ? from_words(text) : text;
}

ReadMailbox read_mailbox(std::string_view value) {
    const auto text = unfolded(value);
    if (!text.ends_with('>')) return {"", text};
    const auto open = text.rfind(" <");
    require(open != text.npos, "an address stands in brackets behind a blank", text);
    const auto address = text.substr(open + 2, text.size() - open - 3);
    const auto name = text.substr(0, open);
    return {name.starts_with('"') ? from_quoted(name) : from_words(name), address};
}

}  // namespace millrace::fuzz
