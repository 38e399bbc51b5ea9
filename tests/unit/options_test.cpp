#include "options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace millrace {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

using Words = std::vector<std::string>;

// What is refused, and how; empty when it is accepted.
std::string refusal_of(const Words& words, const Environment& environment = {}) {
    try {
        static_cast<void>(read_options(words, environment));
        return "";
    } catch (const OptionError& error) {
        return error.what();
    }
}

class OptionsTest : public ::testing::Test {
protected:
    OptionsTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "millrace-options-XXXXXX").string();
        directory_ = mkdtemp(pattern.data());
    }
    ~OptionsTest() override { std::filesystem::remove_all(directory_); }

    std::string file(const std::string& text, mode_t mode = 0600, const std::string& name = "millrace.conf") const {
        auto path = (directory_ / name).string();
        std::ofstream{path} << text;
        chmod(path.c_str(), mode);
        return path;
    }

    std::filesystem::path directory_;
};

TEST_F(OptionsTest, splits_the_command_its_arguments_and_the_settings) {
    const auto options = read_options(
        Words{"--database-url", "dbname=shop", "jobs", "list", "--queue", "email", "--log.level=debug", "--json"}, {});
    EXPECT_EQ(options.command, "jobs");
    EXPECT_THAT(options.arguments, ElementsAre("list", "--queue", "email", "--json"));
    EXPECT_EQ(options.database_url, "dbname=shop");
    EXPECT_EQ(options.log_level, ops::Level::debug);
}

TEST_F(OptionsTest, takes_the_workers_settings_without_their_section_after_that_command_only) {
    const auto options = read_options(
        Words{"worker", "--queue", "email=4", "--queue=work", "--lease", "5s", "--poll-interval", "1min"}, {});
    ASSERT_EQ(options.worker.queues.size(), 2U);
    EXPECT_EQ(options.worker.queues[0].name, "email");
    EXPECT_EQ(options.worker.queues[0].slots, 4U);
    EXPECT_EQ(options.worker.queues[1].slots, 10U);
    EXPECT_EQ(options.worker.lease, 5s);
    EXPECT_EQ(options.worker.poll_interval, 1min);
    EXPECT_THAT(read_options(Words{"enqueue", "--lease", "5s"}, {}).arguments, ElementsAre("--lease", "5s"));
}

TEST_F(OptionsTest, leaves_everything_behind_two_dashes_to_the_command) {
    EXPECT_THAT(read_options(Words{"enqueue", "--", "--log-level", "x"}, {}).arguments,
                ElementsAre("--", "--log-level", "x"));
}

TEST_F(OptionsTest, prefers_the_command_line_to_the_environment_and_that_to_the_file) {
    const auto path = file("[worker]\nlease = 1s\npoll_interval = 1s\ndrain_timeout = 1s\nqueue = a\nqueue = b\n");
    const Environment environment{
        {"MILLRACE_CONFIG", path}, {"MILLRACE_WORKER_LEASE", "2s"}, {"MILLRACE_WORKER_POLL_INTERVAL", "2s"}};
    const auto options = read_options(Words{"worker", "--lease", "3s"}, environment);
    EXPECT_EQ(options.worker.lease, 3s);
    EXPECT_EQ(options.worker.poll_interval, 2s);
    EXPECT_EQ(options.worker.drain_timeout, 1s);
    EXPECT_EQ(options.worker.queues.size(), 2U);
}

TEST_F(OptionsTest, replaces_a_list_as_a_whole) {
    const auto path = file("[worker]\nqueue = a\nqueue = b\n");
    const auto by_variable = read_options(Words{"worker", "--config", path}, {{"MILLRACE_WORKER_QUEUE", "c=2,d"}});
    ASSERT_EQ(by_variable.worker.queues.size(), 2U);
    EXPECT_EQ(by_variable.worker.queues[0].name, "c");
    const auto by_flag = read_options(Words{"worker", "--config", path, "--queue", "e"}, {});
    ASSERT_EQ(by_flag.worker.queues.size(), 1U);
    EXPECT_EQ(by_flag.worker.queues[0].name, "e");
}

