#include "handlers/email/payload.hpp"

#include "adapters/mime.hpp"
#include "core/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace::handlers::email {
namespace {

using nlohmann::json;

const std::vector<std::string> mail_keys = {"to",       "subject",         "text",       "html", "from",
                                            "reply_to", "unsubscribe_url", "attachments"};
const std::vector<std::string> mailbox_keys = {"address", "name"};
const std::vector<std::string> attachment_keys = {"name", "type", "content"};

constexpr std::size_t max_shown_key = 40;  // bytes

// Quoted as JSON: a key may hold anything, and problems end in logs.
std::string shown(const std::string& path) {
    return json(path).dump(-1, ' ', true, json::error_handler_t::replace);
}

// Reads a payload that may be wrong anywhere. The first problem found is kept; what is read after it does not matter.
class Reader {
public:
    adapters::Mail read(const json& payload, const adapters::Mailbox& default_sender);
    [[nodiscard]] std::optional<PayloadProblem> problem() && { return std::move(problem_); }

private:
    void refuse(const std::string& path, const std::string& reason) {
        if (!problem_) problem_ = PayloadProblem{fmt::format("payload key {}: {}", shown(path), reason)};
    }
    void refuse_unknown_keys(const json& object, const std::vector<std::string>& known, const std::string& prefix);
    std::string text(const json& object, const std::string& key, const std::string& prefix);
    adapters::Mailbox mailbox(const json& mail, const std::string& key);
    std::vector<adapters::Attachment> attachments(const json& mail);
    adapters::Attachment attachment(const json& value, const std::string& path);

    std::optional<PayloadProblem> problem_;
};

// `prefix` is the path of the object: empty, or "to." and the like.
void Reader::refuse_unknown_keys(const json& object, const std::vector<std::string>& known, const std::string& prefix) {
    for (const auto& [key, value] : object.items()) {
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        const auto start = key.substr(0, max_shown_key);
        const auto meant = core::nearest(start, known);
        refuse(prefix + start, meant ? fmt::format("not known; did you mean \"{}{}\"?", prefix, *meant)
                                     : fmt::format("not known; known are {}", fmt::join(known, ", ")));
    }
}

std::string Reader::text(const json& object, const std::string& key, const std::string& prefix) {
    const auto found = object.find(key);
    if (found == object.end()) return "";
    if (found->is_string()) return found->get<std::string>();
    refuse(prefix + key, fmt::format("must be a string; it is of type {}", found->type_name()));
    return "";
}

adapters::Mailbox Reader::mailbox(const json& mail, const std::string& key) {
    const auto& value = mail.at(key);
    if (value.is_string()) return {value.get<std::string>(), ""};
    if (!value.is_object()) {
        refuse(key, fmt::format(R"(must be "name@domain" or {{"address": …, "name": …}}; it is of type {})",
                                value.type_name()));
        return {};
    }
    refuse_unknown_keys(value, mailbox_keys, key + ".");
    if (!value.contains("address")) refuse(key + ".address", "is missing; give one like \"name@domain\"");
    return {text(value, "address", key + "."), text(value, "name", key + ".")};
}

std::vector<adapters::Attachment> Reader::attachments(const json& mail) {
    const auto found = mail.find("attachments");
    if (found == mail.end()) return {};
    std::vector<adapters::Attachment> read;
    if (!found->is_array()) {
        refuse("attachments", fmt::format(R"(must be an array of {{"name", "type", "content"}}; it is of type {})",
                                          found->type_name()));
    } else if (found->size() > adapters::max_attachments) {
        refuse("attachments", fmt::format("are {}; at most {} are allowed, put more into one archive", found->size(),
                                          adapters::max_attachments));
    } else {
        for (const auto& value : *found)
            read.push_back(attachment(value, fmt::format("attachments[{}]", read.size())));
    }
    return read;
}

adapters::Attachment Reader::attachment(const json& value, const std::string& path) {
    if (!value.is_object()) {
        refuse(path, fmt::format(R"(must be {{"name", "type", "content"}}; it is of type {})", value.type_name()));
        return {};
    }
    const auto prefix = path + ".";
    refuse_unknown_keys(value, attachment_keys, prefix);
    for (const auto& key : attachment_keys) {
        if (!value.contains(key)) refuse(prefix + key, "is missing");
    }
    auto content = adapters::from_base64(text(value, "content", prefix));
    if (!content) refuse(prefix + "content", "is not base64; write it as encode(…, 'base64') does");
    return {text(value, "name", prefix), text(value, "type", prefix), std::move(content).value_or("")};
}

adapters::Mail Reader::read(const json& payload, const adapters::Mailbox& default_sender) {
    adapters::Mail mail;
    if (!payload.is_object()) {
        problem_ =
            PayloadProblem{fmt::format("the payload must be a JSON object; it is of type {}", payload.type_name())};
        return mail;
    }
    refuse_unknown_keys(payload, mail_keys, "");
    mail.from = payload.contains("from") ? mailbox(payload, "from") : default_sender;
    if (payload.contains("to")) {
        mail.to = mailbox(payload, "to");
    } else {
        refuse("to", "is missing; give the recipient as \"name@domain\"");
    }
    if (payload.contains("reply_to")) mail.reply_to = mailbox(payload, "reply_to");
    if (!payload.contains("subject")) refuse("subject", "is missing; give one, empty if it must be");
    mail.subject = text(payload, "subject", "");
    mail.text = text(payload, "text", "");
    mail.html = text(payload, "html", "");
    if (payload.contains("unsubscribe_url")) {
        mail.unsubscribe_url = text(payload, "unsubscribe_url", "");
        if (mail.unsubscribe_url.empty())
            refuse("unsubscribe_url", "is empty; leave it out, or give an https:// address");
    }
    mail.attachments = attachments(payload);
    if (const auto problem = adapters::mail_problem(mail)) refuse(problem->field, problem->reason);
    return mail;
}

}  // namespace

std::variant<adapters::Mail, PayloadProblem> read_mail(std::string_view payload,
                                                       const adapters::Mailbox& default_sender) {
    const auto parsed = json::parse(payload, nullptr, false);
    if (parsed.is_discarded()) {
        return PayloadProblem{R"(the payload is not JSON; write {"to": …, "subject": …, "text": …})"};
    }
    Reader reader;
    auto mail = reader.read(parsed, default_sender);
    if (auto problem = std::move(reader).problem()) return *std::move(problem);
    return mail;
}

}  // namespace millrace::handlers::email
