#include "engine/schema_keywords.hpp"

#include "core/nearest.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>
#include <vector>

namespace millrace::engine {

namespace {

using Json = nlohmann::json;

// What the value of a keyword must be.
enum class Shape {
    schema,        // for a part of the payload
    schema_here,   // for the same value
    schemas_here,  // a list of them, not empty
    schema_map,    // by name, for parts
    map_here,      // by name, for the same value
    pattern_map,   // by pattern, for parts
    parts,         // a schema, or a list of them: one for each element
    part_list,     // such a list
    dependencies,  // by name: a list of names, or a schema for the same value
    name_map,      // by name: a list of names
    names,         // a list of texts, none twice
    types,         // one of the seven, or a list of them
    values,        // a list, not empty
    pattern,
    reference,
    count,  // a whole number, not negative
    number,
    positive,
    boolean,
    dialect,
    label,  // at the top only
    anything,
    not_supported,
};

struct Keyword {
    std::string_view name;
    Shape shape;
};

constexpr std::array keywords{
    Keyword{"$anchor", Shape::not_supported},
    Keyword{"$comment", Shape::anything},
    Keyword{"$defs", Shape::schema_map},
    Keyword{"$dynamicAnchor", Shape::not_supported},
    Keyword{"$dynamicRef", Shape::not_supported},
    Keyword{"$id", Shape::label},
    Keyword{"$recursiveAnchor", Shape::not_supported},
    Keyword{"$recursiveRef", Shape::not_supported},
    Keyword{"$ref", Shape::reference},
    Keyword{"$schema", Shape::dialect},
    Keyword{"$vocabulary", Shape::not_supported},
    Keyword{"additionalItems", Shape::schema},
    Keyword{"additionalProperties", Shape::schema},
    Keyword{"allOf", Shape::schemas_here},
    Keyword{"anyOf", Shape::schemas_here},
    Keyword{"const", Shape::anything},
    Keyword{"contains", Shape::schema},
    Keyword{"contentEncoding", Shape::anything},
    Keyword{"contentMediaType", Shape::anything},
    Keyword{"default", Shape::anything},
    Keyword{"definitions", Shape::schema_map},
    Keyword{"dependencies", Shape::dependencies},
    Keyword{"dependentRequired", Shape::name_map},
    Keyword{"dependentSchemas", Shape::map_here},
    Keyword{"deprecated", Shape::anything},
    Keyword{"description", Shape::anything},
    Keyword{"else", Shape::schema_here},
    Keyword{"enum", Shape::values},
    Keyword{"examples", Shape::anything},
    Keyword{"exclusiveMaximum", Shape::number},
    Keyword{"exclusiveMinimum", Shape::number},
    Keyword{"format", Shape::anything},
    Keyword{"if", Shape::schema_here},
    Keyword{"items", Shape::parts},
    Keyword{"maxContains", Shape::count},
    Keyword{"maxItems", Shape::count},
    Keyword{"maxLength", Shape::count},
    Keyword{"maxProperties", Shape::count},
    Keyword{"maximum", Shape::number},
    Keyword{"minContains", Shape::count},
    Keyword{"minItems", Shape::count},
    Keyword{"minLength", Shape::count},
    Keyword{"minProperties", Shape::count},
    Keyword{"minimum", Shape::number},
    Keyword{"multipleOf", Shape::positive},
    Keyword{"not", Shape::schema_here},
    Keyword{"oneOf", Shape::schemas_here},
    Keyword{"pattern", Shape::pattern},
    Keyword{"patternProperties", Shape::pattern_map},
    Keyword{"prefixItems", Shape::part_list},
    Keyword{"properties", Shape::schema_map},
    Keyword{"propertyNames", Shape::schema},
    Keyword{"readOnly", Shape::anything},
    Keyword{"required", Shape::names},
    Keyword{"then", Shape::schema_here},
    Keyword{"title", Shape::anything},
    Keyword{"type", Shape::types},
    Keyword{"unevaluatedItems", Shape::not_supported},
    Keyword{"unevaluatedProperties", Shape::not_supported},
    Keyword{"uniqueItems", Shape::boolean},
    Keyword{"writeOnly", Shape::anything},
};

constexpr std::array types{"array", "boolean", "integer", "null", "number", "object", "string"};

constexpr std::array dialects{"json-schema.org/draft-06/schema", "json-schema.org/draft-07/schema",
                              "json-schema.org/draft/2019-09/schema", "json-schema.org/draft/2020-12/schema"};

[[noreturn]] void refuse(const std::string& where, std::string_view why) {
    throw BadSchema{fmt::format("{}: {}", where.empty() ? "the schema" : where, why)};
}

bool is_dialect(const Json& value) {
    if (!value.is_string()) return false;
    std::string_view name{value.get_ref<const std::string&>()};
    for (const std::string_view prefix : {"http://", "https://"}) {
        if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    }
    if (name.ends_with('#')) name.remove_suffix(1);
    return std::find(dialects.begin(), dialects.end(), name) != dialects.end();
}

bool is_type(const Json& value) {
    return value.is_string() &&
           std::find(types.begin(), types.end(), value.get_ref<const std::string&>()) != types.end();
}

bool are_names(const Json& value) {
    if (!value.is_array()) return false;
    std::unordered_set<std::string_view> seen;
    return std::all_of(value.begin(), value.end(), [&](const Json& name) {
        return name.is_string() && seen.insert(name.get_ref<const std::string&>()).second;
    });
}

// RFC 6901, as the fragment of a URI; nothing when it is none.
std::optional<std::string> decoded_fragment(std::string_view text) {
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    };
    std::string decoded;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            decoded += text[at];
            continue;
        }
        if (at + 2 >= text.size() || digit(text[at + 1]) < 0 || digit(text[at + 2]) < 0) return std::nullopt;
        decoded += static_cast<char>(digit(text[at + 1]) * 16 + digit(text[at + 2]));
        at += 2;
    }
    return decoded;
}

