#pragma once
// The dashboard's one stylesheet: light and dark as the reader's system is, from 360 pixels on.

#include <string_view>

namespace millrace::ops {

extern const std::string_view dashboard_style;

}  // namespace millrace::ops
