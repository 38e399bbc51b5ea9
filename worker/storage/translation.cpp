#include "storage/translation.hpp"

#include "storage/error.hpp"

#include <array>
#include <string_view>

namespace millrace::storage {
namespace {

// libpq's rendering of an error: "ERROR:  text", then lines that begin with one of these.
constexpr std::array parts{"\nLINE ", "\nDETAIL:  ", "\nHINT:  ", "\nQUERY:  ", "\nCONTEXT:  "};

std::string_view until_next_part(std::string_view text) {
    auto end = text.size();
    for (const std::string_view part : parts) end = std::min(end, text.find(part));
    text = text.substr(0, end);
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    return text;
}

// libpqxx keeps the whole text but not the fields.
std::string_view part_of(std::string_view text, std::string_view label) {
    const auto start = text.find(label);
    return start == text.npos ? std::string_view{} : until_next_part(text.substr(start + label.size()));
}

std::string message_of(std::string_view text) {
    constexpr std::size_t longest_severity = 20;
    auto first = until_next_part(text);
    const auto colon = first.find(":  ");
    if (colon < longest_severity) first.remove_prefix(colon + 3);
    std::string message{first};
    if (const auto detail = part_of(text, "\nDETAIL:  "); !detail.empty()) {
        message.append(" (").append(detail).append(")");
    }
    return message;
}

[[noreturn]] void raise(const std::string& text, const std::string& sqlstate) {
    const auto message = message_of(text);
    const std::string hint{part_of(text, "\nHINT:  ")};
    if (sqlstate == "MR001") throw LeaseLost{message, sqlstate, hint};
    if (sqlstate == "MR002") throw SessionEnded{message, sqlstate, hint};
    if (sqlstate == "MR012") throw SchemaMismatch{message, sqlstate, hint};
    throw Error{message, sqlstate, hint};
}

// 08: connection; 57P01 … 57P03: the server is stopping, crashed or starting; 25006: it has become a standby, and
// another of the hosts in the connection string may be the primary by now.
bool means_lost(std::string_view sqlstate) {
    return sqlstate.starts_with("08") || sqlstate.starts_with("57P0") || sqlstate == "25006";
}

}  // namespace

void rethrow_translated(const pqxx::connection_base& connection) {
    try {
        throw;
    } catch (const pqxx::broken_connection& error) {
        throw ConnectionLost{message_of(error.what())};
    } catch (const pqxx::in_doubt_error& error) {
        throw ConnectionLost{message_of(error.what())};
    } catch (const pqxx::sql_error& error) {
        if (means_lost(error.sqlstate()) || !connection.is_open()) throw ConnectionLost{message_of(error.what())};
        raise(error.what(), error.sqlstate());
    } catch (const pqxx::serialization_failure& error) {  // these three bear no SQLSTATE in libpqxx 6.4
        raise(error.what(), "40001");
    } catch (const pqxx::deadlock_detected& error) {
        raise(error.what(), "40P01");
    } catch (const pqxx::statement_completion_unknown& error) {
        throw ConnectionLost{message_of(error.what())};
    } catch (const pqxx::failure& error) {
        if (!connection.is_open()) throw ConnectionLost{message_of(error.what())};
        raise(error.what(), "");
    }
}

}  // namespace millrace::storage
