#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/json_lines.hpp"
#include "cli/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <sstream>

namespace millrace::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

using Words = std::vector<std::string>;

constexpr std::array flags{Flag{"limit", "NUMBER", ""}, Flag{"delay", "DURATION", ""}, Flag{"yes", "", ""}};

std::string refusal_of(const Words& words) {
    try {
        const Arguments arguments{words, flags};
        static_cast<void>(arguments.number("limit", 1, 10));
        static_cast<void>(arguments.duration("delay"));
        return "";
    } catch (const UsageError& error) {
        return error.what();
    }
}

TEST(Arguments, are_words_and_flags_in_any_order) {
    const Arguments arguments{Words{"cancel", "--limit", "3", "17", "--delay=5min", "--yes", "--", "--18"}, flags};
    EXPECT_THAT(arguments.words(), ElementsAre("cancel", "17", "--18"));
    EXPECT_EQ(arguments.number("limit", 1, 10), 3);
    EXPECT_EQ(arguments.duration("delay"), 5min);
    EXPECT_TRUE(arguments.has("yes"));
}

TEST(Arguments, are_refused_with_the_reason) {
    EXPECT_THAT(refusal_of({"--limt", "3"}), HasSubstr("did you mean --limit?"));
    EXPECT_THAT(refusal_of({"--frobnicate"}), HasSubstr("unknown flag --frobnicate"));
    EXPECT_THAT(refusal_of({"--limit"}), HasSubstr("needs a value"));
    EXPECT_THAT(refusal_of({"--yes=1"}), HasSubstr("takes no value"));
    EXPECT_THAT(refusal_of({"--limit", "1", "--limit", "2"}), HasSubstr("twice"));
    EXPECT_THAT(refusal_of({"--limit", "0"}), HasSubstr("from 1 to 10"));
    EXPECT_THAT(refusal_of({"--limit", "3x"}), HasSubstr("whole number"));
    EXPECT_THAT(refusal_of({"--delay", "5"}), HasSubstr("5min"));
}

Table sample() {
    Table table{{{"id"}, {"age", Column::For::people}, {"seconds", Column::For::programs}, {"error"}}};
    table.add({Cell::of(std::int64_t{7}), Cell::of("3 min"), Cell::json("180.5"), Cell::maybe(std::nullopt)});
    table.add({Cell::of(std::int64_t{1234}), Cell::of("1 s"), Cell::json("1"),
               Cell::of("grüße\n\x1b[31mred\xc2\x9b"
                        "31m and a long, long explanation that goes on and on")});
    return table;
}

TEST(Table, aligns_columns_and_shows_people_what_is_for_people) {
    std::ostringstream out;
    sample().print(out, Screen{});
    EXPECT_THAT(out.str(), HasSubstr("  ID  AGE    ERROR\n   7  3 min  –\n1234  1 s    grüße"));
}

TEST(Table, is_cut_to_the_width_of_the_screen) {
    std::ostringstream out;
    sample().print(out, Screen{.is_terminal = true, .has_colours = false, .width = 40});
    std::istringstream lines{out.str()};
    std::size_t widest = 0;
    for (std::string line; std::getline(lines, line);)
        widest = std::max(widest, columns_of(line));
    EXPECT_EQ(widest, 40U);
    EXPECT_THAT(out.str(), HasSubstr("…"));
}

TEST(Table, shows_no_control_characters_of_a_job) {
    std::ostringstream out;
    sample().print(out, Screen{});
    EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
    EXPECT_THAT(out.str(), Not(HasSubstr("\xc2\x9b")));
}

TEST(Table, shows_no_control_characters_of_a_payload) {
    Table table{{{"payload"}}};
    table.add({Cell::json("{\"a\": \"\\u009b31m\\u007fü\"}")});
    std::ostringstream out;
    table.print_record(out, Screen{});
    EXPECT_EQ(out.str(), "payload  {\n           \"a\": \" 31m ü\"\n         }\n");
}

