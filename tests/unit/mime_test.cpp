// Header text in the form that crosses every mail server. Whether a reader gets back what was meant is tested with
// a parser of somebody else's in tests/handlers/smtp_test.cpp.

#include "adapters/mime.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

namespace millrace::adapters {
namespace {

using std::chrono::system_clock;

std::vector<std::string> lines_of(const std::string& folded) {
    std::vector<std::string> lines;
    std::istringstream in{folded};
    for (std::string line; std::getline(in, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        lines.push_back(line);
    }
    return lines;
}

TEST(MimeBase64, agrees_with_the_vectors_of_rfc_4648) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foo"), "Zm9v");
    EXPECT_EQ(base64("foob"), "Zm9vYg==");
    EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64(std::string("\xff\xfe\x00", 3)), "//4A");
}

TEST(MimeBase64, is_read_back_with_line_ends_or_without) {
    for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar", "\xff\xfe"}) {
        EXPECT_EQ(from_base64(base64(text)), text);
    }
    EXPECT_EQ(from_base64("Zm9v\nYmFy\r\n"), "foobar");
    EXPECT_EQ(from_base64("AAAA"), std::string(3, '\0'));
}

TEST(MimeBase64, is_refused_when_it_is_not_whole_or_something_else) {
    for (const auto* text : {"Z", "Zg", "Zg=", "Zg===", "Zg==Zg==", "=", "====", "Z===", "Zm9v!", "Zm 9v", "Zm9-",
                             "Zm9_", "Zm9v\t", "ü", "Zg==x"}) {
        EXPECT_EQ(from_base64(text), std::nullopt) << text;
    }
}

TEST(MimeHeader, leaves_plain_text_alone) {
    EXPECT_EQ(encode_header_text("Change 17 was approved", 9), "Change 17 was approved");
    EXPECT_EQ(encode_header_text("", 9), "");
}

TEST(MimeHeader, encodes_what_a_reader_would_change) {
    EXPECT_EQ(encode_header_text("Grüße", 9), "=?UTF-8?B?R3LDvMOfZQ==?=");
    for (const auto* text : {" leading", "trailing ", "=?UTF-8?B?Zm9v?=", "a\ttab"}) {
        EXPECT_EQ(encode_header_text(text, 9).substr(0, 10), "=?UTF-8?B?") << text;
    }
}

TEST(MimeHeader, keeps_encoded_lines_within_76_columns_and_characters_whole) {
    std::string text;
    for (int i = 0; i < 60; ++i)
        text += i % 3 == 0 ? "a" : "\xf0\x9f\x8c\x8a";  // one byte and four
    for (std::size_t name_width = 4; name_width <= 12; ++name_width) {
        const auto lines = lines_of(std::string(name_width, 'n') + encode_header_text(text, name_width));
        EXPECT_GT(lines.size(), 3U);
        for (const auto& line : lines) {
            EXPECT_LE(line.size(), 76U);
            EXPECT_EQ(line.substr(line.size() - 2), "?=");
        }
    }
    // One character more or less at each boundary: no word may end inside a character.
    for (std::size_t shift = 0; shift < 8; ++shift) {
        const auto words = encode_header_text(std::string(shift, 'x') + text, 9);
        for (auto at = words.find("?B?"); at != std::string::npos; at = words.find("?B?", at + 1)) {
            // The first base64 digit of a continuation byte 10xxxxxx is g … v.
            const char first = words.at(at + 3);
            EXPECT_FALSE((first >= 'g' && first <= 'v')) << words.substr(at);
        }
    }
}

TEST(MimeHeader, folds_long_plain_text_too) {
    for (const auto& line : lines_of(encode_header_text(std::string(998, 'x'), 9)))
        EXPECT_LE(line.size(), 76U);
}

