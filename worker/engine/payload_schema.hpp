#pragma once
// The JSON Schema of a kind's payloads: read once, then asked about each payload before its handler runs.
//
// A subset of drafts 6, 7, 2019-09 and 2020-12: every keyword is either kept to or refused when the schema is read, so
// that no rule is passed over in silence. `$ref` leads to places of the same schema; nothing is fetched. Patterns are
// RE2's, whose time is linear. A check ends after a bounded number of steps, whatever schema and payload say.
//
// Thread rule: immutable; any thread may ask.

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace millrace::engine {

// The text names the place in the schema, as a JSON pointer, and what is wrong there.
class BadSchema : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// The first rule that a payload breaks. No value of the payload is quoted, only names of members.
struct Violation {
    std::string pointer;  // into the payload, as in RFC 6901; empty: the payload itself
    std::string rule;     // the keyword
    std::string why;
};

// "/to/0: type: text expected, number found"
[[nodiscard]] std::string text_of(const Violation& violation);

class PayloadSchema {
public:
    static constexpr std::size_t most_schema_levels = 64;    // of nesting
    static constexpr std::size_t most_payload_levels = 200;  // deeper payloads are a violation
    static constexpr std::size_t most_patterns = 100;
    static constexpr std::size_t most_steps = 1'000'000;  // of one check: some tenths of a second
    static constexpr std::size_t steps_per_byte = 20;     // of the payload, besides

    // A JSON text. Throws BadSchema.
    explicit PayloadSchema(std::string_view text);
    ~PayloadSchema();
    PayloadSchema(const PayloadSchema&) = delete;
    PayloadSchema& operator=(const PayloadSchema&) = delete;

    // A JSON text; nothing when it is as the schema wants it.
    [[nodiscard]] std::optional<Violation> check(std::string_view payload) const;

    struct Compiled;  // for the sources of this layer

private:
    std::unique_ptr<const Compiled> compiled_;
};

}  // namespace millrace::engine
