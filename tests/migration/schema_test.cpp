// The schema as a whole: however it came about it is the same, and it is the one in golden_schema.sql.
//
// After a change that is meant: MILLRACE_UPDATE_GOLDEN=1 ./dev test migration, and read the difference.

#include "storage/migrator.hpp"
#include "support/database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace millrace::storage {
namespace {

using testing::Database;

constexpr auto golden_file = MILLRACE_SOURCE_DIR "/tests/migration/golden_schema.sql";

// What a program prints, errors too; throws unless it succeeds. It runs at the top of the source tree.
std::string output_of(std::vector<std::string> words) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::tmpfile(), std::fclose};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, MILLRACE_SOURCE_DIR);
    posix_spawn_file_actions_adddup2(&actions, fileno(file.get()), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(file.get()), STDERR_FILENO);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = 0;
    const int failure = posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) throw std::runtime_error{"cannot start " + words.front()};
    int status = 0;
    waitpid(child, &status, 0);

    std::rewind(file.get());
    std::string output;
    std::array<char, 65536> part{};
    while (const auto size = std::fread(part.data(), 1, part.size(), file.get()))
        output.append(part.data(), size);
    if (status != 0) throw std::runtime_error{words.front() + " failed: " + output};
    return output;
}

// Without comments, session settings and the partitions, whose names are days.
std::string schema_of(const Database& database) {
    std::istringstream dump{output_of({"pg_dump", "--schema-only", "--schema=millrace", "--schema=forks",
                                       "--schema=pipeline", "--schema=notify", "--exclude-table=millrace.job_2*",
                                       "--exclude-table=millrace.finished_2*", database.admin_conninfo()})};
    static const std::regex noise{R"(^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*|)$)"};
    std::string schema;
    bool in_body = false;
    for (std::string line; std::getline(dump, line);) {
        if (!in_body && std::regex_match(line, noise)) continue;
        // pg_dump quotes a body with $$, or with $_$ where it contains $$.
        static const std::regex body{R"(\$_?\$)"};
        const auto quotes = std::distance(std::sregex_iterator{line.begin(), line.end(), body}, std::sregex_iterator{});
        if (quotes % 2 == 1) in_body = !in_body;
        schema += line + "\n";
    }
    return schema;
}

// Without the bodies of functions and views, which have files of their own to be read in.
std::string outline_of(const std::string& schema) {
    std::istringstream lines{schema};
    std::string outline;
    bool in_function = false;
    bool in_view = false;
    for (std::string line; std::getline(lines, line);) {
        const bool begins = !in_function && line.starts_with("    AS $");
        const bool ends = (in_function || begins) && line.ends_with("$;");
        if (begins) outline += "    AS …;\n";
        if (line.starts_with("CREATE VIEW ")) {
            outline += line + " …;\n";
            in_view = true;
        } else if (!in_function && !begins && !in_view) {
            outline += line + "\n";
        }
        if (in_view && line.ends_with(";")) in_view = false;
        in_function = (in_function || begins) && !ends;
    }
    return outline;
}

class SchemaTest : public ::testing::Test {
protected:
    static void remove_millrace(Database& database) {
        database.execute("drop schema if exists millrace, forks, pipeline, notify cascade");
    }

    static void up(const Database& database, SchemaFiles files = {}) {
        const SessionFactory sessions{database.admin_conninfo()};
        Migrator{sessions, files}.up([](const std::string&) {});
    }

    SchemaTest() {
        remove_millrace(fresh_);
        up(fresh_);
    }

    Database fresh_;
};

TEST_F(SchemaTest, is_the_golden_one) {
    const auto outline = outline_of(schema_of(fresh_));
    ASSERT_THAT(outline, ::testing::HasSubstr("CREATE TABLE millrace.job "));
    ASSERT_THAT(outline, ::testing::HasSubstr("CREATE FUNCTION millrace.enqueue("));
    if (std::getenv("MILLRACE_UPDATE_GOLDEN") != nullptr) std::ofstream{golden_file} << outline;
    std::stringstream golden;
    golden << std::ifstream{golden_file}.rdbuf();
    EXPECT_EQ(outline, golden.str()) << "when it is meant: MILLRACE_UPDATE_GOLDEN=1 ./dev test migration";
}

TEST_F(SchemaTest, is_the_same_fresh_and_upgraded_one_migration_at_a_time) {
    Database upgraded;
    remove_millrace(upgraded);
    const auto all = embedded_migrations();
    for (std::size_t count = 1; count <= all.size(); ++count) {
        up(upgraded, {.migrations = all.first(count), .functions = {}});
    }
    up(upgraded);
    up(upgraded, {.migrations = all, .functions = {}});
    up(upgraded);  // functions over functions
    EXPECT_EQ(schema_of(upgraded), schema_of(fresh_));
}

TEST_F(SchemaTest, is_the_same_by_psql_and_the_ledgers_agree) {
    Database by_psql;
    remove_millrace(by_psql);
    const std::vector<std::string> install{"psql", "-X", "-q", "-f", "sql/install.sql", by_psql.admin_conninfo()};
    EXPECT_EQ(output_of(install), "");
    EXPECT_EQ(schema_of(by_psql), schema_of(fresh_));
    constexpr auto ledger =
        "select string_agg(format('%s %s %s', number, name, checksum), e'\\n' order by number)"
        " || (select f.checksum from millrace.function_set f) from millrace.migration";
    EXPECT_EQ(by_psql.value(ledger), fresh_.value(ledger));

    int steps = 0;
    const SessionFactory sessions{by_psql.admin_conninfo()};
    Migrator{sessions}.up([&](const std::string&) { ++steps; });
    EXPECT_EQ(steps, 0) << "the migrator found something left to do";
    EXPECT_EQ(output_of(install), "") << "psql over the migrator";
}

}  // namespace
}  // namespace millrace::storage
