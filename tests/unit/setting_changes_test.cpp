#include "cli/setting_changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>
#include <utility>

namespace millrace::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

using Words = std::vector<std::string>;

// What a worker is told, and can work by.
Options worker(Words more, const Environment& environment = {}) {
    Words words{"worker",
                "--queue=a=4",
                "--queue=b",
                "--smtp-url=smtp://127.0.0.1:2525",
                "--smtp-security=none",
                "--smtp-from=a@example.org",
                "--smtp-username=shop"};
    words.insert(words.end(), more.begin(), more.end());
    auto complete = environment;
    complete.emplace("MILLRACE_SMTP_PASSWORD", "p");
    return read_options(words, complete);
}

Options without_mail(Words more) {
    more.insert(more.begin(), "worker");
    return read_options(more, {});
}

std::string text_of(const std::string& path) {
    std::ifstream file{std::string{MILLRACE_SOURCE_DIR} + "/" + path};
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>{file}, {}};
}

TEST(SettingChanges, are_none_where_nothing_has_changed) {
    auto now = worker({});
    const auto changes = take_over(now, worker({}), Reader::worker);
    EXPECT_THAT(changes.taken, IsEmpty());
    EXPECT_THAT(changes.kept, IsEmpty());
}

TEST(SettingChanges, are_taken_over_where_that_is_safe) {
    auto now = worker({});
    const auto next = worker({"--prefetch=7", "--drain-timeout=1s", "--log-level=debug", "--smtp-helo=here",
                              "--smtp-total-timeout=20s", "--smtp-reply-timeout=20s", "--smtp-url=smtp://[::1]:26"},
                             {{"MILLRACE_SMTP_PASSWORD", "canary"}});
    const auto changes = take_over(now, next, Reader::worker);
    EXPECT_THAT(changes.taken, ElementsAre("worker.prefetch", "worker.drain_timeout", "log.level", "smtp.url",
                                           "smtp.password", "smtp.helo", "smtp.total_timeout", "smtp.reply_timeout"));
    EXPECT_THAT(changes.kept, IsEmpty());
    for (const auto& queue : now.worker.queues)
        EXPECT_EQ(queue.max_prefetch, 7U) << queue.name;
    EXPECT_EQ(now.worker.drain_timeout, 1s);
    EXPECT_EQ(now.log_level, ops::Level::debug);
    EXPECT_EQ(*now.smtp, *next.smtp);
    EXPECT_THAT(take_over(now, next, Reader::worker).taken, IsEmpty()) << "they are in force";
}

TEST(SettingChanges, are_kept_from_a_process_that_would_have_to_be_started_anew) {
    auto now = worker({});
    const auto next =
        worker({"--worker-database=a=dbname=x", "--name=n", "--lease=5s", "--poll-interval=1s", "--stop-grace=1s",
                "--listen=off", "--cache=/c", "--http-listen=127.0.0.1:1", "--log-format=human",
                "--trace-endpoint=http://127.0.0.1:1/v1/traces", "--trace-ca-file=/c", "--smtp-from=b@example.org",
                "--notify-redirect-all=a@example.org", "--github-token-variable=T"});
    const auto changes = take_over(now, next, Reader::worker);
    EXPECT_THAT(changes.taken, IsEmpty());
    EXPECT_THAT(changes.kept, ElementsAre("worker.database", "worker.name", "worker.lease", "worker.poll_interval",
                                          "worker.stop_grace", "worker.listen", "worker.cache", "http.listen",
                                          "log.format", "trace.endpoint", "trace.ca_file", "smtp.from",
                                          "notify.redirect_all", "github.token_variable"));
    EXPECT_EQ(now.worker.lease, 30s);
    EXPECT_EQ(now.smtp->from, "a@example.org");
    EXPECT_EQ(take_over(now, next, Reader::worker).kept.size(), changes.kept.size()) << "and are named each time";
    EXPECT_THAT(take_over(now, worker({"--database-url=dbname=other"}), Reader::worker).kept,
                ElementsAre("database.url"));
}

TEST(SettingChanges, of_where_to_listen_are_for_workers_that_are_started_anew) {
    auto now = worker({});
    const auto next = worker({"--database-listen-url=dbname=x"});
    EXPECT_THAT(take_over(now, next, Reader::worker).kept, ElementsAre("database.listen_url"));
    EXPECT_THAT(take_over(now, next, Reader::serve).kept, IsEmpty());
}

