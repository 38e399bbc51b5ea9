#include "engine/schema_keywords.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>
#include <vector>

namespace millrace::engine {

namespace {

using Json = nlohmann::json;

constexpr std::size_t most_depth = 500;  // of schemas within schemas, which references can make deep

// 64 bits of mantissa at least: every number that nlohmann's JSON holds is exact.
long double number_of(const Json& value) {
    if (value.is_number_unsigned()) return static_cast<long double>(value.get<std::uint64_t>());
    if (value.is_number_integer()) return static_cast<long double>(value.get<std::int64_t>());
    return static_cast<long double>(value.get<double>());
}

bool is_whole(const Json& value) {
    return value.is_number() && std::trunc(number_of(value)) == number_of(value);
}

// Both are written in tens and held in twos: 0.0075 is a multiple of 0.0001 all the same.
bool is_multiple(const Json& value, const Json& divisor) {
    if (is_whole(value) && is_whole(divisor)) return std::fmod(number_of(value), number_of(divisor)) == 0;
    const auto times = value.get<double>() / divisor.get<double>();
    return std::isfinite(times) && std::abs(times - std::round(times)) <= 1e-9 * std::max(1.0, std::abs(times));
}

std::string_view type_of(const Json& value) {
    if (is_whole(value)) return "integer";
    return value.type_name();
}

bool is_of_type(const Json& value, std::string_view type) {
    if (type == "integer") return is_whole(value);
    return type == value.type_name();
}

std::size_t characters_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// The same text for all that JSON Schema calls equal: 1 is 1.0, and members have no order.
void write_canonical(const Json& value, std::string& text) {
    if (value.is_number()) {
        fmt::format_to(std::back_inserter(text), "{}", number_of(value) == 0 ? 0.0L : number_of(value));
    } else if (value.is_array()) {
        text += '[';
        for (const auto& element : value) {
            write_canonical(element, text);
            text += ',';
        }
        text += ']';
    } else if (value.is_object()) {
        text += '{';
        for (const auto& [name, member] : value.items()) {
            text += Json(name).dump() + ':';
            write_canonical(member, text);
            text += ',';
        }
        text += '}';
    } else {
        text += value.dump();
    }
}

std::string canonical(const Json& value) {
    std::string text;
    write_canonical(value, text);
    return text;
}

class Check {
public:
    Check(const PayloadSchema::Compiled& schema, std::size_t most_steps) : schema_{schema}, most_steps_{most_steps} {}

    std::optional<Violation> run(const Json& payload) {
        if (holds(*schema_.root, payload)) return std::nullopt;
        return std::move(violation_);
    }

private:
    using Rule = bool (Check::*)(const Json& rule, const Json& schema, const Json& value);
    struct Named {
        std::string_view name;
        Rule check;
    };
    static const std::array<Named, 34> rules;

    // A check that is given up breaks a rule whatever it looks at, and nothing that asks for the opposite mends it.
    bool holds(const Json& schema, const Json& value) {
        if (schema.is_boolean()) {
            return spend(1) && (schema.get<bool>() || broken("false", "nothing is allowed here"));
        }
        if (depth_ == most_depth) return give_up("schemas within schemas are too deep");
        ++depth_;
        const bool is_held = spend(1 + schema.size()) && keeps_rules(schema, value);
        --depth_;
        return is_held;
    }

    bool keeps_rules(const Json& schema, const Json& value) {
        for (const auto& [name, rule] : schema.items()) {
            const auto found =
                std::lower_bound(rules.begin(), rules.end(), name,
                                 [](const Named& named, const std::string& key) { return named.name < key; });
            if (found != rules.end() && found->name == name && !(this->*found->check)(rule, schema, value))
                return false;
        }
        return true;
    }

    bool holds_at(const std::string& step, const Json& schema, const Json& value) {
        const auto length = pointer_.size();
        pointer_ += step;
        const bool is_held = holds(schema, value);
        pointer_.resize(length);
        return is_held;
    }

    // To ask without complaint.
    bool would_hold(const Json& schema, const Json& value) {
        ++quiet_;
        const bool is_held = holds(schema, value);
        --quiet_;
        return is_held;
    }

    template <class... Arguments>
    bool broken(std::string_view rule, fmt::format_string<Arguments...> why, Arguments&&... arguments) {
        if (quiet_ == 0 && !violation_) {
            violation_ =
                Violation{pointer_, std::string{rule}, fmt::format(why, std::forward<Arguments>(arguments)...)};
        }
        return false;
    }

    bool give_up(std::string_view why) {
        if (!gave_up_) violation_ = Violation{pointer_, "limit", std::string{why}};
        gave_up_ = true;
        return false;
    }

