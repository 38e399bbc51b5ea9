# Writes OUTPUT, the C++ source that holds the files which sql/install.sql lists (worker/storage/embedded_sql.hpp).

file(STRINGS ${SOURCE_DIR}/sql/install.sql lines REGEX "^\\\\ir (\\.\\./migrations|queue|notify|forks|pipeline|ops)/")
set(migrations "")
set(functions "")
foreach(line IN LISTS lines)
    string(REGEX REPLACE "^\\\\ir (.*)$" "\\1" path "${line}")
    if(path MATCHES "^\\.\\./migrations/")
        string(REGEX REPLACE "^\\.\\./" "" name "${path}")
        set(list migrations)
    else()
        set(name "sql/${path}")
        set(list functions)
    endif()
    file(READ ${SOURCE_DIR}/${name} text)
    string(APPEND ${list} "    EmbeddedFile{\"${name}\", R\"~sql~(${text})~sql~\"sv},\n")
endforeach()

set(source "// Generated from sql/install.sql by tests/support/cmake/embed_sql.cmake.

#include \"storage/embedded_sql.hpp\"

namespace millrace::storage {

namespace {

using namespace std::string_view_literals;  // the length is the literal's: nobody counts a million letters

constexpr EmbeddedFile migrations[] = {
${migrations}};

constexpr EmbeddedFile functions[] = {
${functions}};

}  // namespace

std::span<const EmbeddedFile> embedded_migrations() { return migrations; }
std::span<const EmbeddedFile> embedded_functions() { return functions; }

}  // namespace millrace::storage
")
file(WRITE ${OUTPUT} "${source}")
