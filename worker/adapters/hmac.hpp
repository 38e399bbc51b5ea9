#pragma once
// HMAC-SHA256 (RFC 2104, FIPS 180-4), by OpenSSL.
//
// Thread rule: pure.

#include <string>
#include <string_view>

namespace millrace::adapters {

// 32 bytes. Throws std::runtime_error when libcrypto cannot.
[[nodiscard]] std::string hmac_sha256(std::string_view secret, std::string_view text);

// Two digits for each byte.
[[nodiscard]] std::string hex(std::string_view bytes);

}  // namespace millrace::adapters
