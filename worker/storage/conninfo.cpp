#include "storage/conninfo.hpp"

#include "storage/error.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

namespace millrace::storage {
namespace {

struct Free {
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, Free>;
struct Finish {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};

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

// What libpq could not read, it quotes behind one of these words. It may be a part of the password, which a blank or a
// bracket in it has split.
std::string without_quotations(std::string reason) {
    auto first = std::string::npos;
    for (const std::string_view before : {"after \"", "option \"", ": \""}) {
        if (const auto found = reason.find(before); found != std::string::npos) {
            first = std::min(first, found + before.size() - 1);
        }
    }
    if (first == std::string::npos) first = reason.find('"');
    if (first != std::string::npos) reason.replace(first, reason.rfind('"') - first + 1, "\"…\"");
    return reason;
}

// A password with an unescaped @ or / ends in the host or the port, which every later complaint would repeat.
void refuse_split_passwords(const std::map<std::string, std::string>& said) {
    constexpr auto remedy = "In a URI, write @ within a user or password as %40, / as %2F and : as %3A.";
    if (const auto port = said.find("port");
        port != said.end() && port->second.find_first_not_of("0123456789, ") != std::string::npos) {
        throw Error{"bad connection string: the port is no number", "08001", remedy};
    }
    const auto hosts = said.find("host");
    if (hosts == said.end()) return;
    std::istringstream list{hosts->second};
    for (std::string host; std::getline(list, host, ',');) {
        const bool is_socket = host.starts_with('/') || host.starts_with('@');
        if (!is_socket && host.find('@') != std::string::npos) {
            throw Error{"bad connection string: a host with an @", "08001", remedy};
        }
    }
}

// What a service file says, libpq tells of a connection only. This one leads nowhere: nobody is asked, and nothing is
// waited for, no password file is opened. A service that is not to be found says nothing: the real connection complains
// of it.
Options of_service(const std::string& service) {
    const auto conninfo = "service=" + quoted(service) + " host=/dev/null hostaddr='' password=-";
    const std::unique_ptr<PGconn, Finish> connection{PQconnectStart(conninfo.c_str())};
    return Options{PQconninfo(connection.get())};
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
        throw Error{"bad connection string: " + without_quotations(reason), "08001",
                    "Write it as \"host=… dbname=…\" or postgresql://…, see libpq's documentation."};
    }
    std::map<std::string, std::string> said;
    gather(parsed, said);
    refuse_split_passwords(said);

    std::map<std::string, std::string> surroundings;
    gather(Options{PQconndefaults()}, surroundings);
    if (const auto service = said.find("service"); service != said.end()) {
        gather(of_service(service->second), surroundings);
    }
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
