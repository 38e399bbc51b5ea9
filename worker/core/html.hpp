#pragma once
// Text from outside as a part of an HTML page or mail: in an element, or within a quoted attribute.

#include <string>
#include <string_view>

namespace millrace::core {

[[nodiscard]] std::string html_escaped(std::string_view text);

}  // namespace millrace::core
