#include "core/printable.hpp"

#include <gtest/gtest.h>

namespace millrace::core {
namespace {

TEST(Printable, leaves_valid_text_alone) {
    EXPECT_EQ(printable("Zürich, 東京, 🙂\n", 100), "Zürich, 東京, 🙂\n");
    EXPECT_EQ(printable("", 0), "");
}

TEST(Printable, replaces_what_is_not_utf8_byte_by_byte) {
    EXPECT_EQ(printable("a\xFFz", 10), "a?z");
    EXPECT_EQ(printable("\xC0\xAF", 10), "??") << "overlong";
    EXPECT_EQ(printable("\xED\xA0\x80", 10), "???") << "surrogate";
    EXPECT_EQ(printable("\xF4\x90\x80\x80", 10), "????") << "beyond U+10FFFF";
    EXPECT_EQ(printable("cut \xE6\x9D", 10), "cut ??");
}

TEST(Printable, replaces_nul_which_the_database_cannot_store) {
    EXPECT_EQ(printable(std::string_view{"a\0b", 3}, 10), "a?b");
}

TEST(Printable, cuts_between_characters_and_says_so) {
    EXPECT_EQ(printable("abcdefghij", 10), "abcdefghij");
    EXPECT_EQ(printable("abcdefghijk", 10), "abcdefg…");
    EXPECT_EQ(printable("üüüüüü", 10), "üüü…") << "a character is not cut in two";
    EXPECT_LE(printable(std::string(100, 'x'), 2).size(), 2U);
}

}  // namespace
}  // namespace millrace::core
