#include "storage/array_literal.hpp"

#include "storage/translation.hpp"
#include "support/database.hpp"

#include <gtest/gtest.h>

namespace millrace::storage {
namespace {

TEST(ArrayLiteralTest, is_read_by_the_server_as_it_was_built) {
    testing::Database database;
    const auto session = database.sessions().open("test");
    const std::vector<std::string> texts{"plain", "", "NULL", R"(a "quoted" \ text)", "{1,2}", " spaced ", "ü\n\t'"};
    ArrayLiteral literal;
    for (const auto& text : texts)
        literal.add(text);
    literal.add_null();
    const auto rows = execute(*session, "select unnest($1::text[])", literal.text());
    ASSERT_EQ(rows.size(), texts.size() + 1);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        EXPECT_EQ(rows[static_cast<pqxx::result::size_type>(i)][0].as<std::string>(), texts[i]);
    }
    EXPECT_TRUE(rows.back()[0].is_null());
}

TEST(ArrayLiteralTest, holds_numbers_and_nothing) {
    ArrayLiteral literal;
    EXPECT_EQ(literal.text(), "{}");
    literal.add(std::int64_t{-9'223'372'036'854'775'807});
    literal.add_null();
    EXPECT_EQ(literal.text(), "{-9223372036854775807,NULL}");
}

}  // namespace
}  // namespace millrace::storage
