// Names and addresses before git sees them; git itself is the judge of names.

#include "adapters/git_names.hpp"
#include "support/git_sandbox.hpp"

#include <gtest/gtest.h>

namespace millrace::adapters {
namespace {

TEST(GitNames, agree_with_git_on_what_a_branch_may_be_called) {
    const testing::GitSandbox sandbox;
    int branches = 0;
    for (const auto* name :
         {"main",  "17.0",   "feature/x", "a-b",     "a@b",  "@a",     "a{b",  "head", "a.lockx", "x/HEAD",
          "größe", "a%b",    "-x",        "--force", ".a",   "a/.b",   "a..b", "a.",   "/a",      "a/",
          "a//b",  "a.lock", "a.lock/b",  "a@{b",    "a b",  "a~1",    "a^",   "a:b",  "a?",      "a*",
          "a[b",   "a]b",    "a\\b",      "a\nb",    "a\tb", "a\177b", "",     "/",    "a/b.",    "HEAD"}) {
        const bool is_fine = sandbox.succeeds("none", {"check-ref-format", "--branch", name});
        EXPECT_EQ(!branch_problem(name), is_fine) << name;
        branches += is_fine ? 1 : 0;
    }
    EXPECT_EQ(branches, 13);
    EXPECT_TRUE(branch_problem("@")) << "git takes it for HEAD";
    EXPECT_TRUE(branch_problem(std::string(201, 'a')));
    EXPECT_TRUE(branch_problem(std::string("a\0b", 3)));
}

TEST(GitNames, take_addresses_that_name_a_repository_and_nothing_that_git_would_run) {
    for (const auto* url : {"https://example.org/a.git", "http://localhost:8080/a", "ssh://git@example.org:22/a",
                            "git://10.0.0.1/a", "file:///srv/a", "/srv/a"}) {
        EXPECT_EQ(remote_problem(url), std::nullopt) << url;
    }
    for (const auto* url : {"", "a", "../a", "-oProxyCommand=x", "--upload-pack=x", "ext::sh -c x", "ext::x", "fd::3",
                            "git@example.org:a", "ssh://-oProxyCommand=x/a", "ssh://git@-x/a", "ftp://example.org/a",
                            "https://", "/srv/a\n", "https://example.org/a b"}) {
        EXPECT_NE(remote_problem(url), std::nullopt) << url;
    }
    EXPECT_NE(remote_problem("/" + std::string(2000, 'a')), std::nullopt);
}

TEST(GitNames, hide_who_and_how_in_addresses) {
    EXPECT_EQ(without_credentials("fatal: 'https://bot:s3cret@example.org/a@b' and ssh://git@h/x: no"),
              "fatal: 'https://***@example.org/a@b' and ssh://***@h/x: no");
    EXPECT_EQ(without_credentials("https://p@ss:w@rd@example.org"), "https://***@example.org");
    EXPECT_EQ(without_credentials("see https://example.org/ or mail ada@example.org"),
              "see https://example.org/ or mail ada@example.org");
    EXPECT_EQ(without_credentials("://"), "://");
}

}  // namespace
}  // namespace millrace::adapters