TEST_F(OptionsTest, refuses_an_unknown_key_in_each_source_and_names_the_nearest) {
    EXPECT_THAT(refusal_of({"worker", "--config", file("[worker]\nleese = 1s\n")}),
                AllOf(HasSubstr("worker.leese"), HasSubstr("Did you mean worker.lease?")));
    EXPECT_THAT(refusal_of({"worker"}, {{"MILLRACE_WORKER_LEESE", "1s"}}),
                AllOf(HasSubstr("MILLRACE_WORKER_LEESE"), HasSubstr("MILLRACE_WORKER_LEASE?")));
    EXPECT_THAT(refusal_of({"--databse-url", "x"}), HasSubstr("Did you mean --database-url?"));
    EXPECT_EQ(refusal_of({"worker"}, {{"MILLRACE_TEST_ADMIN", "somebody else's"}}), "");
}

TEST_F(OptionsTest, refuses_what_is_no_duration_or_out_of_range_and_says_what_is) {
    for (const std::string bad : {"30", "-1s", "1.5s", "30 s", "s", "", "99999999999999999999s", "5m"}) {
        EXPECT_THAT(refusal_of({"worker", "--lease", bad}), AllOf(HasSubstr("--lease"), HasSubstr("5min"))) << bad;
    }
    EXPECT_THAT(refusal_of({"worker", "--lease", "500ms"}), HasSubstr("from 1s to 1h"));
    EXPECT_THAT(refusal_of({"worker", "--lease", "2h"}), HasSubstr("from 1s to 1h"));
}

TEST_F(OptionsTest, refuses_numbers_and_words_out_of_range) {
    EXPECT_THAT(refusal_of({"worker", "--prefetch", "10001"}), HasSubstr("from 0 to 10000"));
    EXPECT_THAT(refusal_of({"worker", "--prefetch", "1e3"}), HasSubstr("whole number"));
    EXPECT_THAT(refusal_of({"worker", "--queue", "q=0"}), HasSubstr("from 1 to 1000"));
    EXPECT_THAT(refusal_of({"worker", "--queue", "Q"}), HasSubstr("is not a queue"));
    EXPECT_THAT(refusal_of({"worker", "--queue", "q", "--queue", "q=2"}), HasSubstr("second time"));
    EXPECT_THAT(refusal_of({"worker", "--listen", "yes"}), HasSubstr("on, off"));
    EXPECT_THAT(refusal_of({"worker", "--log-level", "loud"}), HasSubstr("debug, info, warning, error"));
    EXPECT_THAT(refusal_of({"worker", "--lease"}), HasSubstr("no value"));
}

TEST_F(OptionsTest, says_what_is_wrong_with_a_file) {
    EXPECT_THAT(refusal_of({"worker", "--config", "/nonexistent.conf"}), HasSubstr("cannot read /nonexistent.conf"));
    EXPECT_THAT(refusal_of({"worker", "--config", directory_.string()}), HasSubstr("cannot read"));
    EXPECT_THAT(refusal_of({"worker", "--config", file("nonsense\n")}), HasSubstr("millrace.conf"));
    EXPECT_THAT(refusal_of({"worker", "--config", file("[worker]\nname = a # b\n")}), HasSubstr("millrace.conf:2"));
    EXPECT_THAT(refusal_of({"worker", "--config", file("[worker]\n\nname\n")}), HasSubstr("millrace.conf:3"));
    EXPECT_THAT(refusal_of({"worker", "--config", "/proc/self/mem"}), HasSubstr("cannot read"));
}

