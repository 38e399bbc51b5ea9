#pragma once
// The token of an unsubscribe address: says whose subscription to what ends, to whoever holds it, without a login.
//
//     v1.SUBJECT.SEAL     SUBJECT: base64url of the user, a zero byte and the event type
//                         SEAL: base64url of HMAC-SHA256, over a label of this purpose and "v1.SUBJECT"
//
// Letters, digits, '-', '_' and '.' only. It has no time limit: mails are read years later, and RFC 8058 wants the
// address in them to work. What it does not name it cannot change.
//
// Secrets are rotated by putting a new one in front: it seals, the others are still believed.
//
// Thread rule: immutable; any thread.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::adapters {

struct Subscription {
    std::string username;
    std::string event_type;
};

class UnsubscribeTokens {
public:
    // In bytes.
    static constexpr std::size_t min_secret = 32;
    static constexpr std::size_t max_secret = 1024;
    static constexpr std::size_t max_secrets = 10;
    static constexpr std::size_t max_subject = 450;  // user and event type together

    // Throws std::invalid_argument, naming the setting and the remedy, without a secret or with a weak one.
    explicit UnsubscribeTokens(std::vector<std::string> secrets);

    // Throws std::invalid_argument for an empty user or event type, one with a zero byte, and both when too long.
    [[nodiscard]] std::string sign(const Subscription& subscription) const;

    // Nothing for what no secret of ours has sealed. Takes the same time wherever a seal is wrong.
    [[nodiscard]] std::optional<Subscription> read(std::string_view token) const;

private:
    std::vector<std::string> secrets_;
};

}  // namespace millrace::adapters