TEST(Table, is_json_even_with_a_number_that_is_too_large_for_us) {
    Table table{{{"payload"}}};
    table.add({Cell::json("{\"n\": 1e999}")});
    std::ostringstream out;
    table.print_json(out);
    EXPECT_EQ(nlohmann::json::parse(out.str())[0]["payload"], "{\"n\": 1e999}");
}

TEST(Table, is_json_for_programs_with_the_types_kept) {
    std::ostringstream out;
    sample().print_json(out);
    const auto json = nlohmann::json::parse(out.str());
    ASSERT_EQ(json.size(), 2U);
    EXPECT_EQ(json[0]["id"], 7);
    EXPECT_EQ(json[0]["seconds"], 180.5);
    EXPECT_TRUE(json[0]["error"].is_null());
    EXPECT_FALSE(json[0].contains("age"));
    EXPECT_THAT(json[1]["error"].get<std::string>(), HasSubstr("grüße\n"));
}

TEST(Table, is_an_empty_array_without_rows) {
    std::ostringstream out;
    Table{{{"id"}}}.print_json(out);
    EXPECT_EQ(nlohmann::json::parse(out.str()), nlohmann::json::array());
}

TEST(Complaint, is_one_line_whatever_it_repeats) {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    const Console console{.in = in, .out = out, .err = err, .out_screen = {}, .err_screen = {}};
    console.complain("unknown queue 'a\nb\x1b[2J\xff'\n\n", "create\nit");
    EXPECT_EQ(err.str(), "error: unknown queue 'a b [2J?'\n  hint: create it\n");
}

TEST(Complaint, shows_the_start_and_the_end_of_what_is_long) {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    const Console console{.in = in, .out = out, .err = err, .out_screen = {}, .err_screen = {}};
    std::string many;
    for (int i = 0; i < 5000; ++i)
        many += "ä";
    console.complain("\"" + many + "\" is not a job's number", "");
    EXPECT_LT(err.str().size(), 1000U);
    EXPECT_THAT(err.str(), HasSubstr("… ä"));
    EXPECT_THAT(err.str(), HasSubstr("ä\" is not a job's number\n"));
    EXPECT_THAT(err.str(), Not(HasSubstr("?")));
}

TEST(Screen, colours_only_what_a_person_sees) {
    EXPECT_EQ((Screen{.is_terminal = true, .has_colours = true, .width = 80}.toned("x", Tone::bad)),
              "\x1b[31mx\x1b[0m");
    EXPECT_EQ(Screen{}.toned("x", Tone::bad), "x");
}

TEST(Cut, counts_characters_not_bytes) {
    EXPECT_EQ(cut("grüße", 5), "grüße");
    EXPECT_EQ(cut("grüße", 4), "grü…");
    EXPECT_EQ(cut("grüße", 1), "…");
    EXPECT_EQ(cut("grüße", 0), "");
}

TEST(JsonLines, come_in_chunks_and_know_their_line_numbers) {
    std::istringstream in{"{\"a\":1}\n\n  \n[2]\r\n\"three\""};
    JsonLines lines{in};
    const auto chunk = lines.next();
    EXPECT_THAT(chunk.line_numbers, ElementsAre(1, 4, 5));
    EXPECT_TRUE(lines.next().payloads.empty());
}

TEST(JsonLines, end_a_chunk_after_a_thousand_lines) {
    std::string text;
    for (int line = 0; line < 1500; ++line)
        text += "{}\n";
    std::istringstream in{text};
    JsonLines lines{in};
    EXPECT_EQ(lines.next().payloads.size(), 1000U);
    EXPECT_EQ(lines.next().line_numbers.front(), 1001U);
    EXPECT_EQ(lines.bytes_read(), text.size());
}

TEST(JsonLines, name_the_line_that_is_not_json_before_its_chunk_is_handed_out) {
    std::istringstream in{"{}\n{\"a\":}\n"};
    JsonLines lines{in};
    try {
        static_cast<void>(lines.next());
        FAIL() << "accepted";
    } catch (const BadLine& error) {
        EXPECT_THAT(error.what(), HasSubstr("line 2"));
    }
}

}  // namespace
}  // namespace millrace::cli
