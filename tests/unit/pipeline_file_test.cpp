// pipeline.yml: what is read of it, and where it says that something is wrong.

#include "cli/pipeline_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::testing {
namespace {

using cli::BadEntriesFile;
using cli::EntriesFile;
using cli::pipeline_format;

std::string queues_of(const std::string& text) {
    return EntriesFile{pipeline_format, text}.document();
}

std::string complaint(const std::string& text) {
    try {
        const EntriesFile file{pipeline_format, text};
    } catch (const BadEntriesFile& error) {
        return error.what();
    }
    return "";
}

constexpr auto shop = R"(queues:
  - name: shop/main
    command: [make, "a b"]
    max_concurrent: 2
    promotion_ref: null
    projects:
      - {name: web, rules: [{path: "web/**"}]}
  - name: other
)";

TEST(PipelineFileTest, is_read_as_the_document_that_the_server_takes) {
    EXPECT_EQ(queues_of(shop),
              R"({"queues":[{"name":"shop/main","command":["make","a b"],"max_concurrent":2,"promotion_ref":null,)"
              R"("projects":[{"name":"web","rules":[{"path":"web/**"}]}]},{"name":"other"}]})");
    EXPECT_EQ(queues_of("queues: [{name: a, memory_limit: 4294967296, runner: {name: buildkite, branch: 1}}]"),
              R"({"queues":[{"name":"a","memory_limit":4294967296,"runner":{"name":"buildkite","branch":"1"}}]})");
    EXPECT_EQ(queues_of(""), R"({"queues":[]})");
    EXPECT_EQ(queues_of("queues:"), R"({"queues":[]})");
}

TEST(PipelineFileTest, knows_the_line_of_each_setting) {
    const EntriesFile file{pipeline_format, shop};
    EXPECT_EQ(file.line_of("queues[0].max_concurrent"), 4);
    EXPECT_EQ(file.line_of("queues[1].name"), 8);
    EXPECT_EQ(file.line_of("queues[1].remote"), 8);  // that is missing
    EXPECT_EQ(file.line_of("document"), 0);
}

TEST(PipelineFileTest, says_on_which_line_something_is_wrong) {
    EXPECT_EQ(complaint("7"), "1: write queues:, with a list below");
    EXPECT_EQ(complaint("forks: []"), "1: \"forks\": unknown key; known is queues");
    EXPECT_EQ(complaint("queues: 7"), "1: queues: a list is expected, each entry behind a dash");
    EXPECT_EQ(complaint("queues:\n  - 7"), "2: queues: an entry has lines of the form key: value");
    EXPECT_EQ(complaint("queues:\n  - name: a\n    name: b"), "3: \"name\": is there twice");
    EXPECT_EQ(complaint("queues:\n  - max_concurrent: two"), "2: max_concurrent: a whole number is expected");
    EXPECT_EQ(complaint("queues:\n  - flaky_reruns: -1"), "2: flaky_reruns: a whole number is expected");
    EXPECT_EQ(complaint("queues:\n  - a: [[[[[[[[1]]]]]]]]"), "2: a: is nested too deeply");
    EXPECT_THAT(complaint("queues: ["), ::testing::HasSubstr("not YAML"));
}

TEST(PipelineFileTest, is_read_as_it_was_written) {
    const std::string document =
        R"({"queues":[{"name":"a: b","command":["# no comment","\n"],"poll":"* * * * *","max_concurrent":3}]})";
    EXPECT_EQ(queues_of(cli::write_entries(pipeline_format, document)), document);
    EXPECT_EQ(cli::write_entries(pipeline_format, R"({"queues":[]})"), "");
}

}  // namespace
}  // namespace millrace::testing
