// Templates: what they make of data, what they refuse, and that nothing a person typed becomes markup or a header.

#include "adapters/mustache.hpp"
#include "adapters/mail.hpp"
#include "handlers/email/letter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace millrace::adapters {
namespace {

using handlers::email::digest_letter;
using handlers::email::in_template;
using handlers::email::letter_of;
using handlers::email::rendered;
using ::testing::HasSubstr;
using ::testing::Not;

std::string repeated(const std::string& text, int times) {
    std::string made;
    for (int n = 0; n < times; ++n)
        made += text;
    return made;
}

std::string error_of(const std::string& source, const std::string& data = "{}") {
    try {
        return "rendered: " + render(source, data, Escaping::html);
    } catch (const TemplateError& error) {
        return error.what();
    }
}

storage::Notification notification(const std::string& data) {
    return {.skip = "",
            .event_type = "order.sent",
            .username = "ada",
            .address = "ada@example.org",
            .locale = "en",
            .sender = "",
            .subject = "S",
            .text = "T <b>",
            .html = "",
            .data = data,
            .is_required = false,
            .unsubscribe_url = ""};
}

TEST(Mustache, renders_values_sections_and_inverted_sections) {
    EXPECT_EQ(render("{{a}} {{b}} {{c}}.", R"({"a": "x", "b": 7})", Escaping::none), "x 7 .");
    EXPECT_EQ(render("{{#l}}[{{n}}]{{/l}}{{^l}}none{{/l}}", R"({"l": [{"n": 1}, {"n": 2}]})", Escaping::none),
              "[1][2]");
    EXPECT_EQ(render("{{#l}}[{{n}}]{{/l}}{{^l}}none{{/l}}", R"({"l": []})", Escaping::none), "none");
    EXPECT_EQ(render("{{#yes}}a{{/yes}}{{#no}}b{{/no}}{{^nil}}c{{/nil}}", R"({"yes": true, "no": false, "nil": null})",
                     Escaping::none),
              "ac");
}

TEST(Mustache, escapes_in_html_but_in_triple_braces_and_never_in_text) {
    const auto* data = R"({"a": "<i a=\"b\">&'"})";
    EXPECT_EQ(render("{{a}}", data, Escaping::html), "&lt;i a=&quot;b&quot;&gt;&amp;&apos;");
    EXPECT_EQ(render("{{{a}}}", data, Escaping::html), "<i a=\"b\">&'");
    EXPECT_EQ(render("{{a}}", data, Escaping::none), "<i a=\"b\">&'");
}

TEST(Mustache, refuses_what_is_malformed_unbounded_or_not_ours) {
    EXPECT_THAT(error_of("{{#a}}x"), HasSubstr("Unclosed section \"a\""));
    EXPECT_THAT(error_of("{{a"), HasSubstr("Unclosed tag"));
    EXPECT_THAT(error_of("x{{/a}}"), HasSubstr("Unopened section"));
    EXPECT_THAT(error_of("x {{> other}}"), HasSubstr("byte 3: there are no partials"));
    EXPECT_THAT(error_of("{{=<% %>=}}"), HasSubstr("byte 1: delimiters"));
    EXPECT_THAT(error_of(repeated("{{#a}}", 9) + repeated("{{/a}}", 9)), HasSubstr("nested more than 8"));
    EXPECT_THAT(error_of(std::string(max_template + 1, 'x')), HasSubstr("at most"));
    EXPECT_THAT(error_of("{{a}}", R"(["a"])"), HasSubstr("no JSON object"));
    EXPECT_THAT(error_of("{{a}}", "{\"a\": " + repeated("[", 40) + repeated("]", 40) + "}"),
                HasSubstr("data nested more than 32"));
    EXPECT_THAT(
        error_of("{{#l}}{{t}}{{/l}}", R"({"t": ")" + std::string(100'000, 'x') + R"(", "l": [1,1,1,1,1,1,1,1,1,1,1]})"),
        HasSubstr("makes more than"));
}

TEST(Letter, says_what_was_emitted_where_there_is_no_template) {
    const auto letter = letter_of(notification("{}"), std::nullopt);
    EXPECT_EQ(letter.subject, "S");
    EXPECT_EQ(letter.text, "T <b>");
    EXPECT_EQ(letter.html, "");
}

TEST(Letter, has_a_subject_of_one_line_and_escaped_html) {
    const storage::NotifyTemplate tmpl{"en", "To {{username}}: {{t}}", "{{t}}|{{text}}", "<p>{{t}}|{{text}}</p>"};
    const auto letter = letter_of(notification(R"({"t": "a\r\nBcc: eve@example.org<"})"), tmpl);
    EXPECT_EQ(letter.subject, "To ada: a  Bcc: eve@example.org<");
    EXPECT_EQ(letter.text, "a\r\nBcc: eve@example.org<|T <b>");
    EXPECT_THAT(letter.html, HasSubstr("eve@example.org&lt;|T &lt;b&gt;</p>"));
}

