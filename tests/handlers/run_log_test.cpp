// The log of a command when the server takes a text and its answer is lost: nothing of it is missing afterwards, and
// nothing is there twice.

#include "handlers/pipeline/run_log.hpp"
#include "support/answer_thief.hpp"
#include "support/pipeline_stages.hpp"

#include <gtest/gtest.h>

namespace millrace::testing {
namespace {

using handlers::pipeline::RunLog;

class RunLogTest : public ::testing::Test {
protected:
    RunLogTest() {
        pipeline_.push({{"a", "1"}});
        pipeline_.steps({"process", "build"});
        database_.execute("select pipeline.start_command('shop/main', 'command/1')");
    }
    // Begins the log with a line that the server takes without the writer's hearing so.
    void lose_the_answer_to(const std::string& line) {
        thief_.steal("COMMIT");
        log_.add(line);
        EXPECT_TRUE(database_.becomes(written, line));
    }

    static constexpr auto written = "select string_agg(text, '' order by start_byte) from pipeline.command_log";

    PipelineStages pipeline_;
    Database& database_ = pipeline_.database();
    AnswerThief thief_{database_};
    storage::pipeline::StoreCounts counts_;
    std::stop_source void_run_;
    RunLog log_{thief_.sessions(), counts_, {{"shop/main", "command/1"}, 1}, void_run_};
};

TEST_F(RunLogTest, goes_on_after_what_was_written_although_the_answer_was_lost) {
    lose_the_answer_to("first\n");
    log_.add("second\nthi");
    EXPECT_TRUE(database_.becomes(written, "first\nsecond\n"));
    log_.add("rd\n");
    EXPECT_TRUE(database_.becomes(written, "first\nsecond\nthird\n"));
    EXPECT_FALSE(void_run_.stop_requested());
    EXPECT_EQ(thief_.stolen(), 1);
}

TEST_F(RunLogTest, ends_with_all_that_is_left_although_an_answer_was_lost) {
    lose_the_answer_to("first\n");
    const std::string line(100'000, 'x');
    log_.add("second\n" + line);
    const auto session = database_.sessions().open("test");
    storage::Transaction transaction{*session};
    log_.rest(transaction);
    transaction.commit();
    EXPECT_EQ(database_.value(written), "first\nsecond\n" + line);
    EXPECT_EQ(thief_.stolen(), 1);
}

}  // namespace
}  // namespace millrace::testing
