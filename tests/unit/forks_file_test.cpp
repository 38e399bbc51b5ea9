// forks.yml: what becomes of it, and where each thing that is wrong stands.

#include "cli/forks_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <set>
#include <sstream>

namespace millrace::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string forks_of(const std::string& text) {
    return EntriesFile{forks_format, text}.document();
}

std::string refusal_of(const std::string& text) {
    try {
        const EntriesFile file{forks_format, text};
        return "accepted: " + file.document();
    } catch (const BadEntriesFile& error) {
        return error.what();
    }
}

TEST(ForksFile, is_read_with_comments_blank_lines_nulls_and_lists) {
    const EntriesFile file{forks_format, R"(# ours
groups:
  - name: default
    recipients: [ops@example.org]
    cron: "0 13 * * *"   # every day

forks:

  - repo: acme/widget    # the first
    branches: [16.0, "17.0"]
    upstream_org: null
    enabled: false
  - repo: acme/gadget
    branches:
      - main
    rebase_globs: []
)"};
    EXPECT_EQ(json::parse(file.document()), json::parse(R"({
        "groups": [{"name": "default", "recipients": ["ops@example.org"], "cron": "0 13 * * *"}],
        "forks": [{"repo": "acme/widget", "branches": ["16.0", "17.0"], "upstream_org": null, "enabled": false},
                  {"repo": "acme/gadget", "branches": ["main"], "rebase_globs": []}]})"));
    EXPECT_EQ(file.line_of("groups[0].cron"), 5);
    EXPECT_EQ(file.line_of("forks[0].branches"), 10);
    EXPECT_EQ(file.line_of("forks[1]"), 13);
    EXPECT_EQ(file.line_of("forks[1].provider"), 13);
    EXPECT_EQ(file.line_of("forks[2]"), 0);
}

TEST(ForksFile, may_be_empty_or_lack_a_list) {
    EXPECT_EQ(json::parse(forks_of("")), json::object());
    EXPECT_EQ(json::parse(forks_of("# nothing\n")), json::object());
    EXPECT_EQ(json::parse(forks_of("forks:\n")), json::parse(R"({"forks": []})"));
}

TEST(ForksFile, names_the_line_of_what_is_wrong) {
    EXPECT_THAT(refusal_of("forks: [\n"), StartsWith("2: not YAML"));
    EXPECT_THAT(refusal_of("forks:\n  - repo: a/b\n   branches: [x]\n"), HasSubstr("not YAML"));
    EXPECT_EQ(refusal_of("\n\nfork:\n"), "3: \"fork\": unknown key; did you mean forks?");
    EXPECT_EQ(refusal_of("- a\n"), "1: write groups: and forks:, with a list below each");
    EXPECT_EQ(refusal_of("forks: 7\n"), "1: forks: a list is expected, each entry behind a dash");
    EXPECT_EQ(refusal_of("forks:\n  - acme/widget\n"), "2: forks: an entry has lines of the form key: value");
    EXPECT_EQ(refusal_of("forks:\n  - repo: a/b\n    branches: main\n"),
              "3: branches: a list is expected, such as [a, b]");
    EXPECT_EQ(refusal_of("forks:\n  - repo: {a: b}\n"), "2: repo: a text is expected");
    EXPECT_EQ(refusal_of("forks:\n  - repo: a/b\n    enabled: maybe\n"), "3: enabled: write true or false");
    EXPECT_EQ(refusal_of("forks:\n  - repo: a/b\n    branches: [x]\n    repo: c/d\n"), "4: \"repo\": is there twice");
    EXPECT_EQ(refusal_of("forks:\n  - repo: a/b\nforks:\n"), "3: \"forks\": is there twice");
    EXPECT_EQ(refusal_of("forks:\n  - repo: \"a\\0b\"\n"), "2: repo: is not UTF-8, or holds a zero byte");
    EXPECT_EQ(refusal_of("forks:\n  - [a]: b\n"), "2: a key is a word");
}

TEST(ForksFile, survives_what_is_nested_too_deeply) {
    EXPECT_THAT(refusal_of("forks: " + std::string(100000, '[')), HasSubstr("not YAML"));
    EXPECT_THAT(refusal_of("forks: " + std::string(100000, '{')), HasSubstr("not YAML"));
}

TEST(ForksFile, is_written_so_that_it_is_read_back_as_it_was) {
    const std::string document =
        R"({"groups": [{"cron": "0 13 * * *", "name": "default", "template": "a: \"b\"\n\tc: é # no comment\n"}],)"
        R"( "forks": [{"branches": ["16.0", "null", "true"], "enabled": false, "repo": "acme/widget"}]})";
    const auto text = write_entries(forks_format, document);
    EXPECT_THAT(text, StartsWith("groups:\n  - name: \"default\"\n    cron: \"0 13 * * *\"\n"));
    EXPECT_EQ(json::parse(forks_of(text)), json::parse(document));
    EXPECT_EQ(write_entries(forks_format, "{}"), "");
}

TEST(ForksFile, the_example_is_one) {
    std::ifstream in{MILLRACE_SOURCE_DIR "/config/forks.yml"};
    std::ostringstream text;
    text << in.rdbuf();
    const auto document = json::parse(forks_of(text.str()));
    EXPECT_EQ(document["forks"].size(), 20);
    std::set<std::string> keys;
    for (const auto* list : {"groups", "forks"}) {
        for (const auto& entry : document[list]) {
            for (const auto& [key, value] : entry.items())
                keys.insert(key);
        }
    }
    EXPECT_THAT(keys, ::testing::IsSupersetOf({"provider", "upstream_track", "install_forward_port", "rebase_globs",
                                               "template_path", "template", "cron", "digest_group", "enabled"}));
    EXPECT_EQ(document["forks"][2]["upstream_track"], "18.0");
    EXPECT_EQ(document["forks"][2]["install_forward_port"], true);
}

}  // namespace
}  // namespace millrace::cli
