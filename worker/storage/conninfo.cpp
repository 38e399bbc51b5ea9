#include "storage/conninfo.hpp"

#include "storage/error.hpp"

#include <libpq-fe.h>

#include <map>
#include <memory>

namespace millrace::storage {
namespace {

struct Free {
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, Free>;

void gather(const Options& options, std::map<std::string, std::string>& into) {
    for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
        if (option->val != nullptr) into[option->keyword] = option->val;
    }
}

std::string quoted(const std::string& value) {
    std::string text{"'"};
    for (const char letter : value) {
        if (letter == '\'' || letter == '\\') text += '\\';
        text += letter;
    }
    return text + "'";
}

// A peer that is gone without a word is given up after some 20 s, less than the default lease: idle connections by
// keepalives, those with unacknowledged data by the user timeout.
const std::map<std::string, std::string> defaults{
    {"client_encoding", "UTF8"},  {"connect_timeout", "10"}, {"keepalives_idle", "10"},
    {"keepalives_interval", "3"}, {"keepalives_count", "3"}, {"tcp_user_timeout", "20000"},
};

}  // namespace

std::string completed_conninfo(const std::string& conninfo, const std::string& purpose) {
    char* complaint = nullptr;
    const Options parsed{PQconninfoParse(conninfo.c_str(), &complaint)};
    if (!parsed) {
        const std::string reason{complaint == nullptr ? "out of memory" : complaint};
        PQfreemem(complaint);
        throw Error{"bad connection string: " + reason, "08001",
                    "Write it as \"host=… dbname=…\" or postgresql://…, see libpq's documentation."};
    }
    std::map<std::string, std::string> said;
    gather(parsed, said);

    std::map<std::string, std::string> surroundings;
    gather(Options{PQconndefaults()}, surroundings);
    for (const auto& [keyword, value] : defaults) {
        if (!surroundings.contains(keyword)) said.try_emplace(keyword, value);
    }
    said["application_name"] = "millrace " + purpose;

    std::string text;
    for (const auto& [keyword, value] : said)
        text += keyword + "=" + quoted(value) + " ";
    return text;
}

}  // namespace millrace::storage
