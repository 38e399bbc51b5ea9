// What exceptions, servers and programs say, on its way into the database and the log.
//
// Property: valid UTF-8 without NUL, within the limit; sound text that fits stays as it is; of what is cut the start is
// kept, and an ellipsis says so.

#include "core/printable.hpp"
#include "fuzz/input.hpp"
#include "fuzz/text.hpp"

namespace millrace::fuzz {

void try_input(std::string_view bytes) {
    constexpr std::string_view ellipsis{"…"};
    const std::size_t limit = take_byte(bytes);
    const auto shown = core::printable(bytes, limit);
    require(shown.size() <= limit, "the limit holds", shown);
    require(is_utf8(shown) && shown.find('\0') == shown.npos, "it is UTF-8 without NUL", shown);
    require(core::printable(shown, limit) == shown, "what is printable stays as it is", shown);

    const auto whole = core::printable(bytes, bytes.size());
    const bool is_sound = is_utf8(bytes) && bytes.find('\0') == bytes.npos;
    if (is_sound) require(whole == bytes, "sound text stays as it is", whole);
    if (whole.size() <= limit) {
        require(shown == whole, "what fits is whole", shown);
    } else if (limit >= ellipsis.size()) {
        require(shown.ends_with(ellipsis), "what was cut says so", shown);
        require(whole.starts_with(shown.substr(0, shown.size() - ellipsis.size())), "the start is kept", shown);
    }
}

}  // namespace millrace::fuzz