    bool spend(std::size_t steps) {
        steps_ += steps;
        if (steps_ <= most_steps_ && !gave_up_) return true;
        return give_up(fmt::format("not checked to its end in {} steps", most_steps_));
    }

    // --- of any value

    bool type(const Json& rule, const Json&, const Json& value) {
        const auto fits = [&](const Json& type) { return is_of_type(value, type.get_ref<const std::string&>()); };
        if (rule.is_array() ? std::any_of(rule.begin(), rule.end(), fits) : fits(rule)) return true;
        std::string wanted = rule.is_array() ? "" : rule.get<std::string>();
        if (rule.is_array()) {
            for (const auto& each : rule)
                wanted += (wanted.empty() ? "" : " or ") + each.get<std::string>();
        }
        return broken("type", "{} expected, {} found", wanted, type_of(value));
    }

    bool is_constant(const Json& rule, const Json&, const Json& value) {
        return spend(1) && (equal(rule, value) || broken("const", "another value than the one that is allowed"));
    }

    bool is_one_of(const Json& rule, const Json&, const Json& value) {
        for (const auto& each : rule) {
            if (!spend(1)) return false;
            if (equal(each, value)) return true;
        }
        return broken("enum", "none of the {} values that are allowed", rule.size());
    }

    // The value is made to text only as far as it is as long as what stands in the schema.
    bool equal(const Json& one, const Json& other) {
        if (one.is_number() && other.is_number()) return number_of(one) == number_of(other);
        if (one.type() != other.type() || one.size() != other.size()) return false;
        if (!one.is_structured()) return one == other;
        if (!spend(one.size())) return false;
        if (one.is_array()) {
            return std::equal(one.begin(), one.end(), other.begin(),
                              [&](const Json& left, const Json& right) { return equal(left, right); });
        }
        return std::equal(one.items().begin(), one.items().end(), other.items().begin(),
                          [&](const auto& left, const auto& right) {
                              return left.key() == right.key() && equal(left.value(), right.value());
                          });
    }

    bool reference(const Json& rule, const Json&, const Json& value) {
        return holds(*schema_.references.at(&rule), value);
    }

    bool all_of(const Json& rule, const Json&, const Json& value) {
        return std::all_of(rule.begin(), rule.end(), [&](const Json& each) { return holds(each, value); });
    }

    bool any_of(const Json& rule, const Json&, const Json& value) {
        for (const auto& each : rule) {
            if (would_hold(each, value)) return true;
        }
        return gave_up_ ? false : broken("anyOf", "none of {} possibilities fits", rule.size());
    }

    bool one_of(const Json& rule, const Json&, const Json& value) {
        const auto fits =
            std::count_if(rule.begin(), rule.end(), [&](const Json& each) { return would_hold(each, value); });
        if (gave_up_) return false;
        return fits == 1 || broken("oneOf", "{} of {} possibilities fit, and one should", fits, rule.size());
    }

    bool not_so(const Json& rule, const Json&, const Json& value) {
        if (would_hold(rule, value)) return broken("not", "as it must not be");
        return !gave_up_;
    }

    bool if_then(const Json& rule, const Json& schema, const Json& value) {
        const bool is_so = would_hold(rule, value);
        if (gave_up_) return false;
        const auto next = schema.find(is_so ? "then" : "else");
        return next == schema.end() || holds(*next, value);
    }

    // --- of numbers

    bool minimum(const Json& rule, const Json&, const Json& value) {
        return !value.is_number() || number_of(value) >= number_of(rule) ||
               broken("minimum", "less than {}", rule.dump());
    }

    bool maximum(const Json& rule, const Json&, const Json& value) {
        return !value.is_number() || number_of(value) <= number_of(rule) ||
               broken("maximum", "more than {}", rule.dump());
    }

    bool above(const Json& rule, const Json&, const Json& value) {
        return !value.is_number() || number_of(value) > number_of(rule) ||
               broken("exclusiveMinimum", "not more than {}", rule.dump());
    }

    bool below(const Json& rule, const Json&, const Json& value) {
        return !value.is_number() || number_of(value) < number_of(rule) ||
               broken("exclusiveMaximum", "not less than {}", rule.dump());
    }

    bool multiple(const Json& rule, const Json&, const Json& value) {
        return !value.is_number() || is_multiple(value, rule) ||
               broken("multipleOf", "not a multiple of {}", rule.dump());
    }

    // --- of texts

    bool shortest(const Json& rule, const Json&, const Json& value) {
        return has_size(value.is_string(), "minLength", rule, value);
    }
    bool longest(const Json& rule, const Json&, const Json& value) {
        return has_size(value.is_string(), "maxLength", rule, value);
    }

