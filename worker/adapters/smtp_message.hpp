#pragma once
// A mail in libcurl's terms, which refers to its parts until the transfer is over.
//
//     multipart/mixed            only with attachments
//         multipart/alternative  text, then html
//         attachments
//
// Only for smtp_transfer.cpp. Thread rule: that of the libcurl handle.

#include "adapters/curl.hpp"
#include "adapters/mail.hpp"

#include <curl/curl.h>

#include <memory>
#include <string>

namespace millrace::adapters {

class SmtpMessage {
public:
    // The mail is sound. Sets what of the handle's options is about this mail.
    SmtpMessage(CURL* curl, const Mail& mail);

private:
    struct FreeList {
        void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
    };
    struct FreeMime {
        void operator()(curl_mime* mime) const noexcept { curl_mime_free(mime); }
    };
    using List = std::unique_ptr<curl_slist, FreeList>;
    using Mime = std::unique_ptr<curl_mime, FreeMime>;

    static void append(List& list, const std::string& line);
    static Mime make_mime(CURL* curl);
    static void add_bodies(curl_mime* mime, const Mail& mail);
    static void add_attachment(curl_mime* mime, const Attachment& attachment);

    List recipients_;
    List headers_;
    Mime mime_;
};

}  // namespace millrace::adapters
