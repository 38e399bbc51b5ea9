// Which mails may be sent at all. Refusals come before any connection, and quote nothing of the mail.

#include "adapters/mail.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::adapters {
namespace {

Mail sound_mail() {
    Mail mail;
    mail.from = {"queue@example.com", "Millrace"};
    mail.to = {"ada@example.com", "Ada Lovelace"};
    mail.subject = "Hello";
    mail.text = "Good morning.";
    mail.message_id = "<millrace.1.x@example.com>";
    return mail;
}

std::string problem_of(const Mail& mail) {
    const auto problem = mail_problem(mail);
    return problem ? problem->field + ": " + problem->reason : "";
}

TEST(EmailAddress, takes_what_rfc_5321_writes_without_quotes) {
    for (const auto* address :
         {"a@b", "ada@example.com", "ada.lovelace+queue@mail.example.co.uk", "o'brien@example.com",
          "!#$%&'*+/=?^_`{|}~-@example.com", "x@xn--bcher-kva.example", "1@2.example", "ada@bücher.example",
          "ada@例え.テスト", "ada@EXAMPLE.com", "ada@faß.example", "ada@Ä.example"}) {
        EXPECT_EQ(address_problem(address), std::nullopt) << address;
    }
}

struct Refusal {
    std::string address;
    std::string reason;  // the start of it
};

TEST(EmailAddress, refuses_everything_else_with_a_reason) {
    const std::string label(64, 'x');
    const Refusal refusals[] = {
        {"", "has no @"},
        {"ada", "has no @"},
        {"@example.com", "has nothing before the @"},
        {"ada@", "has nothing after the @"},
        {".ada@example.com", "has a dot in the wrong place"},
        {"ada.@example.com", "has a dot in the wrong place"},
        {"a..da@example.com", "has a dot in the wrong place"},
        {"ada lovelace@example.com", "holds the byte 0x20 before the @"},
        {"Ada <ada@example.com", "holds the byte 0x20 before the @"},
        {"<ada@example.com", "holds the byte 0x3c before the @"},
        {"\"ada\"@example.com", "holds the byte 0x22 before the @"},
        {"ada@one@example.com", "holds the byte 0x40 before the @"},
        {"ad\xc3\xa4@example.com", "holds the byte 0xc3 before the @"},
        {"ada@b\xc3"
         "cher.example",
         "has a domain with letters that no domain may have"},
        {"ada@bücher.example>\r\nBcc: eve@example.com", "holds the byte 0x40 before the @"},
        {"ada@bücher.example\r\nBcc: eve", "holds the byte 0x0d in its domain"},
        {"ada@bü cher.example", "has a domain with letters that no domain may have"},
        {"ada@bücher.example>", "holds the byte 0x3e in its domain"},
        {"ada@bücher..example", "has a"},
        {"ada@a／ü.example", "has a domain with letters that no domain may have"},
        {"ada@⒈ü.example", "has a domain with letters that no domain may have"},
        {"ada@ü\u2028.example", "has a domain with letters that no domain may have"},
        {std::string("ada@ü\0.example", 14), "has a domain with letters that no domain may have"},
        {"ada@" + std::string(60, 'x') + "ü.example", "has a domain with letters that no domain may have"},
        {"ada@example.com>", "holds the byte 0x3e in its domain"},
        {"ada@example.com>\r\nRCPT TO:<eve@example.com", "holds the byte 0x40 before the @"},
        {"ada@example.com\r\n", "holds the byte 0x0d in its domain"},
        {"ada\r\n@example.com", "holds the byte 0x0d before the @"},
        {std::string("ada\0@example.com", 16), "holds the byte 0x00 before the @"},
        {"=?UTF-8?B?YWRh?=@example.com", "holds =?..?..? before the @"},
        {"ada@[127.0.0.1]", "holds the byte 0x5b in its domain"},
        {"ada@example..com", "has an empty label"},
        {"ada@example.com.", "has an empty label"},
        {"ada@-example.com", "has a domain label that begins"},
        {"ada@example-.com", "has a domain label that begins"},
        {"ada@" + label + ".com", "has a domain label of more than 63"},
        {label + "x@example.com", "has 65 bytes before the @"},
    };
    for (const auto& [address, reason] : refusals) {
        const auto problem = address_problem(address).value_or("accepted");
        EXPECT_EQ(problem.substr(0, reason.size()), reason) << address;
    }
}

TEST(EmailAddress, is_told_to_servers_in_ascii) {
    EXPECT_EQ(ascii_address("ada@bücher.example"), "ada@xn--bcher-kva.example");
    EXPECT_EQ(ascii_address("Ada@BÜCHER.example"), "Ada@xn--bcher-kva.example");
    EXPECT_EQ(ascii_address("ada@faß.example"), "ada@xn--fa-hia.example");  // not fass.example, another's domain
    EXPECT_EQ(ascii_address("ada@例え.テスト"), "ada@xn--r8jz45g.xn--zckzah");
    EXPECT_EQ(ascii_address("ada@Example.com"), "ada@Example.com");
    EXPECT_EQ(ascii_address("ada@bücher。example"), "ada@xn--bcher-kva.example");  // the full stop of ideographs
}

TEST(EmailAddress, is_limited_to_64_bytes_before_the_at_and_254_in_all) {
    const std::string local(64, 'a');
    std::string domain;
    while (domain.size() < 189)
        domain += domain.size() % 2 == 0 ? "d" : ".";  // 64 + 1 + 189 = 254
    EXPECT_EQ(address_problem(local + "@" + domain), std::nullopt);
    EXPECT_NE(address_problem(local + "@" + domain + ".d"), std::nullopt);
    EXPECT_NE(address_problem(local + "a@d"), std::nullopt);
}

TEST(EmailMail, is_sound_with_a_recipient_a_sender_and_a_body) {
    EXPECT_EQ(problem_of(sound_mail()), "");
    auto html_only = sound_mail();
    html_only.text.clear();
    html_only.html = "<p>Good morning.</p>";
    EXPECT_EQ(problem_of(html_only), "");
}

TEST(EmailMail, refuses_line_breaks_in_every_field_that_becomes_a_header) {
    const std::string injection = "x\r\nBcc: eve@example.com";
    for (const std::string& hostile : {injection, std::string("x\ny"), std::string("x\ry"), std::string("x\0y", 3)}) {
        for (auto* field :
             {+[](Mail& m) { return &m.subject; }, +[](Mail& m) { return &m.from.name; },
              +[](Mail& m) { return &m.from.address; }, +[](Mail& m) { return &m.to.name; },
              +[](Mail& m) { return &m.to.address; }, +[](Mail& m) { return &m.reply_to.emplace().address; },
              +[](Mail& m) {
                  return &m.reply_to.emplace(Mailbox{"ada@example.com", ""}).name;
              },
              +[](Mail& m) { return &m.message_id; }, +[](Mail& m) { return &m.unsubscribe_url; },
              +[](Mail& m) {
                  return &m.attachments.emplace_back(Attachment{"a.txt", "text/plain", "x"}).name;
              },
              +[](Mail& m) {
                  return &m.attachments.emplace_back(Attachment{"a.txt", "text/plain", "x"}).type;
              }}) {
            auto mail = sound_mail();
            *field(mail) = hostile;
            EXPECT_NE(problem_of(mail), "");
        }
    }
}

TEST(EmailMail, names_the_field_and_the_remedy_and_quotes_nothing) {
    auto mail = sound_mail();
    mail.subject = "secret\nsubject";
    EXPECT_EQ(problem_of(mail), "subject: holds the control character 0x0a; remove line breaks and control characters");
}

TEST(EmailMail, has_limits_on_every_part) {
    const auto with = [](auto change) {
        auto mail = sound_mail();
        change(mail);
        return problem_of(mail);
    };
    EXPECT_EQ(with([](Mail& m) { m.subject.assign(998, 'x'); }), "");
    EXPECT_EQ(with([](Mail& m) { m.subject.assign(999, 'x'); }), "subject: has 999 bytes; at most 998 are allowed");
    EXPECT_EQ(with([](Mail& m) { m.to.name.assign(256, 'x'); }), "");
    EXPECT_EQ(with([](Mail& m) { m.to.name.assign(257, 'x'); }), "to: the name has 257 bytes; at most 256 are allowed");
    EXPECT_EQ(with([](Mail& m) { m.text.assign(max_body, 'x'); }), "");
    EXPECT_EQ(with([](Mail& m) { m.text.assign(max_body, 'x'), m.html = "y"; }),
              "text: and html have 1048577 bytes together; at most 1048576 are allowed");
    EXPECT_EQ(with([](Mail& m) { m.text.clear(); }), "text: is empty and so is html; give at least one of them");
    EXPECT_EQ(with([](Mail& m) { m.html = std::string("a\0b", 3); }), "html: holds a zero byte; remove it");
}

TEST(EmailAttachment, has_a_name_and_a_type) {
    const auto problem_of = [](std::string name, std::string type) {
        return attachment_problem({std::move(name), std::move(type), "x"}).value_or("");
    };
    for (const auto* name :
         {"a", "invoice.pdf", "Rechnung für März.pdf", "a b;c=\"d\".txt", "日本語.txt", "..", "%2F"}) {
        EXPECT_EQ(problem_of(name, "application/pdf"), "") << name;
    }
    for (const auto* type : {"text/csv", "text/csv; charset=utf-8", "application/vnd.ms-excel", "image/svg+xml"}) {
        EXPECT_EQ(problem_of("a", type), "") << type;
    }
    EXPECT_EQ(problem_of("", "text/csv"), "has no name; give one like \"invoice.pdf\"");
    EXPECT_EQ(problem_of(std::string(256, 'x'), "text/csv"), "has a name of 256 bytes; at most 255 are allowed");
    for (const auto* name : {"../a", "a\\b", "a\r\nBcc: eve@example.com", "a\nb", "a\tb", "a\x7f"}) {
        EXPECT_EQ(problem_of(name, "text/csv").substr(0, 24), "has a name with the byte") << name;
    }
    EXPECT_EQ(problem_of("=?UTF-8?B?L2V0Yy9wYXNzd2Q=?=", "text/csv"),
              "has a name with =?, as encoded text begins; write it out");
    for (const auto* type :
         {"", "text", "text/", "/csv", "text/csv;charset=utf-8", "text/csv; name=x", "text/csv; charset=", "text /csv",
          "text/csv; charset=utf-8; x=y", "text/csv\r\nBcc: eve@example.com", "text/csv; charset=utf-8\r\nX: y",
          "text/c\"sv", "text/csv\n", "text/ü"}) {
        EXPECT_EQ(problem_of("a", type).substr(0, 17), "has no media type") << type;
    }
    for (const auto* type : {"multipart/mixed", "message/rfc822", "MESSAGE/rfc822"}) {
        EXPECT_EQ(problem_of("a", type).substr(0, 28), "is of a type that holds mail") << type;
    }
}

TEST(EmailMail, has_limits_on_its_attachments) {
    auto mail = sound_mail();
    mail.attachments.assign(10, {"a", "text/csv", std::string(1'048'576, 'x')});
    EXPECT_EQ(problem_of(mail), "");
    mail.attachments[9].content += 'y';
    EXPECT_EQ(problem_of(mail), "attachments: have 10485761 bytes together; at most 10485760 are allowed, send a link");
    mail.attachments.assign(11, {"a", "text/csv", ""});
    EXPECT_EQ(problem_of(mail), "attachments: are 11; at most 10 are allowed, put more into one archive");
    mail.attachments.assign(2, {"a", "text/csv", ""});
    mail.attachments[1].name = "secret/name";
    EXPECT_EQ(problem_of(mail),
              "attachments[1]: has a name with the byte 0x2f; leave out directories and control characters");
}

TEST(EmailMail, takes_an_unsubscribe_address_that_is_one_address) {
    const auto with = [](std::string url) {
        auto mail = sound_mail();
        mail.unsubscribe_url = std::move(url);
        return problem_of(mail);
    };
    EXPECT_EQ(with("https://example.com/u?t=v1.YWRh.x-_%20&a=(b),c"), "");
    EXPECT_EQ(with("http://example.com/u"), "unsubscribe_url: must be the https:// address of a page");
    for (const auto* url : {"https://", "https:///x", "mailto:a@b", "javascript:x", "x"}) {
        EXPECT_EQ(with(url), "unsubscribe_url: must be the https:// address of a page") << url;
    }
    for (const auto* url : {"https://a/>,<mailto:eve@example.com", "https://a/ b", "https://a/\r\nBcc: x",
                            "https://a/\tb", "https://bücher.example/", "https://a/\"b\"", "https://a\\b"}) {
        EXPECT_EQ(with(url).substr(0, 31), "unsubscribe_url: holds the byte") << url;
    }
    EXPECT_EQ(with("https://a/" + std::string(890, 'x')), "");
    EXPECT_EQ(with("https://a/" + std::string(891, 'x')), "unsubscribe_url: has 901 bytes; at most 900 are allowed");
}

TEST(EmailMailbox, is_read_with_and_without_a_name) {
    const auto read = [](std::string_view text) {
        const auto mailbox = parse_mailbox(text);
        return mailbox.name + "|" + mailbox.address;
    };
    EXPECT_EQ(read("ada@example.com"), "|ada@example.com");
    EXPECT_EQ(read("  ada@example.com "), "|ada@example.com");
    EXPECT_EQ(read("<ada@example.com>"), "|ada@example.com");
    EXPECT_EQ(read("Ada Lovelace <ada@example.com>"), "Ada Lovelace|ada@example.com");
    EXPECT_EQ(read("\"Lovelace, Ada\" <ada@example.com>"), "Lovelace, Ada|ada@example.com");
    EXPECT_EQ(read(""), "|");
    EXPECT_NE(address_problem(parse_mailbox("Ada ada@example.com").address), std::nullopt);
}

}  // namespace
}  // namespace millrace::adapters