    bool has_size(bool applies, std::string_view keyword, const Json& rule, const Json& value) {
        if (!applies) return true;
        std::size_t size = value.size();
        if (value.is_string()) {
            const auto& text = value.get_ref<const std::string&>();
            if (!spend(text.size() / 64)) return false;
            size = characters_of(text);
        }
        const auto bound = number_of(rule);
        const bool is_least = keyword.starts_with("min");
        if (is_least ? static_cast<long double>(size) >= bound : static_cast<long double>(size) <= bound) return true;
        return broken(keyword, "{}, and at {} {}", size, is_least ? "least" : "most", rule.dump());
    }

    bool matches(const std::string& pattern, const std::string& text) {
        return spend(1 + text.size() / 8) && RE2::PartialMatch(text, *schema_.patterns.at(pattern));
    }

    bool pattern(const Json& rule, const Json&, const Json& value) {
        if (!value.is_string()) return true;
        const auto& text = rule.get_ref<const std::string&>();
        if (matches(text, value.get_ref<const std::string&>())) return true;
        return gave_up_ ? false : broken("pattern", "does not match {}", text);
    }

    // --- of arrays

    bool fewest(const Json& rule, const Json&, const Json& value) {
        return has_size(value.is_array(), "minItems", rule, value);
    }
    bool most(const Json& rule, const Json&, const Json& value) {
        return has_size(value.is_array(), "maxItems", rule, value);
    }

    bool holds_from(std::size_t first, const Json& rule, const Json& value) {
        for (std::size_t at = first; at < value.size(); ++at) {
            if (!holds_at(fmt::format("/{}", at), rule, value[at])) return false;
        }
        return true;
    }

    bool each_has_its_own(const Json& own, const Json& value) {
        for (std::size_t at = 0; at < std::min(own.size(), value.size()); ++at) {
            if (!holds_at(fmt::format("/{}", at), own[at], value[at])) return false;
        }
        return true;
    }

    bool prefix_items(const Json& rule, const Json&, const Json& value) {
        return !value.is_array() || each_has_its_own(rule, value);
    }

    // After `prefixItems` this is for the rest; a list of schemas is what `prefixItems` was called before.
    bool items(const Json& rule, const Json& schema, const Json& value) {
        if (!value.is_array()) return true;
        if (rule.is_array()) return each_has_its_own(rule, value);
        const auto prefix = schema.find("prefixItems");
        return holds_from(prefix == schema.end() ? 0 : prefix->size(), rule, value);
    }

    bool additional_items(const Json& rule, const Json& schema, const Json& value) {
        const auto prefix = schema.find("items");
        if (!value.is_array() || prefix == schema.end() || !prefix->is_array()) return true;
        return holds_from(prefix->size(), rule, value);
    }

    bool contains(const Json& rule, const Json& schema, const Json& value) {
        if (!value.is_array()) return true;
        const auto fits =
            std::count_if(value.begin(), value.end(), [&](const Json& each) { return would_hold(rule, each); });
        if (gave_up_) return false;
        const auto least = schema.find("minContains");
        const auto greatest = schema.find("maxContains");
        if (static_cast<long double>(fits) < (least == schema.end() ? 1.0L : number_of(*least))) {
            return broken("contains", "{} elements are as at least {} should be", fits,
                          least == schema.end() ? "1" : least->dump());
        }
        return greatest == schema.end() || static_cast<long double>(fits) <= number_of(*greatest) ||
               broken("maxContains", "{} elements are as at most {} should be", fits, greatest->dump());
    }

    bool unique(const Json& rule, const Json&, const Json& value) {
        if (!value.is_array() || !rule.get<bool>()) return true;
        std::unordered_set<std::string> seen;
        for (std::size_t at = 0; at < value.size(); ++at) {
            auto text = canonical(value[at]);
            if (!spend(1 + text.size() / 8)) return false;
            if (!seen.insert(std::move(text)).second) return broken("uniqueItems", "element {} is there before", at);
        }
        return true;
    }

    // --- of objects

    bool smallest(const Json& rule, const Json&, const Json& value) {
        return has_size(value.is_object(), "minProperties", rule, value);
    }
    bool largest(const Json& rule, const Json&, const Json& value) {
        return has_size(value.is_object(), "maxProperties", rule, value);
    }

    bool has_all(std::string_view keyword, const Json& names, const Json& value) {
        if (!spend(names.size())) return false;
        for (const auto& name : names) {
            const auto& text = name.get_ref<const std::string&>();
            if (!value.contains(text)) return broken(keyword, "there is no \"{}\"", text);
        }
        return true;
    }

