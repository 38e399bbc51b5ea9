#pragma once
// The body of a form as browsers send it: application/x-www-form-urlencoded (URL Standard, 5.1).

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::ops {

using Form = std::map<std::string, std::string, std::less<>>;

constexpr std::size_t most_form_fields = 16;

// Nothing for what no form of ours sends: too many fields, one of them twice, a control character in them, or what is
// not UTF-8.
[[nodiscard]] std::optional<Form> read_form(std::string_view body);

// Empty without it.
[[nodiscard]] std::string field(const Form& form, std::string_view name);

}  // namespace millrace::ops
