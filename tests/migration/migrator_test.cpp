#include "storage/migrator.hpp"

#include "storage/error.hpp"
#include "support/database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include <array>
#include <atomic>
#include <thread>

namespace millrace::storage {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

using Steps = std::vector<std::string>;

// A database without millrace.
class MigratorTest : public ::testing::Test {
protected:
    MigratorTest() : sessions_{database_.admin_conninfo()} {
        database_.execute("drop schema if exists millrace, forks, pipeline, notify cascade");
    }

    Steps up(SchemaFiles files = {}) {
        Steps steps;
        Migrator{sessions_, files}.up([&](const std::string& step) { steps.push_back(step); });
        return steps;
    }

    // What is refused, with its remedy; empty when it is not.
    std::string refusal(SchemaFiles files = {}) {
        try {
            up(files);
            return "";
        } catch (const Error& error) {
            return error.sqlstate() + ": " + error.what() + " | " + error.hint();
        }
    }

    std::string verification(SchemaFiles files = {}) {
        try {
            const auto session = sessions_.open("test");
            verify_schema(*session, files);
            return "";
        } catch (const SchemaMismatch& error) {
            return std::string{error.what()} + " | " + error.hint();
        }
    }

    // Of a program that works already; "upgraded" when the schema is a newer one's.
    std::string verification_at_work(SchemaFiles files = {}) {
        try {
            const auto session = sessions_.open("test");
            return verify_upgraded_schema(*session, files) ? "" : "upgraded";
        } catch (const SchemaMismatch& error) {
            return std::string{error.what()} + " | " + error.hint();
        }
    }

    std::string ledger() {
        return database_.value(
            "select string_agg(format('%s %s %s', number, name, checksum), e'\\n' order by number)"
            "  from millrace.migration");
    }