class Reading {
public:
    explicit Reading(PayloadSchema::Compiled& schema) : schema_{schema} {}

    void run() {
        read(*schema_.root, "");
        for (const auto& [text, where, holder] : references_)
            resolve(*text, where, *holder);
        for (const auto& [text, where, holder] : references_) {
            if (leads_back_to(*holder)) refuse(where, "leads back to itself without a step into the payload");
        }
    }

private:
    struct Reference {
        const Json* text;
        std::string where;
        const Json* holder;
    };

    void read(const Json& schema, const std::string& where) {
        schemas_.insert(&schema);
        if (schema.is_boolean()) return;
        if (!schema.is_object()) refuse(where, "a schema is an object, true or false");
        for (const auto& [name, value] : schema.items()) {
            const auto found = std::find_if(keywords.begin(), keywords.end(),
                                            [&key = name](const Keyword& keyword) { return keyword.name == key; });
            if (found != keywords.end()) {
                read_keyword(schema, found->shape, value, where + pointer_step(name));
            } else if (!name.starts_with("x-")) {
                refuse_unknown(name, where);
            }
        }
    }

    [[noreturn]] static void refuse_unknown(const std::string& name, const std::string& where) {
        std::vector<std::string> known;
        known.reserve(keywords.size());
        for (const auto& keyword : keywords)
            known.emplace_back(keyword.name);
        const auto meant = core::nearest(name, known);
        refuse(where + pointer_step(name), meant ? fmt::format("unknown keyword; did you mean \"{}\"?", *meant)
                                                 : std::string{"unknown keyword; one of your own would begin with x-"});
    }

    void read_here(const Json& holder, const Json& schema, const std::string& where) {
        here_[&holder].push_back(&schema);
        read(schema, where);
    }

    void read_all(const Json& list, const std::string& where, const Json* holder) {
        for (std::size_t at = 0; at < list.size(); ++at) {
            const auto place = fmt::format("{}/{}", where, at);
            holder == nullptr ? read(list[at], place) : read_here(*holder, list[at], place);
        }
    }

    void read_keyword(const Json& holder, Shape shape, const Json& value, const std::string& where) {
        switch (shape) {
            case Shape::schema:
                return read(value, where);
            case Shape::schema_here:
                return read_here(holder, value, where);
            case Shape::schemas_here:
                if (!value.is_array() || value.empty()) refuse(where, "a list of schemas is needed, not an empty one");
                return read_all(value, where, &holder);
            case Shape::parts:
                return value.is_array() ? read_all(value, where, nullptr) : read(value, where);
            case Shape::part_list:
                if (!value.is_array() || value.empty()) refuse(where, "a list of schemas is needed, not an empty one");
                return read_all(value, where, nullptr);
            case Shape::schema_map:
            case Shape::map_here:
            case Shape::pattern_map:
            case Shape::dependencies:
            case Shape::name_map:
                return read_map(holder, shape, value, where);
            case Shape::pattern:
                if (!value.is_string()) refuse(where, "a pattern is a text");
                return read_pattern(value.get_ref<const std::string&>(), where);
            case Shape::reference:
                references_.push_back({&value, where, &holder});
                return;
            default:
                read_plain(shape, value, where);
        }
    }