TEST_F(OptionsTest, takes_a_password_from_the_environment_or_a_private_file_only) {
    const std::string url = "[smtp]\nurl = smtp://mail.example.org\n";
    const auto secret = file("hunter2\n", 0600, "secret");
    EXPECT_EQ(
        read_options(Words{}, {{"MILLRACE_SMTP_URL", "smtp://h"}, {"MILLRACE_SMTP_PASSWORD", "p"}}).smtp->password,
        "p");
    EXPECT_EQ(read_options(Words{"--config", file(url + "password = p\n", 0600)}, {}).smtp->password, "p");
    EXPECT_EQ(read_options(Words{"--smtp-url=smtp://h", "--smtp-password-file", secret}, {}).smtp->password, "hunter2");

    EXPECT_THAT(refusal_of({"--smtp-password", "p"}), AllOf(HasSubstr("command line"), HasSubstr("0600")));
    EXPECT_THAT(refusal_of({"--config", file(url + "password = p\n", 0640)}),
                AllOf(HasSubstr("others can read"), HasSubstr("chmod 600")));
    const auto shared = file("hunter2\n", 0644, "shared");
    EXPECT_THAT(refusal_of({"--smtp-password-file", shared}),
                AllOf(HasSubstr(shared), HasSubstr("chmod 600 " + shared)));
    EXPECT_THAT(refusal_of({"--smtp-password-file", file("\n", 0600, "empty")}), HasSubstr("no password"));
}

TEST_F(OptionsTest, lets_a_stronger_source_replace_the_password_whichever_way_it_was_given) {
    const auto secret = file("weak\n", 0600, "secret");
    const auto path = file("[smtp]\nurl = smtp://h\npassword_file = " + secret + "\n");
    EXPECT_EQ(read_options(Words{"--config", path}, {{"MILLRACE_SMTP_PASSWORD", "strong"}}).smtp->password, "strong");
}

TEST_F(OptionsTest, never_repeats_a_password_in_what_it_says) {
    const std::string canary = "canary-7f3a";
    EXPECT_THAT(refusal_of({"--smtp-password", canary}), ::testing::Not(HasSubstr(canary)));
    EXPECT_THAT(refusal_of({"--database-url", "postgresql://u:" + canary + "@h/d"}), ::testing::Not(HasSubstr(canary)));
    EXPECT_THAT(refusal_of({"--smtp-url", "smtp://u:" + canary + "@h"}), ::testing::Not(HasSubstr(canary)));
    EXPECT_THAT(refusal_of({"--smtp-pasword=" + canary}),
                AllOf(HasSubstr("--smtp-pasword"), ::testing::Not(HasSubstr(canary))));
    for (const auto& line : {"password " + canary, "password: " + canary, "password " + canary + " = x", canary}) {
        EXPECT_THAT(refusal_of({"--config", file("[smtp]\n" + line + "\n", 0600)}),
                    AllOf(HasSubstr("millrace.conf:2"), ::testing::Not(HasSubstr(canary))));
    }
}

TEST_F(OptionsTest, shows_a_long_or_broken_value_in_part) {
    const auto refusal = refusal_of({"worker", "--lease", std::string(4000, '9')});
    EXPECT_LT(refusal.size(), 400U);
    EXPECT_THAT(refusal, HasSubstr("5min"));
    EXPECT_THAT(refusal_of({"worker", "--config", file(std::string("[worker]\nlease = 1s\0\n", 21))}),
                HasSubstr("5min"));
    EXPECT_THAT(refusal_of({"worker", "--name", "a\xff"}), HasSubstr("UTF-8"));
}

