#include "adapters/unsubscribe_token.hpp"

#include "adapters/hmac.hpp"
#include "adapters/mime.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace millrace::adapters {
namespace {

constexpr std::string_view version = "v1.";
constexpr std::string_view purpose = "millrace unsubscribe\n";  // a seal of another purpose opens nothing here
constexpr std::size_t seal_size = 43;                           // 32 bytes as base64url
constexpr std::size_t max_token = 3 + (UnsubscribeTokens::max_subject + 1 + 2) / 3 * 4 + 1 + seal_size;

std::string base64url(std::string_view bytes) {
    auto text = base64(bytes);
    text.erase(text.find_last_not_of('=') + 1);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

// What was sealed was encoded by us: nothing is checked here that the seal does not prove.
std::optional<std::string> from_base64url(std::string_view text) {
    std::string digits{text};
    std::replace(digits.begin(), digits.end(), '-', '+');
    std::replace(digits.begin(), digits.end(), '_', '/');
    digits.append((4 - digits.size() % 4) % 4, '=');
    return from_base64(digits);
}

std::string seal(const std::string& secret, std::string_view sealed) {
    return base64url(hmac_sha256(secret, std::string{purpose}.append(sealed)));
}

bool is_part(const std::string& text) {
    return !text.empty() && text.find('\0') == std::string::npos;
}

}  // namespace

UnsubscribeTokens::UnsubscribeTokens(std::vector<std::string> secrets) : secrets_{std::move(secrets)} {
    if (secrets_.empty() || secrets_.size() > max_secrets) {
        throw std::invalid_argument{
            fmt::format("unsubscribe.secrets: {} are given; give 1 to {}, separated by commas, the newest first",
                        secrets_.size(), max_secrets)};
    }
    for (std::size_t i = 0; i < secrets_.size(); ++i) {
        const auto bytes = secrets_[i].size();
        if (bytes >= min_secret && bytes <= max_secret) continue;
        throw std::invalid_argument{fmt::format(
            "unsubscribe.secrets: number {} has {} bytes; use {} to {}, as `openssl rand -hex 32` writes them", i + 1,
            bytes, min_secret, max_secret)};
    }
}

std::string UnsubscribeTokens::sign(const Subscription& subscription) const {
    const auto& [username, event_type] = subscription;
    if (!is_part(username) || !is_part(event_type)) {
        throw std::invalid_argument{"an unsubscribe token needs a user and an event type, without zero bytes"};
    }
    if (username.size() + event_type.size() > max_subject) {
        throw std::invalid_argument{fmt::format(
            "an unsubscribe token holds a user and an event type of at most {} bytes together", max_subject)};
    }
    const auto sealed = std::string{version} + base64url(username + '\0' + event_type);
    return sealed + "." + seal(secrets_.front(), sealed);
}

std::optional<Subscription> UnsubscribeTokens::read(std::string_view token) const {
    if (token.size() > max_token || token.size() < version.size() + 1 + seal_size) return std::nullopt;
    const auto sealed = token.substr(0, token.size() - seal_size - 1);
    const auto given = token.substr(token.size() - seal_size);
    if (token[sealed.size()] != '.' || sealed.substr(0, version.size()) != version) return std::nullopt;
    bool is_ours = false;
    for (const auto& secret : secrets_) {
        const auto own = seal(secret, sealed);
        if (CRYPTO_memcmp(own.data(), given.data(), seal_size) == 0) is_ours = true;
    }
    if (!is_ours) return std::nullopt;
    const auto subject = from_base64url(sealed.substr(version.size()));
    const auto end = subject ? subject->find('\0') : std::string::npos;
    if (end == std::string::npos) return std::nullopt;
    return Subscription{subject->substr(0, end), subject->substr(end + 1)};
}

}  // namespace millrace::adapters
