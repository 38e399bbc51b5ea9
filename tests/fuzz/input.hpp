#pragma once
// What a fuzz target is made of: `try_input`, which each target defines, tries one input; `require` states a property
// that holds for every input. One that does not is a finding, and the fuzzer keeps the input.
//
// Thread rule: one thread.

#include <string_view>
#include <vector>

namespace millrace::fuzz {

void try_input(std::string_view bytes);

// `seen` is what broke it; it is shown on one line.
void require(bool holds, std::string_view property, std::string_view seen = {});

// The parts between separators, of which there is one more than separators.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// Takes the first byte off, as a number; 0 when there is none.
[[nodiscard]] unsigned take_byte(std::string_view& text);

}  // namespace millrace::fuzz
