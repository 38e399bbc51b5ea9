#include "adapters/mail.hpp"

#include "adapters/idn.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::adapters {
namespace {

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 5322 3.2.3: what an unquoted local part consists of, between its dots.
bool is_atom_character(char c) {
    return is_letter_or_digit(c) || std::string_view("!#$%&'*+/=?^_`{|}~-").find(c) != std::string_view::npos;
}

// The tab is let through: it cannot end a line, and header text that holds one is encoded.
bool is_control(char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

std::string code_of(char c) {
    return fmt::format("0x{:02x}", static_cast<unsigned char>(c));
}

// Some readers decode it even in an address, where RFC 2047 5 forbids it, and see another domain than the server did.
bool holds_encoded_text(std::string_view local) {
    const auto begin = local.find("=?");
    return begin != std::string_view::npos &&
           std::count(local.begin() + static_cast<std::ptrdiff_t>(begin) + 2, local.end(), '?') >= 2;
}

std::optional<std::string> local_part_problem(std::string_view local) {
    if (local.empty()) return "has nothing before the @; write name@domain";
    if (local.size() > max_local_part) {
        return fmt::format("has {} bytes before the @; at most {} are allowed", local.size(), max_local_part);
    }
    if (local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos) {
        return "has a dot in the wrong place before the @; dots stand between other characters";
    }
    if (holds_encoded_text(local)) return "holds =?..?..? before the @, as encoded text begins; write it out";
    const auto bad =
        std::find_if_not(local.begin(), local.end(), [](char c) { return c == '.' || is_atom_character(c); });
    if (bad != local.end()) {
        return fmt::format(
            "holds the byte {} before the @; use ASCII letters, digits, dots and !#$%&'*+/=?^_`{{|}}~-, "
            "and give a person's name in \"name\"",
            code_of(*bad));
    }
    return std::nullopt;
}

std::optional<std::string> ascii_domain_problem(std::string_view domain) {
    for (std::string_view rest = domain;;) {
        const auto label = rest.substr(0, rest.find('.'));
        if (label.empty()) return "has an empty label in its domain; check the dots after the @";
        if (label.size() > max_domain_label) return "has a domain label of more than 63 bytes; check it after the @";
        if (label.front() == '-' || label.back() == '-') return "has a domain label that begins or ends with a hyphen";
        const auto bad =
            std::find_if_not(label.begin(), label.end(), [](char c) { return c == '-' || is_letter_or_digit(c); });
        if (bad != label.end()) {
            return fmt::format("holds the byte {} in its domain; use letters, digits and hyphens", code_of(*bad));
        }
        if (label.size() == rest.size()) return std::nullopt;
        rest.remove_prefix(label.size() + 1);
    }
}

// What is converted is checked like what was written in ASCII: the conversion can add nothing to a header.
std::optional<std::string> domain_problem(std::string_view domain) {
    if (domain.empty()) return "has nothing after the @; write name@domain";
    if (is_ascii(domain)) return ascii_domain_problem(domain);
    const auto converted = ascii_domain(domain);
    if (!converted) return "has a domain with letters that no domain may have; check what stands after the @";
    return ascii_domain_problem(*converted);
}

std::optional<std::string> header_text_problem(std::string_view text, std::size_t limit) {
    if (text.size() > limit) return fmt::format("has {} bytes; at most {} are allowed", text.size(), limit);
    const auto bad = std::find_if(text.begin(), text.end(), is_control);
    if (bad != text.end()) {
        return fmt::format("holds the control character {}; remove line breaks and control characters", code_of(*bad));
    }
    return std::nullopt;
}

std::optional<MailProblem> body_problem(const Mail& mail) {
    if (mail.text.empty() && mail.html.empty()) {
        return MailProblem{"text", "is empty and so is html; give at least one of them"};
    }
    if (mail.text.size() + mail.html.size() > max_body) {
        return MailProblem{"text", fmt::format("and html have {} bytes together; at most {} are allowed",
                                               mail.text.size() + mail.html.size(), max_body)};
    }
    for (const auto* body : {&mail.text, &mail.html}) {
        if (body->find('\0') != std::string::npos) {
            return MailProblem{body == &mail.text ? "text" : "html", "holds a zero byte; remove it"};
        }
    }
    return std::nullopt;
}

std::optional<MailProblem> attachments_problem(const Mail& mail) {
    if (mail.attachments.size() > max_attachments) {
        return MailProblem{"attachments", fmt::format("are {}; at most {} are allowed, put more into one archive",
                                                      mail.attachments.size(), max_attachments)};
    }
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < mail.attachments.size(); ++i) {
        bytes += mail.attachments[i].content.size();
        if (auto reason = attachment_problem(mail.attachments[i])) {
            return MailProblem{fmt::format("attachments[{}]", i), *reason};
        }
    }
    if (bytes > max_attached) {
        return MailProblem{"attachments", fmt::format("have {} bytes together; at most {} are allowed, send a link",
                                                      bytes, max_attached)};
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> address_problem(std::string_view address) {
    if (address.size() > max_address) {
        return fmt::format("has {} bytes; at most {} are allowed", address.size(), max_address);
    }
    const auto at = address.rfind('@');
    if (at == std::string_view::npos) return "has no @; write name@domain";
    if (auto problem = local_part_problem(address.substr(0, at))) return problem;
    if (auto problem = domain_problem(address.substr(at + 1))) return problem;
    if (const auto bytes = ascii_address(address).size(); bytes > max_address) {
        return fmt::format("has {} bytes when its domain is in ASCII; at most {} are allowed", bytes, max_address);
    }
    return std::nullopt;
}

std::string ascii_address(std::string_view address) {
    const auto domain = address.substr(address.rfind('@') + 1);
    if (is_ascii(domain)) return std::string(address);
    return std::string(address.substr(0, address.size() - domain.size())) + ascii_domain(domain).value_or("");
}

std::optional<std::string> mailbox_problem(const Mailbox& mailbox) {
    if (auto reason = address_problem(mailbox.address)) return "the address " + *reason;
    if (auto reason = header_text_problem(mailbox.name, max_display_name)) return "the name " + *reason;
    return std::nullopt;
}

std::optional<MailProblem> mail_problem(const Mail& mail) {
    if (auto reason = mailbox_problem(mail.from)) return MailProblem{"from", *reason};
    if (auto reason = mailbox_problem(mail.to)) return MailProblem{"to", *reason};
    if (mail.reply_to) {
        if (auto reason = mailbox_problem(*mail.reply_to)) return MailProblem{"reply_to", *reason};
    }
    if (auto reason = header_text_problem(mail.subject, max_subject)) return MailProblem{"subject", *reason};
    if (auto reason = header_text_problem(mail.message_id, max_subject)) return MailProblem{"message_id", *reason};
    if (!mail.unsubscribe_url.empty()) {
        if (auto reason = url_problem(mail.unsubscribe_url)) return MailProblem{"unsubscribe_url", *reason};
    }
    if (auto problem = attachments_problem(mail)) return problem;
    return body_problem(mail);
}

Mailbox parse_mailbox(std::string_view text) {
    const auto trimmed = [](std::string_view part) {
        const auto first = part.find_first_not_of(' ');
        if (first == std::string_view::npos) return std::string_view{};
        return part.substr(first, part.find_last_not_of(' ') - first + 1);
    };
    text = trimmed(text);
    const auto open = text.rfind('<');
    if (open == std::string_view::npos || text.back() != '>') return {std::string(text), ""};
    auto name = trimmed(text.substr(0, open));
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    return {std::string(text.substr(open + 1, text.size() - open - 2)), std::string(name)};
}

}  // namespace millrace::adapters
