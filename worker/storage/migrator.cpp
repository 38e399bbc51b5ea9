#include "storage/migrator.hpp"

#include "storage/error.hpp"
#include "storage/translation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <map>
#include <mutex>

namespace millrace::storage {

namespace {

using Verdict = MigrationState::Verdict;

constexpr std::int64_t turn_lock = 7709202;  // sql/install.sql takes the same
constexpr auto functions_step = "functions and views";
constexpr auto up_remedy = "Run: millrace migrate up";

struct LedgerRow {
    std::string name;
    std::string checksum;
    std::string applied_at;
    std::string applied_by;
};

struct Ledger {
    std::map<int, LedgerRow> rows;
    std::string functions_checksum;
};

[[noreturn]] void raise_mismatch(const std::string& message, const std::string& hint) {
    throw SchemaMismatch{message, "MR012", hint};
}

// "migrations/0001_create_roles.sql" is 0001_create_roles.
std::string step_name(const EmbeddedFile& file) {
    auto name = file.name.substr(file.name.rfind('/') + 1);
    if (name.ends_with(".sql")) name.remove_suffix(4);
    return std::string{name};
}

int step_number(const std::string& name) {
    int number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return number;
}

std::string trimmed(std::string text) {
    text.erase(text.find_last_not_of('\n') + 1);
    return text;
}

std::string text_of(std::span<const EmbeddedFile> files) {
    std::string text;
    for (const auto& file : files)
        text += file.text;
    return text;
}

std::string checksum_of(Transaction& transaction, const std::string& text) {
    // As bytes: a text would be converted from the client's encoding first.
    return execute(transaction, "select encode(sha256($1), 'hex')", pqxx::binarystring{trimmed(text)})
        .at(0)
        .at(0)
        .as<std::string>();
}

Ledger read_ledger(Transaction& transaction) {
    Ledger ledger;
    const auto there = execute(transaction,
                               "select to_regclass('millrace.migration') is not null"
                               "   and to_regclass('millrace.function_set') is not null");
    if (!there.at(0).at(0).as<bool>()) return ledger;
    for (const auto& row : execute(transaction,
                                   "select number, name, checksum,"
                                   "       to_char(applied_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
                                   "       applied_by"
                                   "  from millrace.migration order by number")) {
        ledger.rows[row[0].as<int>()] = {.name = row[1].c_str(),
                                         .checksum = row[2].c_str(),
                                         .applied_at = row[3].c_str(),
                                         .applied_by = row[4].c_str()};
    }
    const auto functions = execute(transaction, "select checksum from millrace.function_set");
    if (!functions.empty()) ledger.functions_checksum = functions.at(0).at(0).c_str();
    return ledger;
}

SchemaState read_state(Transaction& transaction, const SchemaFiles& files) {
    auto ledger = read_ledger(transaction);
    const int newest = ledger.rows.empty() ? 0 : ledger.rows.rbegin()->first;
    SchemaState state;
    for (const auto& file : files.migrations) {
        MigrationState migration;
        migration.name = step_name(file);
        migration.number = step_number(migration.name);
        if (const auto row = ledger.rows.find(migration.number); row == ledger.rows.end()) {
            migration.verdict = migration.number < newest ? Verdict::missing : Verdict::pending;
        } else {
            const bool same = row->second.checksum == checksum_of(transaction, std::string{file.text});
            migration.verdict = same ? Verdict::applied : Verdict::changed;
            migration.applied_at = row->second.applied_at;
            migration.applied_by = row->second.applied_by;
            ledger.rows.erase(row);
        }
        state.migrations.push_back(std::move(migration));
    }
    for (const auto& [number, row] : ledger.rows) {
        state.migrations.push_back({.number = number,
                                    .name = row.name,
                                    .verdict = Verdict::unknown,
                                    .applied_at = row.applied_at,
                                    .applied_by = row.applied_by});
    }
    if (ledger.functions_checksum == checksum_of(transaction, text_of(files.functions))) {
        state.functions = FunctionsState::current;
    }
    return state;
}

const MigrationState* first_with(const SchemaState& state, Verdict verdict) {
    const auto found = std::find_if(state.migrations.begin(), state.migrations.end(),
                                    [&](const MigrationState& migration) { return migration.verdict == verdict; });
    return found == state.migrations.end() ? nullptr : &*found;
}

// A whole file: several statements in one message, which parameters do not allow.
void run_text(Transaction& transaction, std::string_view text) {
    translated(transaction.work().conn(), [&] { transaction.work().exec(std::string{text}); });
}

// Nothing that others have put into the database is found in place of what the migrations mean. Of the transaction
// alone: behind a pooler the connection is somebody else's afterwards.
void look_nowhere_else(Transaction& transaction) {
    execute(transaction, "set local search_path = pg_catalog, pg_temp");
}

void apply_migration(Transaction& transaction, const EmbeddedFile& file) {
    const auto name = step_name(file);
    run_text(transaction, file.text);
    execute(transaction, "insert into millrace.migration (number, name, checksum) values ($1, $2, $3)",
            step_number(name), name, checksum_of(transaction, std::string{file.text}));
}

void apply_functions(Transaction& transaction, std::span<const EmbeddedFile> files) {
    execute(transaction, "set local role millrace_owner");
    for (const auto& file : files)
        run_text(transaction, file.text);
    execute(transaction,
            "insert into millrace.function_set (checksum) values ($1)"
            " on conflict (singleton) do update set checksum = excluded.checksum, applied_at = clock_timestamp()",
            checksum_of(transaction, text_of(files)));
}

// What nobody could have made by upgrading.
void refuse_damage(const SchemaState& state) {
    if (const auto* changed = first_with(state, Verdict::changed)) {
        raise_mismatch(
            fmt::format("migration {} was changed after it was applied at {}", changed->name, changed->applied_at),
            fmt::format("Restore migrations/{}.sql as it was released; put the change into a new migration.",
                        changed->name));
    }
    if (const auto* missing = first_with(state, Verdict::missing)) {
        raise_mismatch(
            fmt::format("migration {} was never applied, though a later one was", missing->name),
            fmt::format("The ledger millrace.migration has a gap. Restore the database from before it; or, if "
                        "migrations/{}.sql is new, give it the next free number.",
                        missing->name));
    }
}

// Fewer migrations than this program has.
void refuse_older(const SchemaState& state) {
    const auto* pending = first_with(state, Verdict::pending);
    if (pending == nullptr) return;
    const auto& expected = std::find_if(state.migrations.rbegin(), state.migrations.rend(), [](const auto& migration) {
                               return migration.verdict != Verdict::unknown;
                           })->name;
    if (pending->number == state.migrations.front().number) {
        raise_mismatch(
            fmt::format("this database has no millrace schema; expected is one up to migration {}", expected),
            up_remedy);
    }
    raise_mismatch(
        fmt::format("the schema ends before migration {}; expected is one up to {}", pending->name, expected),
        up_remedy);
}

}  // namespace

void refuse_misfit(const SchemaState& state) {
    refuse_damage(state);
    if (const auto* unknown = first_with(state, Verdict::unknown)) {
        raise_mismatch(
            fmt::format("the database is newer than this program, which does not know migration {}", unknown->name),
            "Use the release that applied it, or a later one. Workers of this one that run already may go on.");
    }
}

Migrator::Migrator(const SessionFactory& sessions, SchemaFiles files, Patience patience)
    : session_{sessions.open("migrate")}, files_{files}, patience_{patience} {}

SchemaState Migrator::state() {
    Transaction transaction{*session_};
    look_nowhere_else(transaction);
    return read_state(transaction, files_);
}

std::optional<std::string> Migrator::take_turn() {
    Transaction transaction{*session_};
    // A snapshot from before the wait would not see what the others did meanwhile.
    execute(transaction, "set transaction isolation level read committed");
    look_nowhere_else(transaction);
    execute(transaction, "select pg_advisory_xact_lock($1)", turn_lock);
    execute(transaction, "select pg_catalog.set_config('lock_timeout', $1, true)",
            std::to_string(patience_.lock_timeout.count()));

    const auto state = read_state(transaction, files_);
    refuse_misfit(state);
    if (const auto* pending = first_with(state, Verdict::pending)) {
        const auto at = static_cast<std::size_t>(pending - state.migrations.data());
        apply_migration(transaction, files_.migrations[at]);
        transaction.commit();
        return pending->name;
    }
    if (state.functions == FunctionsState::pending) {
        apply_functions(transaction, files_.functions);
        transaction.commit();
        return functions_step;
    }
    return std::nullopt;
}

std::optional<std::string> Migrator::take_turn_patiently(const std::stop_token& stop) {
    auto pause = patience_.first_pause;
    for (int tries = 1;; ++tries) {
        try {
            return take_turn();
        } catch (const Error& error) {
            // Too long, or in a circle with somebody who locks the same tables in another order.
            const bool was_locked_out = error.sqlstate() == "55P03" || error.sqlstate() == "40P01";
            if (!was_locked_out || tries >= patience_.tries || stop.stop_requested()) throw;
        }
        std::mutex mutex;
        std::condition_variable_any stopped;
        std::unique_lock lock{mutex};
        stopped.wait_for(lock, stop, pause, [] { return false; });
        pause *= 2;
    }
}

int Migrator::up(const Announce& announce, const std::stop_token& stop) {
    int steps = 0;
    while (const auto step = take_turn_patiently(stop)) {
        announce(*step);
        ++steps;
    }
    return steps;
}

void verify_schema(Session& session, SchemaFiles files) {
    Transaction transaction{session};
    const auto state = read_state(transaction, files);
    refuse_misfit(state);
    refuse_older(state);
    if (state.functions == FunctionsState::pending) {
        raise_mismatch("the functions of schema millrace are not those of this program", up_remedy);
    }
}

bool verify_upgraded_schema(Session& session, SchemaFiles files) {
    Transaction transaction{session};
    const auto state = read_state(transaction, files);
    refuse_damage(state);
    refuse_older(state);
    return state.functions == FunctionsState::current && first_with(state, Verdict::unknown) == nullptr;
}

}  // namespace millrace::storage