TEST(SettingChanges, of_queues_are_their_slots) {
    auto now = without_mail({"--queue=a=4", "--queue=b=2"});
    const auto changes = take_over(now, without_mail({"--queue=c=9", "--queue=b=3"}), Reader::worker);
    EXPECT_THAT(changes.taken, ElementsAre("worker.queue"));
    EXPECT_THAT(changes.kept, ElementsAre("worker.queue")) << "a is served on, and c is not";
    ASSERT_EQ(now.worker.queues.size(), 2U);
    EXPECT_EQ(now.worker.queues[0].slots, 4U);
    EXPECT_EQ(now.worker.queues[1].slots, 3U);
}

TEST(SettingChanges, of_mail_are_for_workers_that_send_mail) {
    auto never = without_mail({"--queue=a=4", "--queue=b"});
    EXPECT_THAT(take_over(never, worker({}), Reader::worker).kept, ElementsAre("smtp.url"));
    auto broken = worker({"--smtp-ca-file=/nowhere.pem"});
    EXPECT_THAT(take_over(broken, worker({}), Reader::worker).kept, ElementsAre("smtp.ca_file"));
    auto now = worker({});
    EXPECT_THAT(take_over(now, without_mail({"--queue=a=4", "--queue=b"}), Reader::worker).kept,
                ElementsAre("smtp.url"));
    EXPECT_TRUE(now.smtp.has_value());
}

TEST(SettingChanges, of_others_are_no_business_of_a_process) {
    const std::string one(64, '1');
    const std::string two(64, '2');
    const auto options = [](const std::string& command, const std::string& secret, const std::string& lease) {
        return read_options(Words{command, "--worker-queue=q", "--worker-lease=" + lease},
                            {{"MILLRACE_API_TOKENS", secret}, {"MILLRACE_UNSUBSCRIBE_SECRETS", secret}});
    };
    auto serving = options("serve", one, "5s");
    const auto changes = take_over(serving, options("serve", two, "6s"), Reader::serve);
    EXPECT_THAT(changes.taken, ElementsAre("api.tokens", "unsubscribe.secrets"));
    EXPECT_THAT(changes.kept, IsEmpty());
    auto working = options("worker", one, "5s");
    EXPECT_THAT(take_over(working, options("worker", two, "5s"), Reader::worker).taken,
                ElementsAre("unsubscribe.secrets"));
}

TEST(SettingChanges, are_decided_for_each_setting_that_there_is) {
    Words known;
    for (const auto& setting : known_settings())
        known.emplace_back(setting.key);
    Words decided;
    for (const auto& [key, extent] : reloadable_settings())
        decided.emplace_back(key);
    EXPECT_EQ(decided, known);
}

TEST(SettingChanges, are_as_the_example_file_and_the_documentation_say) {
    std::map<std::string, std::string> example;
    std::string section;
    std::string extent;
    std::istringstream lines{text_of("config/millrace.conf")};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("[")) section = line.substr(1, line.size() - 2);
        if (line.starts_with("# reload: ")) {
            extent = line.substr(line.find(": ") + 2);
        } else if (line.size() > 1 && line[0] == '#' && line[1] != ' ') {
            example.try_emplace(section + "." + line.substr(1, line.find(' ') - 1), std::exchange(extent, ""));
        }
    }
    std::map<std::string, std::string> documented;
    const auto page = text_of("docs/operations.md");
    static const std::regex row{R"(\n\| (`[a-z_.`, ]+`) \| (yes|slots) \|)"};
    static const std::regex name{"`([a-z_.]+)`"};
    for (std::sregex_iterator at{page.begin(), page.end(), row}; at != std::sregex_iterator{}; ++at) {
        const auto keys = (*at)[1].str();
        for (std::sregex_iterator key{keys.begin(), keys.end(), name}; key != std::sregex_iterator{}; ++key)
            documented[(*key)[1]] = (*at)[2];
    }
    std::map<std::string, std::string> all;
    std::map<std::string, std::string> changing;
    for (const auto& setting : reloadable_settings()) {
        if (setting.key == "smtp.token") continue;  // of the environment only
        all[std::string{setting.key}] = setting.extent;
        if (setting.extent != "no") changing[std::string{setting.key}] = setting.extent;
    }
    EXPECT_EQ(example, all);
    EXPECT_EQ(documented, changing);
}

}  // namespace
}  // namespace millrace::cli
