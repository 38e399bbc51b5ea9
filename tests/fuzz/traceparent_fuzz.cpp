// A traceparent as a producer may write it.
//
// Property: it is taken apart when it is sampled and of the form of W3C Trace Context, and only then; what is passed on
// in its stead is of that form again, with the same ids.

#include "core/trace.hpp"
#include "fuzz/input.hpp"

#include <regex>
#include <string>

namespace millrace::fuzz {
namespace {

bool is_sampled(const std::string& text) {
    static const std::regex form{
        "(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f][13579bdf](-[^]*)?"};
    return std::regex_match(text, form) && (text.size() == 55 || !text.starts_with("00"));
}

}  // namespace

void try_input(std::string_view bytes) {
    const std::string text{bytes.substr(0, 200)};
    const auto context = core::sampled_context(text);
    require(context.has_value() == is_sampled(text), "taken apart only what is of the form and sampled", text);
    if (!context) return;
    const auto passed_on = core::traceparent_of(*context);
    require(is_sampled(passed_on), "what is passed on is of the form", passed_on);
    require(passed_on.substr(3, 49) == text.substr(3, 49), "it has the same ids", passed_on);
}

}  // namespace millrace::fuzz