    testing::Database database_;
    SessionFactory sessions_;
};

std::vector<EmbeddedFile> with_another(std::string_view name, std::string_view text) {
    const auto files = embedded_migrations();
    std::vector<EmbeddedFile> more{files.begin(), files.end()};
    more.push_back({name, text});
    return more;
}

TEST(EmbeddedMigrations, are_numbered_from_one_without_a_gap) {
    int number = 0;
    for (const auto& file : embedded_migrations()) {
        const auto name = file.name.substr(file.name.rfind('/') + 1);
        EXPECT_EQ(std::stoi(std::string{name}), ++number) << name;
    }
    EXPECT_GT(number, 0);
    EXPECT_FALSE(embedded_functions().empty());
}

TEST_F(MigratorTest, applies_everything_in_order_and_the_second_time_nothing) {
    const auto steps = up();
    ASSERT_EQ(steps.size(), embedded_migrations().size() + 1);
    EXPECT_THAT(steps.front(), HasSubstr("0001_"));
    EXPECT_EQ(steps.back(), "functions and views");
    EXPECT_EQ(database_.value("select count(*) from millrace.migration"), std::to_string(embedded_migrations().size()));
    EXPECT_EQ(verification(), "");
    EXPECT_THAT(up(), ElementsAre());
}

TEST_F(MigratorTest, shows_what_is_applied_and_what_is_pending) {
    Migrator migrator{sessions_};
    const auto before = migrator.state();
    EXPECT_EQ(before.migrations.front().verdict, MigrationState::Verdict::pending);
    EXPECT_EQ(before.functions, FunctionsState::pending);
    EXPECT_EQ(database_.value("select to_regnamespace('millrace')"), "") << "looking changed something";
    migrator.up([](const std::string&) {});
    const auto after = migrator.state();
    EXPECT_EQ(after.migrations.back().verdict, MigrationState::Verdict::applied);
    EXPECT_THAT(after.migrations.back().applied_at, HasSubstr("T"));
    EXPECT_EQ(after.functions, FunctionsState::current);
}

TEST_F(MigratorTest, goes_on_where_an_older_release_ended) {
    up({.migrations = embedded_migrations().first(2), .functions = {}});
    const auto steps = up();
    EXPECT_EQ(steps.size(), embedded_migrations().size() - 2 + 1);
    EXPECT_THAT(steps.front(), HasSubstr("0003_"));
    EXPECT_EQ(verification(), "");
}

TEST_F(MigratorTest, refuses_a_migration_that_was_changed_after_it_was_applied) {
    up();
    database_.execute("update millrace.migration set checksum = repeat('0', 64) where number = 2");
    const auto before = ledger();
    EXPECT_THAT(refusal(), AllOf(HasSubstr("MR012"), HasSubstr("0002_"), HasSubstr("was changed"),
                                 HasSubstr("Restore migrations/0002_")));
    EXPECT_THAT(verification(), HasSubstr("was changed"));
    EXPECT_THAT(verification_at_work(), HasSubstr("was changed"));
    EXPECT_EQ(ledger(), before);
}

TEST_F(MigratorTest, ignores_newlines_at_the_end_of_a_file) {
    up(SchemaFiles{.migrations = with_another("migrations/0999_more.sql", "select 1;"), .functions = {}});
    EXPECT_EQ(refusal({.migrations = with_another("migrations/0999_more.sql", "select 1;\n\n"), .functions = {}}), "");
}

TEST_F(MigratorTest, refuses_a_gap) {
    up();
    database_.execute("delete from millrace.migration where number = 3");
    EXPECT_THAT(refusal(), AllOf(HasSubstr("MR012"), HasSubstr("0003_"), HasSubstr("never applied"), HasSubstr("gap")));
    EXPECT_THAT(verification(), HasSubstr("never applied"));
    EXPECT_THAT(verification_at_work(), HasSubstr("never applied"));
}

TEST_F(MigratorTest, refuses_a_database_newer_than_the_program) {
    up();
    database_.execute("insert into millrace.migration (number, name, checksum) values (9999, '9999_from_later', 'x')");
    EXPECT_THAT(refusal(),
                AllOf(HasSubstr("MR012"), HasSubstr("newer"), HasSubstr("9999_from_later"), HasSubstr("later one")));
    EXPECT_THAT(verification(), HasSubstr("newer"));
    EXPECT_EQ(verification_at_work(), "upgraded");
}

TEST_F(MigratorTest, leaves_nothing_of_a_migration_that_fails_half_way) {
    const auto files =
        with_another("migrations/0999_broken.sql", "create table millrace.half_done (id int); select 1 / 0;");
    EXPECT_THAT(refusal({.migrations = files, .functions = embedded_functions()}), HasSubstr("division by zero"));
    EXPECT_EQ(database_.value("select to_regclass('millrace.half_done')"), "");
    EXPECT_EQ(database_.value("select count(*) from millrace.migration where number = 999"), "0");
    EXPECT_EQ(refusal(), "");
}

TEST_F(MigratorTest, replaces_the_functions_as_a_whole_whenever_their_text_differs) {
    up();
    database_.execute("update millrace.function_set set checksum = 'of another release'");
    EXPECT_THAT(verification(), HasSubstr("functions"));
    EXPECT_EQ(verification_at_work(), "upgraded");
    EXPECT_THAT(up(), ElementsAre("functions and views"));
    EXPECT_EQ(verification(), "");
    EXPECT_EQ(verification_at_work(), "");
}

TEST_F(MigratorTest, is_harmless_twenty_times_at_once) {
    constexpr int migrators = 20;
    std::atomic<int> steps{0};
    std::atomic<int> failures{0};
    {
        std::vector<std::jthread> threads;
        threads.reserve(migrators);
        for (int number = 0; number < migrators; ++number) {
            threads.emplace_back([&] {
                try {
                    Migrator{sessions_}.up([&](const std::string&) { ++steps; });
                } catch (const std::exception& error) {
                    ADD_FAILURE() << error.what();
                    ++failures;
                }
            });
        }
    }
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(static_cast<std::size_t>(steps), embedded_migrations().size() + 1)
        << "a step was done twice, or not at all";
    EXPECT_EQ(verification(), "");
}

TEST_F(MigratorTest, waits_for_a_table_that_is_locked_but_not_for_ever) {
    up();
    database_.execute("update millrace.function_set set checksum = 'of another release'");
    {
        // Whoever reads a view keeps it from being replaced until the end of the transaction.
        pqxx::connection reader{database_.admin_conninfo()};
        pqxx::work reading{reader};
        reading.exec("select from millrace.jobs limit 0");

        Migrator migrator{sessions_, {}, {.lock_timeout = 20ms, .first_pause = 10ms, .tries = 3}};
        try {
            migrator.up([](const std::string&) {});
            FAIL() << "replaced a view that is being read";
        } catch (const Error& error) {
            EXPECT_EQ(error.sqlstate(), "55P03");
        }
    }
    EXPECT_THAT(up(), ElementsAre("functions and views"));
}

TEST_F(MigratorTest, tries_again_when_it_waits_in_a_circle_with_somebody) {
    up();
    database_.execute("create table public.one ()");
    database_.execute("create table public.two ()");
    database_.execute("grant update on public.one, public.two to millrace_owner");
    const std::array files{EmbeddedFile{"functions.sql", "lock table public.one; lock table public.two"}};
    pqxx::connection connection{database_.admin_conninfo()};
    pqxx::work other{connection};
    other.exec("set local deadlock_timeout = '1 h'");  // it is the migrator that finds out
    other.exec("lock table public.two");
    std::jthread migrating{[&] { EXPECT_THAT(up({.functions = files}), ElementsAre("functions and views")); }};
    ASSERT_TRUE(database_.becomes(
        "select count(*) from pg_locks where relation = 'public.two'::regclass and not granted", "1"));
    other.exec("lock table public.one");
    other.commit();
    migrating.join();
}

TEST_F(MigratorTest, is_what_a_worker_insists_on) {
    EXPECT_THAT(verification(), AllOf(HasSubstr("no millrace schema"), HasSubstr("migrate up")));
    up({.migrations = embedded_migrations().first(2), .functions = {}});
    EXPECT_THAT(verification(), AllOf(HasSubstr("ends before migration 0003_"), HasSubstr("migrate up")));
}

}  // namespace
}  // namespace millrace::storage
