#include "cli/database_work.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

namespace millrace::cli {
namespace {

TEST(DatabaseTest, is_one_without_a_name_unless_there_are_several) {
    ops::Log log{ops::Log::Format::json, stderr};
    const auto options =
        read_options(std::vector<std::string>{"worker", "--database-url=dbname=shop", "--cache=/c"}, {});
    const auto databases = databases_of(options, log);
    ASSERT_EQ(databases.size(), 1U);
    const auto& only = *databases[0];
    EXPECT_EQ(only.options.database_name, "");
    EXPECT_EQ(only.sessions.conninfo(), "dbname=shop");
    EXPECT_EQ(only.options.cache_directory, "/c");
    EXPECT_EQ(&only.log, &log);
}

TEST(DatabaseTest, has_an_address_a_log_and_a_place_in_the_cache_of_its_own) {
    ops::Log log{ops::Log::Format::json, stderr};
    const auto options = read_options(
        std::vector<std::string>{"worker", "--database=east=dbname=a", "--database=west=dbname=b", "--cache=/c"}, {});
    const auto databases = databases_of(options, log);
    ASSERT_EQ(databases.size(), 2U);
    const auto& east = *databases[0];
    const auto& west = *databases[1];
    EXPECT_EQ(east.options.database_name, "east");
    EXPECT_EQ(east.sessions.conninfo(), "dbname=a");
    EXPECT_EQ(west.sessions.conninfo(), "dbname=b");
    EXPECT_EQ(west.options.database_url, "dbname=b") << "the handlers' own connections";
    EXPECT_EQ(east.options.cache_directory, "/c/databases/east");
    EXPECT_EQ(west.options.cache_directory, "/c/databases/west");
    EXPECT_NE(&east.log, &west.log);
}

}  // namespace
}  // namespace millrace::cli
