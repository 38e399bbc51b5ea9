// Connection strings: database.url of the settings, as a person wrote it, passwords with every character included.
//
// Property: what libpq understands means the same after our additions; a refusal repeats no part of a password.

#include "fuzz/input.hpp"
#include "storage/conninfo.hpp"
#include "storage/error.hpp"

#include <libpq-fe.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>

namespace millrace::fuzz {
namespace {

constexpr std::string_view secret_start{"s3cr3t-"};
constexpr std::string_view secret_end{"-t3rc3s"};

// What libpq reads in it; without the keywords that are not given.
std::map<std::string, std::string> understood(const std::string& conninfo) {
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options{
        PQconninfoParse(conninfo.c_str(), nullptr), &PQconninfoFree};
    require(options != nullptr, "what is accepted is understood by libpq", conninfo);
    std::map<std::string, std::string> values;
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) values[option->keyword] = option->val;
    }
    return values;
}

void require_same_meaning(const std::string& conninfo) {
    std::string completed;
    try {
        completed = storage::completed_conninfo(conninfo, "fuzz");
    } catch (const storage::Error& error) {
        require(std::string_view{error.what()}.starts_with("bad connection string: "),
                "a refusal says what it is about", error.what());
        require(!error.hint().empty(), "a refusal names the remedy", error.what());
        return;
    }
    const auto result = understood(completed);
    for (const auto& [keyword, value] : understood(conninfo)) {
        if (keyword == "application_name") continue;
        const auto found = result.find(keyword);
        require(found != result.end() && found->second == value, "what was given stands", completed);
    }
    require(result.at("application_name") == "millrace fuzz", "the application name is ours", completed);
}

void require_discretion(const std::string& conninfo) {
    try {
        static_cast<void>(storage::completed_conninfo(conninfo, "fuzz"));
    } catch (const storage::Error& error) {
        const auto said = std::string{error.what()} + error.hint();
        require(said.find(secret_start) == said.npos && said.find(secret_end) == said.npos,
                "a refusal repeats no part of a password", said);
    }
}

}  // namespace

void try_input(std::string_view bytes) {
    static const bool is_alone = clearenv() == 0;  // libpq's own variables would answer for the string
    require(is_alone, "no variables");
    require_same_meaning(std::string{bytes});
    const auto secret = std::string{secret_start}.append(bytes).append(secret_end);
    require_discretion("postgresql://shop:" + secret + "@db.example.org/shop");
    require_discretion("host=db.example.org password=" + secret + " dbname=shop");
    require_discretion("host=db.example.org password='" + secret + "' dbname=shop");
}

}  // namespace millrace::fuzz
