#include "storage/translation.hpp"

#include "storage/error.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace millrace::storage {
namespace {

// libpqxx keeps libpq's rendering of an error but not its fields, and for some errors not even the SQLSTATE. Sessions
// therefore ask for the verbose form: "ERROR:  MR003: text", then lines that begin with one of these.
constexpr std::array parts{
    "\nLINE ",          "\nDETAIL:  ",     "\nHINT:  ",        "\nQUERY:  ",         "\nCONTEXT:  ",
    "\nSCHEMA NAME:  ", "\nTABLE NAME:  ", "\nCOLUMN NAME:  ", "\nDATATYPE NAME:  ", "\nCONSTRAINT NAME:  ",
    "\nLOCATION:  "};

struct ServerError {
    std::string sqlstate;
    std::string message;  // with the detail
    std::string hint;
};

std::string_view until_next_part(std::string_view text) {
    auto end = text.size();
    for (const std::string_view part : parts)
        end = std::min(end, text.find(part));
    text = text.substr(0, end);
    while (!text.empty() && text.back() == '\n')
        text.remove_suffix(1);
    return text;
}

std::string_view part_of(std::string_view text, std::string_view label) {
    const auto start = text.find(label);
    return start == text.npos ? std::string_view{} : until_next_part(text.substr(start + label.size()));
}

bool is_sqlstate(std::string_view text) {
    const auto fits = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
    return std::all_of(text.begin(), text.end(), fits);
}

ServerError parsed(std::string_view text) {
    constexpr std::string_view after_severity{":  "};
    constexpr std::string_view after_sqlstate{": "};
    constexpr std::size_t longest_severity = 20;
    constexpr std::size_t sqlstate_length = 5;
    ServerError error;
    auto first = until_next_part(text);
    if (const auto colon = first.find(after_severity); colon < longest_severity) {
        first.remove_prefix(colon + after_severity.size());
    }
    if (first.find(after_sqlstate) == sqlstate_length && is_sqlstate(first.substr(0, sqlstate_length))) {
        error.sqlstate = first.substr(0, sqlstate_length);
        first.remove_prefix(sqlstate_length + after_sqlstate.size());
    }
    error.message = first;
    if (const auto detail = part_of(text, "\nDETAIL:  "); !detail.empty()) {
        error.message.append(" (").append(detail).append(")");
    }
    error.hint = part_of(text, "\nHINT:  ");
    return error;
}

// 08: connection; 57P01 … 57P03: the server is stopping, crashed or starting; 25006: it has become a standby, and
// another of the hosts in the connection string may be the primary by now.
bool means_lost(std::string_view sqlstate) {
    return sqlstate.starts_with("08") || sqlstate.starts_with("57P0") || sqlstate == "25006";
}

[[noreturn]] void raise(const ServerError& error) {
    const auto& [sqlstate, message, hint] = error;
    if (means_lost(sqlstate)) throw ConnectionLost{message};
    if (sqlstate == "MR001") throw LeaseLost{message, sqlstate, hint};
    if (sqlstate == "MR002") throw SessionEnded{message, sqlstate, hint};
    if (sqlstate == "MR012") throw SchemaMismatch{message, sqlstate, hint};
    throw Error{message, sqlstate, hint};
}

}  // namespace

void rethrow_translated(const pqxx::connection_base& connection) {
    try {
        throw;
    } catch (const pqxx::broken_connection& error) {
        throw ConnectionLost{parsed(error.what()).message};
    } catch (const pqxx::in_doubt_error& error) {
        throw ConnectionLost{parsed(error.what()).message};
    } catch (const pqxx::statement_completion_unknown& error) {
        throw ConnectionLost{parsed(error.what()).message};
    } catch (const pqxx::failure& error) {
        auto refusal = parsed(error.what());
        if (!connection.is_open()) throw ConnectionLost{refusal.message};
        raise(refusal);
    }
}

}  // namespace millrace::storage
