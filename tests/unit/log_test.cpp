#include "ops/log.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

namespace millrace::ops {
namespace {

struct Close {
    void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
};

class LogFile {
public:
    [[nodiscard]] std::FILE* file() const { return file_.get(); }
    [[nodiscard]] std::vector<std::string> lines() const {
        std::rewind(file_.get());
        std::vector<std::string> found;
        std::string line;
        for (int letter = std::fgetc(file_.get()); letter != EOF; letter = std::fgetc(file_.get())) {
            if (letter == '\n') {
                found.push_back(std::exchange(line, {}));
            } else {
                line += static_cast<char>(letter);
            }
        }
        return found;
    }

private:
    std::unique_ptr<std::FILE, Close> file_{std::tmpfile()};
};

TEST(Log, writes_one_json_object_a_line) {
    LogFile file;
    Log log{Log::Format::json, file.file()};
    log.write(Level::warning, "lease lost", {{"session", 7}, {"reason", "said \"no\"\nand \xFF left"}});
    const auto lines = file.lines();
    ASSERT_EQ(lines.size(), 1U);
    const auto line = nlohmann::json::parse(lines[0]);
    EXPECT_EQ(line["level"], "warning");
    EXPECT_EQ(line["message"], "lease lost");
    EXPECT_EQ(line["session"], 7);
    EXPECT_EQ(line["reason"], "said \"no\"\nand ? left");
    EXPECT_TRUE(line["time"].get<std::string>().ends_with("Z"));
}

TEST(Log, lets_no_control_character_reach_a_terminal) {
    LogFile file;
    Log log{Log::Format::human, file.file()};
    log.write(Level::info, "job done", {{"kind", "x\x1B[2J\ny"}, {"queue", "ü\u009b2J\u0085z"}});
    const auto lines = file.lines();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines[0].find("kind=x [2J y  queue=ü 2J z"), std::string::npos) << lines[0];
}

TEST(Log, leaves_out_what_is_below_its_level_but_shows_it_to_the_observer) {
    LogFile file;
    Log log{Log::Format::json, file.file(), Level::warning};
    int seen = 0;
    log.observe([&](Level, std::string_view, std::span<const Field>) { ++seen; });
    log.write(Level::info, "quiet");
    log.write(Level::error, "loud");
    EXPECT_EQ(seen, 2);
    EXPECT_EQ(file.lines().size(), 1U);
}

TEST(Log, keeps_lines_of_many_threads_whole) {
    LogFile file;
    Log log{Log::Format::json, file.file()};
    {
        std::vector<std::jthread> writers;
        writers.reserve(4);
        for (int i = 0; i < 4; ++i) {
            writers.emplace_back([&] {
                for (int n = 0; n < 200; ++n)
                    log.write(Level::info, "line", {{"n", n}});
            });
        }
    }
    const auto lines = file.lines();
    ASSERT_EQ(lines.size(), 800U);
    for (const auto& line : lines)
        EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

TEST(Log, of_a_database_writes_to_that_of_all_and_says_which_it_is) {
    LogFile file;
    Log whole{Log::Format::json, file.file()};
    Log east{whole, "east"};
    east.write(Level::info, "stopping", {{"jobs", 3}});
    east.write(Level::debug, "nobody reads this");
    whole.set_least(Level::debug);
    east.write(Level::debug, "somebody reads this");
    whole.write(Level::info, "http listening");
    const auto lines = file.lines();
    ASSERT_EQ(lines.size(), 3U);
    const auto first = nlohmann::json::parse(lines[0]);
    EXPECT_EQ(first["message"], "stopping");
    EXPECT_EQ(first["database"], "east");
    EXPECT_EQ(first["jobs"], 3);
    EXPECT_EQ(nlohmann::json::parse(lines[1])["database"], "east");
    EXPECT_FALSE(nlohmann::json::parse(lines[2]).contains("database"));
}

}  // namespace
}  // namespace millrace::ops