    static void read_plain(Shape shape, const Json& value, const std::string& where) {
        const bool is_count = value.is_number_unsigned() || (value.is_number_float() && value >= 0 && value < 1e15 &&
                                                             value == value.get<std::int64_t>());
        if (shape == Shape::names && !are_names(value)) refuse(where, "a list of texts is needed, none of them twice");
        if (shape == Shape::values && (!value.is_array() || value.empty())) {
            refuse(where, "a list of values is needed, not an empty one");
        }
        if (shape == Shape::count && !is_count) refuse(where, "a whole number is needed, 0 or more");
        if (shape == Shape::number && !value.is_number()) refuse(where, "a number is needed");
        if (shape == Shape::positive && !(value.is_number() && value > 0)) refuse(where, "a number above 0 is needed");
        if (shape == Shape::boolean && !value.is_boolean()) refuse(where, "true or false is needed");
        if (shape == Shape::label && where != "/$id") refuse(where, "is understood at the top only");
        if (shape == Shape::not_supported) refuse(where, "is not supported here");
        if (shape == Shape::dialect && !is_dialect(value)) {
            refuse(where, "another dialect; drafts 6, 7, 2019-09 and 2020-12 are understood");
        }
        if (shape == Shape::types) {
            const bool fits =
                value.is_array() ? !value.empty() && std::all_of(value.begin(), value.end(), is_type) : is_type(value);
            if (!fits) refuse(where, "one of array, boolean, integer, null, number, object, string, or a list of them");
        }
    }

    void read_map(const Json& holder, Shape shape, const Json& map, const std::string& where) {
        if (!map.is_object()) refuse(where, "an object is needed");
        for (const auto& [name, value] : map.items()) {
            const auto place = where + pointer_step(name);
            if (shape == Shape::pattern_map) read_pattern(name, place);
            if (shape == Shape::name_map || (shape == Shape::dependencies && value.is_array())) {
                read_plain(Shape::names, value, place);
            } else if (shape == Shape::map_here || shape == Shape::dependencies) {
                read_here(holder, value, place);
            } else {
                read(value, place);
            }
        }
    }

    void read_pattern(const std::string& text, const std::string& where) {
        constexpr std::int64_t most_bytes = std::int64_t{1} << 20;  // of memory, each
        if (schema_.patterns.contains(text)) return;
        if (schema_.patterns.size() == PayloadSchema::most_patterns) {
            refuse(where, fmt::format("more than {} patterns", PayloadSchema::most_patterns));
        }
        RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(most_bytes);
        auto pattern = std::make_unique<RE2>(text, options);
        if (!pattern->ok()) refuse(where, fmt::format("not a pattern that RE2 understands: {}", pattern->error()));
        schema_.patterns.emplace(text, std::move(pattern));
    }

    void resolve(const Json& text, const std::string& where, const Json& holder) {
        constexpr auto rule = "a text such as \"#/$defs/name\" is needed, which leads to a schema within this one";
        if (!text.is_string()) refuse(where, rule);
        const std::string_view reference{text.get_ref<const std::string&>()};
        const auto pointer = reference.starts_with('#') ? decoded_fragment(reference.substr(1)) : std::nullopt;
        if (!pointer) refuse(where, rule);
        const Json* target = nullptr;
        try {
            const Json::json_pointer place{*pointer};
            if (schema_.root->contains(place)) target = &schema_.root->at(place);
        } catch (const Json::exception&) {  // no pointer
        }
        if (target == nullptr || !schemas_.contains(target)) refuse(where, rule);
        schema_.references.emplace(&text, target);
        here_[&holder].push_back(target);
    }

    // Through references and whatever else looks at the same value.
    bool leads_back_to(const Json& start) const {
        std::unordered_set<const Json*> seen;
        std::vector<const Json*> waiting{&start};
        while (!waiting.empty()) {
            const auto* schema = waiting.back();
            waiting.pop_back();
            const auto found = here_.find(schema);
            if (found == here_.end()) continue;
            for (const auto* next : found->second) {
                if (next == &start) return true;
                if (seen.insert(next).second) waiting.push_back(next);
            }
        }
        return false;
    }

    PayloadSchema::Compiled& schema_;
    std::unordered_set<const Json*> schemas_;
    std::unordered_map<const Json*, std::vector<const Json*>> here_;  // what else looks at the same value
    std::vector<Reference> references_;
};

}  // namespace

std::size_t levels_of(std::string_view text) {
    std::size_t level = 0;
    std::size_t deepest = 0;
    bool is_quoted = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (is_quoted) {
            if (c == '\\') ++at;
            if (c == '"') is_quoted = false;
        } else if (c == '"') {
            is_quoted = true;
        } else if (c == '[' || c == '{') {
            deepest = std::max(deepest, ++level);
        } else if ((c == ']' || c == '}') && level > 0) {
            --level;
        }
    }
    return deepest;
}

std::string pointer_step(std::string_view name) {
    std::string step{"/"};
    for (const char c : name) {
        if (c == '~') {
            step += "~0";
        } else if (c == '/') {
            step += "~1";
        } else {
            step += c;
        }
    }
    return step;
}

PayloadSchema::Compiled::Compiled(std::unique_ptr<const nlohmann::json> json) : root{std::move(json)} {}
PayloadSchema::Compiled::~Compiled() = default;

void compile(PayloadSchema::Compiled& schema) {
    Reading{schema}.run();
}

}  // namespace millrace::engine
