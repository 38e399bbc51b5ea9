#pragma once
// The JSON Schemas of kinds, as the server keeps them.
//
// Thread rule: as the Session.

#include "storage/session.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>

namespace millrace::storage {

struct Schemas {
    std::string version;
    std::map<std::string, std::string> by_kind;  // JSON texts
};

class SchemaStore {
public:
    explicit SchemaStore(Session& session) : session_{session} {}

    // Nothing: they are still those of the known version.
    [[nodiscard]] std::optional<Schemas> changed(std::span<const std::string> kinds, const std::string& known_version);
    [[nodiscard]] std::optional<std::string> schema(const std::string& kind);
    [[nodiscard]] std::map<std::string, std::string> all();

    // Without a schema: removes it. Returns registered, changed, unchanged or removed.
    std::string register_schema(const std::string& kind, const std::optional<std::string>& schema);

private:
    Session& session_;
};

}  // namespace millrace::storage
