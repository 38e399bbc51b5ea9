// Addresses as people type them: "to" of a payload, smtp.from of the settings.
//
// Property: an address that is accepted is one address and nothing else, in a header and in RCPT TO; written out as
// Name <address> it is read as the same.

#include "adapters/mail.hpp"
#include "adapters/mime.hpp"
#include "fuzz/input.hpp"
#include "fuzz/mail_reader.hpp"
#include "fuzz/text.hpp"

#include <algorithm>
#include <string>

namespace millrace::fuzz {

void try_input(std::string_view bytes) {
    const auto mailbox = adapters::parse_mailbox(bytes);
    if (const auto problem = adapters::mailbox_problem(mailbox)) {
        require(!problem->empty() && is_utf8(*problem) && is_harmless(*problem), "a problem can be shown", *problem);
        return;
    }
    const auto& address = mailbox.address;
    require(address.size() <= 254, "an address has at most 254 bytes", address);
    require(std::count(address.begin(), address.end(), '@') == 1, "an address has one @", address);
    require(std::all_of(address.begin(), address.end(), [](char c) { return c > ' ' && c <= '~'; }) &&
                address.find_first_of("<>()[]\\,;:\"") == address.npos,
            "an address holds nothing that ends it", address);
    require(!adapters::address_problem(address), "a mailbox is as sound as its address", address);

    const auto header = adapters::encode_mailbox(mailbox, 4);
    require_one_header(header, 4);
    const auto read = read_mailbox(header);
    require(read.address == address && read.name == mailbox.name, "a reader sees the same mailbox", header);

    const auto again = adapters::parse_mailbox(mailbox.name + " <" + address + ">");
    require(again.address == address, "the address is read as the same again", again.address);
}

}  // namespace millrace::fuzz
