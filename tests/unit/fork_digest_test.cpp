// What a digest says, compared with tests/unit/digests: NAME.json is what a run has found, NAME.txt and NAME.html what
// is told of it. MILLRACE_UPDATE_GOLDEN=1 writes them anew: read what has changed.

#include "handlers/forks/digest_text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace millrace::handlers::forks {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string folder = MILLRACE_SOURCE_DIR "/tests/unit/digests/";

std::string content_of(const std::string& file) {
    std::ifstream in{folder + file, std::ios::binary};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void expect_golden(const std::string& file, const std::string& text) {
    if (std::getenv("MILLRACE_UPDATE_GOLDEN") != nullptr) std::ofstream{folder + file, std::ios::binary} << text;
    EXPECT_EQ(text, content_of(file)) << file;
}

class ForkDigest : public ::testing::TestWithParam<const char*> {};

TEST_P(ForkDigest, says_what_stands_in_its_file) {
    const std::string name = GetParam();
    const auto digest = write_digest(content_of(name + ".json"));
    expect_golden(name + ".txt",
                  fmt::format("failures: {}\nsubject: {}\n\n{}", digest.failures, digest.subject, digest.text));
    expect_golden(name + ".html", digest.html);
    EXPECT_THAT(digest.subject, Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(Files, ForkDigest,
                         ::testing::Values("clean", "sync_failures", "distribution_failures", "both", "diverged",
                                           "managed_overlay_only", "skipped_only", "migrations", "steps", "given_up",
                                           "moved", "hostile_strings", "too_long"),
                         [](const auto& file) { return std::string{file.param}; });

TEST(ForkDigestText, fits_a_mail_whatever_there_is_to_tell) {
    auto content = nlohmann::json::parse(content_of("diverged.json"));
    nlohmann::json branches = nlohmann::json::array();
    for (int number = 0; number < 3000; ++number) {
        auto branch = content["branches"][0];
        branch["fork"] = fmt::format("acme/{}{}", number, std::string(150, '"'));
        branch["subjects"] = std::vector<std::string>(5, std::string(1000, '"'));
        branches.push_back(branch);
    }
    content["branches"] = branches;
    const auto digest = write_digest(content.dump());
    EXPECT_LE(digest.html.size(), most_digest_bytes);
    EXPECT_LE(digest.text.size(), most_digest_bytes);
    EXPECT_THAT(digest.subject, HasSubstr("3000 diverged"));
    EXPECT_THAT(digest.html, HasSubstr("more</li>"));
}

TEST(ForkDigestText, refuses_what_is_no_content) {
    EXPECT_THROW(static_cast<void>(write_digest("[]")), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(write_digest("{")), std::invalid_argument);
}

}  // namespace
}  // namespace millrace::handlers::forks
