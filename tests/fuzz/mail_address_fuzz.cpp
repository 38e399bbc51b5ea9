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
    const auto told = adapters::ascii_address(address);
    require(told.size() <= 254, "a server is told at most 254 bytes", told);
    require(std::count(told.begin(), told.end(), '@') == 1, "an address has one @", told);
    require(std::all_of(told.begin(), told.end(), [](char c) { return c > ' ' && c <= '~'; }) &&
                told.find_first_of("<>()[]\\,;:\"") == told.npos,
            "an address holds nothing that ends it", told);
    require(told.substr(0, told.find('@')) == address.substr(0, address.find('@')), "what is before the @ stays", told);
    require(adapters::ascii_address(told) == told, "ASCII stays as it is", told);
    require(!adapters::address_problem(address), "a mailbox is as sound as its address", address);

    const auto header = adapters::encode_mailbox(mailbox, 4);
    require_one_header(header, 4);
    const auto read = read_mailbox(header);
    require(read.address == told && read.name == mailbox.name, "a reader sees the same mailbox", header);

    const auto again = adapters::parse_mailbox(mailbox.name + " <" + address + ">");
    require(again.address == address, "the address is read as the same again", again.address);
}

}  // namespace millrace::fuzz
