#include "storage/schema_store.hpp"

#include "storage/array_literal.hpp"
#include "storage/translation.hpp"

namespace millrace::storage {

namespace {

constexpr auto changed_statement =
    "select p.version, p.schemas is null, s.key, s.value::text"
    "  from millrace.payload_schemas($1::text[], $2) p"
    "  left join lateral jsonb_each(p.schemas) s on true";

constexpr auto all_statement =
    "select s.key, s.value::text from millrace.payload_schemas() p cross join lateral jsonb_each(p.schemas) s";

constexpr auto one_statement = "select p.schemas ->> $1 from millrace.payload_schemas(array[$1]) p";

}  // namespace

std::optional<Schemas> SchemaStore::changed(std::span<const std::string> kinds, const std::string& known_version) {
    ArrayLiteral names;
    for (const auto& kind : kinds)
        names.add(kind);
    const auto rows = execute(session_, changed_statement, names.text(), known_version);
    if (rows.at(0).at(1).as<bool>()) return std::nullopt;
    Schemas schemas{rows.at(0).at(0).c_str(), {}};
    for (const auto& row : rows) {
        if (!row[2].is_null()) schemas.by_kind.emplace(row[2].c_str(), row[3].c_str());
    }
    return schemas;
}

std::optional<std::string> SchemaStore::schema(const std::string& kind) {
    const auto field = execute(session_, one_statement, kind).at(0).at(0);
    return field.is_null() ? std::nullopt : std::optional<std::string>{field.c_str()};
}

std::map<std::string, std::string> SchemaStore::all() {
    std::map<std::string, std::string> schemas;
    for (const auto& row : execute(session_, all_statement))
        schemas.emplace(row[0].c_str(), row[1].c_str());
    return schemas;
}

std::string SchemaStore::register_schema(const std::string& kind, const std::optional<std::string>& schema) {
    return execute(session_, "select millrace.register_schema($1, $2::jsonb)", kind, schema).at(0).at(0).c_str();
}

}  // namespace millrace::storage
