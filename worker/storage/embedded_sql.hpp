#pragma once
// The migrations and functions this program was built with, in the order of `sql/install.sql`. Generated at build time.

#include <span>
#include <string_view>

namespace millrace::storage {

struct EmbeddedFile {
    std::string_view name;  // as in the source tree, e.g. "migrations/0001_create_roles.sql"
    std::string_view text;
};

[[nodiscard]] std::span<const EmbeddedFile> embedded_migrations();
[[nodiscard]] std::span<const EmbeddedFile> embedded_functions();

}  // namespace millrace::storage