TEST(MimeMailbox, quotes_or_encodes_the_name) {
    EXPECT_EQ(encode_mailbox({"a@b.example", ""}, 4), "a@b.example");
    EXPECT_EQ(encode_mailbox({"a@b.example", "Ada"}, 4), "\"Ada\" <a@b.example>");
    EXPECT_EQ(encode_mailbox({"a@b.example", R"(A "B" \ C, D <x@y>)"}, 4), R"("A \"B\" \\ C, D <x@y>" <a@b.example>)");
    EXPECT_EQ(encode_mailbox({"a@b.example", "Jürgen"}, 4), "=?UTF-8?B?SsO8cmdlbg==?=\r\n <a@b.example>");
}

TEST(MimeMailbox, has_its_domain_in_ascii) {
    EXPECT_EQ(encode_mailbox({"ada@bücher.example", ""}, 4), "ada@xn--bcher-kva.example");
    EXPECT_EQ(encode_mailbox({"ada@bücher.example", "Ada"}, 4), "\"Ada\" <ada@xn--bcher-kva.example>");
}

TEST(MimeAttachment, is_named_in_ascii_whatever_its_name) {
    const auto line_of = [](std::string name) { return attachment_lines({std::move(name), "text/csv", ""}).at(0); };
    EXPECT_EQ(line_of("a b.pdf"), "Content-Disposition: attachment; filename=\"a b.pdf\"");
    EXPECT_EQ(line_of(R"(a"b.pdf)"), R"(Content-Disposition: attachment; filename="a\"b.pdf")");
    EXPECT_EQ(line_of("ä.pdf"), "Content-Disposition: attachment;\r\n filename*=UTF-8''%C3%A4.pdf");
    for (const auto& name : {std::string(255, 'x'), std::string(255, '\xa4')}) {
        for (const auto& line : lines_of(line_of(name)))
            EXPECT_LE(line.size(), 76U) << line;
    }
}

TEST(MimeDate, is_that_of_rfc_5322_in_utc) {
    EXPECT_EQ(format_date(system_clock::time_point{}), "Thu, 1 Jan 1970 00:00:00 +0000");
    EXPECT_EQ(format_date(system_clock::from_time_t(1709210096)), "Thu, 29 Feb 2024 12:34:56 +0000");
}

TEST(MimeBody, has_crlf_for_every_line_end) {
    EXPECT_EQ(with_crlf("a\nb\r\nc\rd\n\n"), "a\r\nb\r\nc\r\nd\r\n\r\n");
    EXPECT_EQ(with_crlf("\r\r\n\n"), "\r\n\r\n\r\n");
    EXPECT_EQ(with_crlf("no line end"), "no line end");
}

TEST(MimeHeaders, carry_what_a_queue_owes_its_recipients) {
    Mail mail;
    mail.from = {"queue@example.com", ""};
    mail.to = {"ada@example.com", ""};
    mail.subject = "Hello";
    mail.message_id = "<millrace.7.x@example.com>";
    const std::vector<std::string> expected = {"From: queue@example.com",
                                               "To: ada@example.com",
                                               "Subject: Hello",
                                               "Date: Thu, 1 Jan 1970 00:00:00 +0000",
                                               "Message-ID: <millrace.7.x@example.com>",
                                               "MIME-Version: 1.0",
                                               "Auto-Submitted: auto-generated"};
    EXPECT_EQ(header_lines(mail), expected);
}

TEST(MimeHeaders, offer_to_unsubscribe_with_one_click) {
    Mail mail;
    mail.from = mail.to = {"queue@example.com", ""};
    mail.unsubscribe_url = "https://example.com/u?t=v1.x.y";
    const auto lines = header_lines(mail);
    ASSERT_EQ(lines.size(), 9U);
    EXPECT_EQ(lines[7], "List-Unsubscribe: <https://example.com/u?t=v1.x.y>");
    EXPECT_EQ(lines[8], "List-Unsubscribe-Post: List-Unsubscribe=One-Click");
}

}  // namespace
}  // namespace millrace::adapters