TEST(Letter, names_the_template_that_cannot_be_rendered) {
    try {
        static_cast<void>(rendered("order.sent", {"de", "S", "{{#a}}", ""}, "{}"));
        FAIL();
    } catch (const TemplateError& error) {
        EXPECT_THAT(error.what(), HasSubstr("template order.sent for de, its text: Unclosed section"));
    }
}

TEST(Letter, has_a_subject_or_names_the_template_that_leaves_nothing_of_it) {
    for (const std::string subject : {"{{title}}", " {{title}} {{! a comment }}", "{{#none}}S{{/none}}"}) {
        try {
            static_cast<void>(rendered("order.sent", {"de", subject, "T", ""}, R"({"title": "\r\n"})"));
            ADD_FAILURE() << subject;
        } catch (const TemplateError& error) {
            EXPECT_THAT(error.what(), HasSubstr("template order.sent for de, its subject: nothing is left"));
        }
    }
}

TEST(Letter, of_a_digest_names_each_event_and_bounds_their_words) {
    std::vector<storage::DigestedEvent> events(1500);
    for (auto& event : events)
        event = {"t", "2026-01-01T00:00:00Z", "bob", "Order <1>", std::string(1000, 'x'), "", "{}"};
    const auto letter = digest_letter(notification("{}"), events, std::nullopt);
    EXPECT_EQ(letter.subject, "1500 notifications");
    EXPECT_THAT(letter.text, HasSubstr("and 500 more"));
    EXPECT_THAT(letter.html, HasSubstr("<h3>Order &lt;1&gt;</h3>"));
    EXPECT_THAT(letter.html, Not(HasSubstr("Order <1>")));
    EXPECT_LT(letter.text.size() + letter.html.size(), 1'048'576U);
    const storage::NotifyTemplate tmpl{"en", "{{count}} for {{username}}", "{{#events}}{{subject}};{{/events}}", ""};
    events.resize(2);
    EXPECT_EQ(digest_letter(notification("{}"), events, tmpl).text, "Order <1>;Order <1>;");
}

TEST(Letter, of_a_large_digest_names_what_fits_and_counts_the_rest) {
    std::vector<storage::DigestedEvent> events(1000);
    for (auto& event : events)
        event = {"t", "2026-01-01T00:00:00Z", "bob", std::string(300, '&'), std::string(900, '<'), "", "{}"};
    const auto plain = digest_letter(notification("{}"), events, std::nullopt);
    EXPECT_LE(plain.text.size() + plain.html.size(), max_body);
    EXPECT_EQ(plain.subject, "1000 notifications");
    EXPECT_THAT(plain.text, HasSubstr("and 867 more")) << "200,000 bytes of subjects are 133";
    const storage::NotifyTemplate tmpl{"en", "{{count}}", "{{#events}}{{subject}}\n{{text}}\n{{/events}}{{others}}",
                                       "{{#events}}{{{subject}}}{{{html}}}{{data.d}}{{/events}}"};
    events.resize(300);
    for (auto& event : events)
        event = {"t",
                 "2026-01-01T00:00:00Z",
                 "bob",
                 "S",
                 std::string(4000, 'x'),
                 "<p>",
                 R"({"d": ")" + std::string(4000, 'd') + R"("})"};
    const auto letter = digest_letter(notification("{}"), events, tmpl);
    EXPECT_LE(letter.text.size() + letter.html.size(), max_body);
    EXPECT_EQ(letter.text.size(), 300 * 3 + 4000 * 49) << "words of 49, 8,012 bytes each, and no others";
}

TEST(Letter, an_event_of_a_digest_speaks_by_the_template_of_its_type) {
    const storage::DigestedEvent event{"order.sent", "now", "bob", "S", "T", "<p>H</p>", R"({"order": 17})"};
    const auto reader = notification("{}");
    const auto put =
        in_template(event, reader, {"de", "Auftrag {{order}}", "{{username}}: {{text}}", "<b>{{order}}</b>"});
    EXPECT_EQ(put.subject, "Auftrag 17");
    EXPECT_EQ(put.text, reader.username + ": T");
    EXPECT_EQ(put.html, "<b>17</b>");
    EXPECT_EQ(put.emitted_at, "now");
    EXPECT_EQ(in_template(event, reader, {"de", "S", "T", "<!DOCTYPE html><HTML>{{order}}</HTML>"}).html, "");
    const auto kept = in_template(event, reader, {"de", "{{#a}}", "Other", ""});
    EXPECT_EQ(kept.subject + kept.text + kept.html, "ST<p>H</p>") << "a bad template keeps nothing back";
}

}  // namespace
}  // namespace millrace::adapters
