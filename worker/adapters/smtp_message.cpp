#include "adapters/smtp_message.hpp"

#include "adapters/mime.hpp"

#include <fmt/format.h>

#include <new>

namespace millrace::adapters {
namespace {

curl_mimepart* new_part(curl_mime* mime) {
    auto* part = curl_mime_addpart(mime);
    if (part == nullptr) throw std::bad_alloc{};
    return part;
}

void add_text(curl_mime* mime, const char* type, const std::string& body) {
    if (body.empty()) return;
    const auto text = with_crlf(body);
    auto* part = new_part(mime);
    require(curl_mime_data(part, text.data(), text.size()));
    require(curl_mime_type(part, type));
    require(curl_mime_encoder(part, "quoted-printable"));  // keeps lines within the 998 bytes of RFC 5321
}

}  // namespace

SmtpMessage::SmtpMessage(CURL* curl, const Mail& mail) : mime_{make_mime(curl)} {
    append(recipients_, fmt::format("<{}>", ascii_address(mail.to.address)));
    for (const auto& line : header_lines(mail))
        append(headers_, line);
    if (mail.attachments.empty()) {
        append(headers_, "Content-Type: multipart/alternative");
        add_bodies(mime_.get(), mail);
    } else {
        append(headers_, "Content-Type: multipart/mixed");
        auto bodies = make_mime(curl);
        add_bodies(bodies.get(), mail);
        auto* part = new_part(mime_.get());
        require(curl_mime_subparts(part, bodies.get()));
        static_cast<void>(bodies.release());  // its part owns it
        require(curl_mime_type(part, "multipart/alternative"));
        for (const auto& attachment : mail.attachments)
            add_attachment(mime_.get(), attachment);
    }
    set(curl, CURLOPT_MAIL_FROM, fmt::format("<{}>", ascii_address(mail.from.address)).c_str());
    set(curl, CURLOPT_MAIL_RCPT, recipients_.get());
    set(curl, CURLOPT_HTTPHEADER, headers_.get());
    set(curl, CURLOPT_MIMEPOST, mime_.get());
}

void SmtpMessage::append(List& list, const std::string& line) {
    auto* grown = curl_slist_append(list.get(), line.c_str());
    if (grown == nullptr) throw std::bad_alloc{};
    static_cast<void>(list.release());  // it is part of the grown list
    list.reset(grown);
}

SmtpMessage::Mime SmtpMessage::make_mime(CURL* curl) {
    Mime mime{curl_mime_init(curl)};
    if (mime == nullptr) throw std::bad_alloc{};
    return mime;
}

void SmtpMessage::add_bodies(curl_mime* mime, const Mail& mail) {
    add_text(mime, "text/plain; charset=utf-8", mail.text);  // the richest last: RFC 2046 5.1.4
    add_text(mime, "text/html; charset=utf-8", mail.html);
}

void SmtpMessage::add_attachment(curl_mime* mime, const Attachment& attachment) {
    auto* part = new_part(mime);
    require(curl_mime_data(part, attachment.content.data(), attachment.content.size()));
    require(curl_mime_type(part, attachment.type.c_str()));
    require(curl_mime_encoder(part, "base64"));
    List lines;
    for (const auto& line : attachment_lines(attachment))
        append(lines, line);
    require(curl_mime_headers(part, lines.get(), 1));
    static_cast<void>(lines.release());  // the part owns them
}

}  // namespace millrace::adapters
