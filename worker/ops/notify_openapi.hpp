#pragma once
// The OpenAPI 3.0 description of NotifyApi, as /api/openapi.json serves it. tests/e2e has every answer checked against
// it by another's program.

#include <string_view>

namespace millrace::ops {

extern const std::string_view notify_openapi;

}  // namespace millrace::ops
