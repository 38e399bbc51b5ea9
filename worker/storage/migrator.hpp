#pragma once
// Brings a database's schema up to what this program was built for, and says whether it is.
//
//     the ledger millrace.migration          remembers each migration's number and checksum
//     the row of millrace.function_set       remembers the checksum of all functions and views together
//
// A migration is applied once, in a transaction that also enters it into the ledger; the functions are replaced as a
// whole, in one transaction, whenever their text differs. Each such step waits for its turn (an advisory lock held to
// the end of the step), reads the ledger and does what is first in line: any number of migrators may run at once, each
// step is done by one of them, and one that dies leaves nothing half done. No lock outlives a transaction, so that a
// connection pooler may stand between.
//
// What does not fit is refused, never repaired: a migration changed after it was applied, one left out, a database
// that is newer than this program.
//
// Thread rule: one thread.

#include "storage/embedded_sql.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::storage {

struct SchemaFiles {
    std::span<const EmbeddedFile> migrations = embedded_migrations();
    std::span<const EmbeddedFile> functions = embedded_functions();
};

struct MigrationState {
    enum class Verdict {
        applied,
        pending,
        changed,  // applied with another text
        missing,  // not applied, though a later one is
        unknown,  // applied, but this program does not have it
    };
    int number = 0;
    std::string name;
    Verdict verdict = Verdict::pending;
    std::string applied_at;  // ISO 8601, UTC; empty unless applied
    std::string applied_by;
};

enum class FunctionsState { current, pending };

struct SchemaState {
    std::vector<MigrationState> migrations;  // in the order of their numbers
    FunctionsState functions = FunctionsState::pending;
};

class Migrator {
public:
    // A statement that waits for a table longer than `lock_timeout` is given up, because everybody else waits behind
    // it; the step is tried again after a pause that doubles.
    struct Patience {
        std::chrono::milliseconds lock_timeout{std::chrono::seconds{5}};
        std::chrono::milliseconds first_pause{std::chrono::milliseconds{500}};
        int tries = 8;
    };

    explicit Migrator(const SessionFactory& sessions, SchemaFiles files = {}) : Migrator{sessions, files, Patience{}} {}
    Migrator(const SessionFactory& sessions, SchemaFiles files, Patience patience);

    // Changes nothing.
    [[nodiscard]] SchemaState state();

    // Applies all that is pending and calls `announce` after each step with its name; returns the number of steps.
    // Throws SchemaMismatch when something does not fit, Error with SQLSTATE 55P03 when patience ran out.
    using Announce = std::function<void(const std::string& step)>;
    int up(const Announce& announce, const std::stop_token& stop = {});

private:
    std::optional<std::string> take_turn();
    std::optional<std::string> take_turn_patiently(const std::stop_token& stop);

    std::unique_ptr<Session> session_;
    const SchemaFiles files_;
    const Patience patience_;
};

// Throws SchemaMismatch, with what is there, what is expected and the remedy, unless all is applied and nothing else.
// What does not fit a program must not be worked on by it.
void verify_schema(Session& session, SchemaFiles files = {});

// The same for a program that works here already. A newer release may upgrade the schema under it, and its functions
// serve this program, too, until it is replaced (docs/deployment.md). False when that has happened.
[[nodiscard]] bool verify_upgraded_schema(Session& session, SchemaFiles files = {});

// Throws SchemaMismatch when `state` is one that migrating cannot mend.
void refuse_misfit(const SchemaState& state);

}  // namespace millrace::storage