TEST_F(OptionsTest, refuses_a_value_without_end_before_anything_reads_it) {
    const auto endless = "smtp://" + std::string(100'000, 'a');
    for (const auto* variable : {"MILLRACE_SMTP_URL", "MILLRACE_DATABASE_URL", "MILLRACE_HTTP_LISTEN"})
        EXPECT_THAT(refusal_of({}, {{variable, endless}}), HasSubstr("longer than 4096 bytes")) << variable;
}

TEST_F(OptionsTest, treats_a_password_within_the_database_url_as_one) {
    for (const std::string url :
         {"postgresql://u:p@h/d", "host=h password=p", "postgresql://h/d?password=p", "host='h'password=p"}) {
        EXPECT_THAT(refusal_of({"--database-url", url}), HasSubstr("command line")) << url;
        EXPECT_EQ(refusal_of({}, {{"MILLRACE_DATABASE_URL", url}}), "") << url;
        EXPECT_THAT(refusal_of({"--config", file("[database]\nurl = " + url + "\n", 0644)}), HasSubstr("chmod 600"))
            << url;
        EXPECT_THAT(refusal_of({"--database-listen-url", url}), HasSubstr("command line")) << url;
        EXPECT_EQ(refusal_of({}, {{"MILLRACE_DATABASE_LISTEN_URL", url}}), "") << url;
    }
    EXPECT_EQ(refusal_of({"--database-url", "postgresql://u@h:5432/d"}), "");
}

TEST_F(OptionsTest, takes_several_databases_each_with_a_name) {
    const std::vector<NamedDatabase> both{{"east", "dbname=shop"}, {"w_1-x", "postgresql://h1,h2/d?connect_timeout=2"}};
    EXPECT_EQ(read_options(Words{"worker", "--database", "east=dbname=shop",
                                 "--database=w_1-x=postgresql://h1,h2/d?connect_timeout=2"},
                           {})
                  .databases,
              both);
    EXPECT_EQ(read_options(Words{"worker"}, {{"MILLRACE_WORKER_DATABASE",
                                              "east=dbname=shop;w_1-x=postgresql://h1,h2/d?connect_timeout=2"}})
                  .databases,
              both);
    const auto lines = file("[worker]\ndatabase = east=dbname=shop\ndatabase = west=dbname=mall\n");
    EXPECT_EQ(read_options(Words{"--config", lines}, {}).databases.size(), 2U);
    EXPECT_EQ(refusal_of({"worker", "--database", std::string(40, 'n') + "=x"}), "");
}

TEST_F(OptionsTest, refuses_databases_that_cannot_be_told_apart) {
    const std::string canary = "canary-7f3a";
    for (const auto& value : {canary + "?", "=" + canary, "East=" + canary, "a b=" + canary, "a/b=" + canary,
                              "../b=" + canary, std::string{"east="}, std::string(41, 'n') + "=" + canary}) {
        EXPECT_THAT(refusal_of({"worker", "--database", value}),
                    AllOf(HasSubstr("Write NAME=URL"), ::testing::Not(HasSubstr(canary))))
            << value;
    }
    EXPECT_THAT(refusal_of({"worker", "--database=a=dbname=x", "--database=a=dbname=y"}), HasSubstr("a second time"));
    EXPECT_THAT(refusal_of({"worker", "--database=a=dbname=x", "--database-url=dbname=y"}),
                HasSubstr("database.url is set, too"));
    EXPECT_THAT(refusal_of({"worker", "--database=a=dbname=x", "--database-listen-url=dbname=x"}),
                HasSubstr("database.listen_url: is for one database"));
    EXPECT_EQ(refusal_of({"queues", "--worker-database=a=dbname=x", "--database-url=dbname=y"}), "")
        << "one file may be for all commands";
    Words many{"worker"};
    for (int i = 0; i < 21; ++i)
        many.push_back("--database=d" + std::to_string(i) + "=dbname=x");
    EXPECT_THAT(refusal_of(many), HasSubstr("more than 20 databases"));
}

TEST_F(OptionsTest, treats_a_password_of_one_of_several_databases_as_one) {
    for (const std::string url : {"postgresql://u:canary@h/d", "password=canary", "host=h password=canary",
                                  "postgresql://h/d?password=canary"}) {
        EXPECT_THAT(refusal_of({"worker", "--database", "east=" + url}),
                    AllOf(HasSubstr("command line"), ::testing::Not(HasSubstr("canary"))))
            << url;
        EXPECT_EQ(refusal_of({"worker"}, {{"MILLRACE_WORKER_DATABASE", "east=" + url}}), "") << url;
        EXPECT_THAT(refusal_of({"--config", file("[worker]\ndatabase = east=" + url + "\n", 0644)}),
                    AllOf(HasSubstr("chmod 600"), ::testing::Not(HasSubstr("canary"))))
            << url;
        EXPECT_THAT(refusal_of({}, {{"MILLRACE_WORKER_DATABASE", "east=x;" + url}}),
                    ::testing::Not(HasSubstr("canary")))
            << url;
    }
}

TEST_F(OptionsTest, derives_port_and_security_from_the_address_of_the_mail_server) {
    using adapters::SmtpSecurity;
    const auto smtp_of = [](const Words& words) { return *read_options(words, {}).smtp; };
    EXPECT_EQ(smtp_of({"--smtp-url", "smtp://h"}).port, 587);
    EXPECT_EQ(smtp_of({"--smtp-url", "smtp://h"}).security, SmtpSecurity::starttls);
    EXPECT_EQ(smtp_of({"--smtp-url", "smtps://h"}).port, 465);
    EXPECT_EQ(smtp_of({"--smtp-url", "smtps://h"}).security, SmtpSecurity::tls);
    EXPECT_EQ(smtp_of({"--smtp-url", "smtp://[::1]:2525/"}).host, "::1");
    EXPECT_EQ(smtp_of({"--smtp-url", "smtp://[::1]:2525/"}).port, 2525);
    EXPECT_THAT(refusal_of({"--smtp-url", "smtps://h", "--smtp-security", "none"}), HasSubstr("contradicts"));
    EXPECT_THAT(refusal_of({"--smtp-url", "http://h"}), HasSubstr("smtp://HOST:PORT"));
    EXPECT_THAT(refusal_of({"--smtp-url", "smtp://h:99999"}), HasSubstr("65535"));
    EXPECT_THAT(refusal_of({"--smtp-from", "a@example.org"}), HasSubstr("smtp.url is not"));
    EXPECT_FALSE(read_options(Words{}, {}).smtp.has_value());
}

TEST_F(OptionsTest, finds_every_setting_in_the_example_file_and_accepts_its_values) {
    std::ifstream example{MILLRACE_SOURCE_DIR "/config/millrace.conf"};
    ASSERT_TRUE(example);
    const auto secret = file(std::string(32, 'p') + "\n", 0600, "secret");
    std::string uncommented;
    std::vector<std::string> found;
    std::string section;
    for (std::string line; std::getline(example, line);) {
        if (line.starts_with("[")) section = line.substr(1, line.size() - 2);
        const bool is_setting = line.size() > 1 && line[0] == '#' && line[1] != ' ';
        if (is_setting) {
            line.erase(0, 1);
            const auto key = section + "." + line.substr(0, line.find(' '));
            if (key == "smtp.password_file") line = "password_file = " + secret;
            if (key == "dashboard.token_file") line = "token_file = " + secret;
            if (key == "smtp.token_file") line = "token_file = " + secret;
            found.push_back(key);
        }
        uncommented += line + "\n";
    }
    EXPECT_EQ(refusal_of({"--config", file(uncommented)}), "");
    for (const auto& setting : known_settings()) {
        if (setting.key == "smtp.token") continue;  // of the environment only
        EXPECT_THAT(found, ::testing::Contains(std::string{setting.key}));
    }
}

TEST_F(OptionsTest, takes_a_token_from_the_environment_only) {
    const std::string canary = "canary-7f3a";
    const auto options =
        read_options(Words{"--smtp-url=smtp://h", "--smtp-auth=xoauth2"}, {{"MILLRACE_SMTP_TOKEN", canary}});
    EXPECT_EQ(options.smtp->token, canary);
    EXPECT_EQ(options.smtp->auth, adapters::SmtpAuth::xoauth2);
    for (const auto& refusal : {refusal_of({"--smtp-url=smtp://h", "--smtp-token", canary}),
                                refusal_of({"--config", file("[smtp]\ntoken = " + canary + "\n", 0600)})}) {
        EXPECT_THAT(refusal, AllOf(HasSubstr("environment"), ::testing::Not(HasSubstr(canary))));
    }
    EXPECT_THAT(refusal_of({"--smtp-url=smtp://h", "--smtp-auth", "ntlm"}), HasSubstr("cram-md5"));
}

TEST_F(OptionsTest, takes_the_header_of_a_collector_as_a_secret_and_not_into_the_clear) {
    const std::string header = "Authorization: Bearer canary-7f3a";
    const Environment given{{"MILLRACE_TRACE_HEADER", header}};
    for (const auto* endpoint : {"https://collector.example.org/v1/traces", "http://localhost:4318/v1/traces",
                                 "http://127.0.0.1/v1/traces", "http://[::1]:4318/v1/traces"})
        EXPECT_EQ(read_options(Words{"--trace-endpoint", endpoint}, given).trace_header, header) << endpoint;
    for (const auto* endpoint : {"http://collector/v1/traces", "http://localhost.example.org/v1/traces"}) {
        EXPECT_THAT(refusal_of({"--trace-endpoint", endpoint}, given),
                    AllOf(HasSubstr("in the clear"), ::testing::Not(HasSubstr("canary"))))
            << endpoint;
    }
    for (const auto& refusal :
         {refusal_of({"--trace-header", header}), refusal_of({}, {{"MILLRACE_TRACE_HEADER", "canary-7f3a"}}),
          refusal_of({}, {{"MILLRACE_TRACE_HEADER", header + "\r\nX: y"}}),
          refusal_of({"--trace-endpoint=https://u:canary@h/v1/traces"}),
          refusal_of({"--config", file("[trace]\nheader = " + header + "\n", 0644)})}) {
        EXPECT_THAT(refusal, AllOf(::testing::Ne(""), ::testing::Not(HasSubstr("canary"))));
    }
    EXPECT_EQ(read_options(Words{"--config", file("[trace]\nheader = " + header + "\n", 0600)}, {}).trace_header,
              header);
}

TEST_F(OptionsTest, takes_a_token_from_a_file_that_nobody_else_reads) {
    const auto token = file("canary-token\n", 0600, "token");
    const auto options = read_options(Words{"--smtp-url=smtp://h", "--smtp-token-file", token}, {});
    EXPECT_EQ(options.smtp->token_file, token);
    EXPECT_EQ(options.smtp->token, "") << "it is read when it is needed";
    const auto shared = file("canary-token\n", 0644, "shared");
    const auto empty = file("\n", 0600, "empty");
    EXPECT_THAT(refusal_of({"--smtp-url=smtp://h", "--smtp-token-file", shared}),
                AllOf(HasSubstr("chmod 600"), ::testing::Not(HasSubstr("canary"))));
    EXPECT_THAT(refusal_of({"--smtp-url=smtp://h", "--smtp-token-file", empty}), HasSubstr("holds no token"));
}

TEST_F(OptionsTest, takes_the_token_of_the_dashboard_from_where_others_cannot_read_it) {
    const std::string one(32, 'a');
    EXPECT_FALSE(read_options(Words{}, {}).dashboard.is_served);
    EXPECT_EQ(read_options(Words{}, {{"MILLRACE_DASHBOARD_TOKEN", one}}).dashboard.token, one);
    const auto its_own = file(one + "\n", 0600, "token");
    EXPECT_EQ(read_options(Words{"--dashboard-token-file", its_own}, {}).dashboard.token, one);
    EXPECT_THAT(refusal_of({"--dashboard-token-file", file(one, 0644, "shared")}), HasSubstr("chmod 600"));
    EXPECT_THAT(refusal_of({"--dashboard-token", one}), HasSubstr("command line"));
    EXPECT_THAT(refusal_of({}, {{"MILLRACE_DASHBOARD_TOKEN", "hunter2"}}),
                AllOf(HasSubstr("32 to 1024"), ::testing::Not(HasSubstr("hunter2"))));
    EXPECT_THAT(refusal_of({"--dashboard-url", "http://h"}), HasSubstr("https://HOST"));
    EXPECT_EQ(read_options(Words{"--dashboard-url", "https://jobs.example.org:8443/"}, {}).dashboard.url,
              "https://jobs.example.org:8443");
}

TEST_F(OptionsTest, takes_secrets_of_unsubscribe_addresses_the_newest_first) {
    const std::string one(32, 'a');
    const std::string two(32, 'b');
    EXPECT_TRUE(read_options(Words{}, {}).unsubscribe_secrets.empty());
    EXPECT_EQ(read_options(Words{}, {{"MILLRACE_UNSUBSCRIBE_SECRETS", one + "," + two}}).unsubscribe_secrets,
              (Words{one, two}));
    EXPECT_EQ(
        read_options(Words{"--config", file("[unsubscribe]\nsecrets = " + one + "\n", 0600)}, {}).unsubscribe_secrets,
        Words{one});
    EXPECT_THAT(refusal_of({"--unsubscribe-secrets", one}), HasSubstr("command line"));
    EXPECT_THAT(refusal_of({"--config", file("[unsubscribe]\nsecrets = " + one + "\n", 0644)}), HasSubstr("chmod"));
    EXPECT_THAT(refusal_of({}, {{"MILLRACE_UNSUBSCRIBE_SECRETS", "hunter2"}}),
                AllOf(::testing::StartsWith("MILLRACE_UNSUBSCRIBE_SECRETS: number 1 has 7 bytes"),
                      ::testing::Not(HasSubstr("hunter2"))));
    EXPECT_THAT(refusal_of({}, {{"MILLRACE_UNSUBSCRIBE_SECRET", one}}), HasSubstr("MILLRACE_UNSUBSCRIBE_SECRETS"));
}

TEST_F(OptionsTest, gives_each_worker_a_name) {
    EXPECT_FALSE(read_options(Words{"worker"}, {}).worker.name.empty());
    EXPECT_EQ(read_options(Words{"worker", "--name", "alder"}, {}).worker.name, "alder");
}

TEST_F(OptionsTest, knows_where_systemd_wants_to_be_told) {
    const auto alone = read_options(Words{"worker"}, {}).supervision;
    EXPECT_EQ(alone.socket, "");
    EXPECT_EQ(alone.watchdog, 0us);
    Environment systemd{{"NOTIFY_SOCKET", "/run/systemd/notify"}, {"WATCHDOG_USEC", "60000000"}};
    EXPECT_EQ(read_options(Words{"worker"}, systemd).supervision.socket, "/run/systemd/notify");
    EXPECT_EQ(read_options(Words{"worker"}, systemd).supervision.watchdog, 60s);
    systemd["WATCHDOG_PID"] = std::to_string(getpid());
    EXPECT_EQ(read_options(Words{"worker"}, systemd).supervision.watchdog, 60s);
    systemd["WATCHDOG_PID"] = "1";
    EXPECT_EQ(read_options(Words{"worker"}, systemd).supervision.watchdog, 0us) << "another process is watched";
    for (const auto* odd : {"", "soon", "60 s", "-1", "99999999999999999999"}) {
        EXPECT_EQ(read_options(Words{"worker"}, {{"WATCHDOG_USEC", odd}}).supervision.watchdog, 0us) << odd;
    }
}

TEST_F(OptionsTest, finds_a_cache_where_systemd_or_the_desktop_keeps_one) {
    const auto cache_of = [](const Environment& environment, const Words& words = {}) {
        return read_options(words, environment).cache_directory;
    };
    EXPECT_EQ(cache_of({}), "");
    EXPECT_EQ(cache_of({{"HOME", "relative"}}), "");
    Environment environment{{"HOME", "/h"}};
    EXPECT_EQ(cache_of(environment), "/h/.cache/millrace");
    environment["XDG_CACHE_HOME"] = "/x";
    EXPECT_EQ(cache_of(environment), "/x/millrace");
    environment["CACHE_DIRECTORY"] = "/var/cache/a:/var/cache/b";
    EXPECT_EQ(cache_of(environment), "/var/cache/a");
    EXPECT_EQ(cache_of(environment, {"worker", "--cache", "/mine"}), "/mine");
    EXPECT_THAT(refusal_of({"worker", "--cache", "mine"}), HasSubstr("not absolute"));
}

TEST_F(OptionsTest, listens_where_it_is_told_to_and_nowhere_else) {
    const auto address_of = [](const std::string& value) {
        const auto http = read_options(Words{"worker", "--http-listen", value}, {}).http;
        return http ? http->host + " " + std::to_string(http->port) : "nowhere";
    };
    EXPECT_FALSE(read_options(Words{"worker"}, {}).http.has_value());
    EXPECT_EQ(address_of("127.0.0.1:9477"), "127.0.0.1 9477");
    EXPECT_EQ(address_of("localhost:1"), "localhost 1");
    EXPECT_EQ(address_of("[::1]:9477"), "::1 9477");
    EXPECT_EQ(address_of("0.0.0.0:65535"), "0.0.0.0 65535");
    EXPECT_EQ(address_of("off"), "nowhere");
    const auto path = file("[http]\nlisten = 127.0.0.1:9477\n");
    EXPECT_FALSE(read_options(Words{"worker", "--config", path, "--http-listen", "off"}, {}).http.has_value());
    EXPECT_EQ((ops::Address{"::1", 9477}.text()), "[::1]:9477");
    EXPECT_EQ((ops::Address{"127.0.0.1", 9477}.text()), "127.0.0.1:9477");
}

TEST_F(OptionsTest, refuses_what_is_no_address_to_listen_on) {
    for (const std::string bad : {"127.0.0.1", ":9477", "9477", "::1:9477", "[::1]", "127.0.0.1:", "127.0.0.1:http",
                                  "http://127.0.0.1:9477", "127.0.0.1:9477/", "on", "127.0.0.1:123456"}) {
        EXPECT_THAT(refusal_of({"worker", "--http-listen", bad}),
                    AllOf(HasSubstr("--http-listen"), HasSubstr("\"" + bad + "\""), HasSubstr("Write ADDRESS:PORT")))
            << bad;
    }
    for (const std::string bad : {"127.0.0.1:0", "127.0.0.1:70000", "[::1]:65536"}) {
        EXPECT_THAT(refusal_of({"worker", "--http-listen", bad}),
                    AllOf(HasSubstr("--http-listen"), HasSubstr("from 1 to 65535")))
            << bad;
    }
}

TEST_F(OptionsTest, takes_the_token_for_github_from_the_variable_that_is_named) {
    const Words words{"worker", "--github-token-variable=A_TOKEN", "--github-api-url=https://ghe.example.org/api/v3/"};
    const auto options = read_options(words, {{"A_TOKEN", "ghp_x"}});
    ASSERT_TRUE(options.github);
    EXPECT_EQ(options.github->token, "ghp_x");
    EXPECT_EQ(options.github->api_url, "https://ghe.example.org/api/v3");
    EXPECT_FALSE(adapters::github_problem(*options.github));
    auto elsewhere = *options.github;
    elsewhere.ca_file = "/no/such";
    EXPECT_THAT(adapters::github_problem(elsewhere).value_or(""), HasSubstr("/no/such cannot be read"));

    const auto without = read_options(words, {});
    ASSERT_TRUE(without.github);
    EXPECT_THAT(adapters::github_problem(*without.github).value_or(""),
                AllOf(HasSubstr("no variable A_TOKEN"), HasSubstr("Contents: read and write")));
    EXPECT_FALSE(read_options(Words{"worker"}, {{"GITHUB_TOKEN", "ghp_x"}}).github) << "only when it is named";
    EXPECT_EQ(refusal_of({"worker", "--github-token-variable=ghp_canary"}).find("canary"), std::string::npos);
}

TEST_F(OptionsTest, passes_few_variables_on_and_no_secret) {
    const auto options =
        read_options(Words{}, {{"PATH", "/bin"}, {"PGPASSWORD", "p"}, {"MILLRACE_SMTP_PASSWORD", "p"}, {"HOME", "/h"}});
    EXPECT_THAT(options.program_environment, ElementsAre("PATH=/bin", "HOME=/h"));
    EXPECT_THAT(read_options(Words{}, {{"SSL_CERT_FILE", "/ca.pem"}}).program_environment,
                ElementsAre("SSL_CERT_FILE=/ca.pem", "GIT_SSL_CAINFO=/ca.pem"))
        << "by the name that git has for it";
}

}  // namespace
}  // namespace millrace