    bool required(const Json& rule, const Json&, const Json& value) {
        return !value.is_object() || has_all("required", rule, value);
    }

    bool properties(const Json& rule, const Json&, const Json& value) {
        if (!value.is_object()) return true;
        if (!spend(rule.size())) return false;
        for (const auto& [name, schema] : rule.items()) {
            const auto member = value.find(name);
            if (member != value.end() && !holds_at(pointer_step(name), schema, *member)) return false;
        }
        return true;
    }

    bool pattern_properties(const Json& rule, const Json&, const Json& value) {
        if (!value.is_object()) return true;
        for (const auto& [pattern, schema] : rule.items()) {
            for (const auto& [name, member] : value.items()) {
                if (matches(pattern, name) && !holds_at(pointer_step(name), schema, member)) return false;
                if (gave_up_) return false;
            }
        }
        return true;
    }

    bool is_described(const std::string& name, const Json& schema) {
        const auto by_name = schema.find("properties");
        if (by_name != schema.end() && by_name->contains(name)) return true;
        const auto by_pattern = schema.find("patternProperties");
        if (by_pattern == schema.end()) return false;
        return std::any_of(by_pattern->items().begin(), by_pattern->items().end(),
                           [&](const auto& each) { return matches(each.key(), name); });
    }

    bool additional_properties(const Json& rule, const Json& schema, const Json& value) {
        if (!value.is_object()) return true;
        for (const auto& [name, member] : value.items()) {
            const bool is_known = is_described(name, schema);
            if (gave_up_) return false;
            if (is_known) continue;
            if (rule.is_boolean() && !rule.get<bool>()) {
                return broken("additionalProperties", "\"{}\" is not known", name);
            }
            if (!holds_at(pointer_step(name), rule, member)) return false;
        }
        return true;
    }

    bool property_names(const Json& rule, const Json&, const Json& value) {
        if (!value.is_object()) return true;
        for (const auto& [name, member] : value.items()) {
            if (!would_hold(rule, Json(name))) {
                return gave_up_ ? false : broken("propertyNames", "\"{}\" is not named as it should be", name);
            }
        }
        return true;
    }

    bool dependencies(const Json& rule, const Json&, const Json& value) {
        if (!value.is_object()) return true;
        if (!spend(rule.size())) return false;
        for (const auto& [name, needed] : rule.items()) {
            if (!value.contains(name)) continue;
            if (needed.is_array() ? !has_all("dependentRequired", needed, value) : !holds(needed, value)) return false;
        }
        return true;
    }

    const PayloadSchema::Compiled& schema_;
    const std::size_t most_steps_;
    std::string pointer_;
    std::optional<Violation> violation_;
    std::size_t steps_ = 0;
    std::size_t depth_ = 0;
    int quiet_ = 0;
    bool gave_up_ = false;
};

// By their names. What is not here is heeded by one of these, or says nothing about payloads.
const std::array<Check::Named, 34> Check::rules{{
    {"$ref", &Check::reference},
    {"additionalItems", &Check::additional_items},
    {"additionalProperties", &Check::additional_properties},
    {"allOf", &Check::all_of},
    {"anyOf", &Check::any_of},
    {"const", &Check::is_constant},
    {"contains", &Check::contains},
    {"dependencies", &Check::dependencies},
    {"dependentRequired", &Check::dependencies},
    {"dependentSchemas", &Check::dependencies},
    {"enum", &Check::is_one_of},
    {"exclusiveMaximum", &Check::below},
    {"exclusiveMinimum", &Check::above},
    {"if", &Check::if_then},
    {"items", &Check::items},
    {"maxItems", &Check::most},
    {"maxLength", &Check::longest},
    {"maxProperties", &Check::largest},
    {"maximum", &Check::maximum},
    {"minItems", &Check::fewest},
    {"minLength", &Check::shortest},
    {"minProperties", &Check::smallest},
    {"minimum", &Check::minimum},
    {"multipleOf", &Check::multiple},
    {"not", &Check::not_so},
    {"oneOf", &Check::one_of},
    {"pattern", &Check::pattern},
    {"patternProperties", &Check::pattern_properties},
    {"prefixItems", &Check::prefix_items},
    {"properties", &Check::properties},
    {"propertyNames", &Check::property_names},
    {"required", &Check::required},
    {"type", &Check::type},
    {"uniqueItems", &Check::unique},
}};

}  // namespace

std::optional<Violation> check_payload(const PayloadSchema::Compiled& schema, const Json& payload,
                                       std::size_t most_steps) {
    return Check{schema, most_steps}.run(payload);
}

}  // namespace millrace::engine
