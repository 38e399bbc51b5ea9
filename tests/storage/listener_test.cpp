#include "storage/listener.hpp"

#include "storage/error.hpp"
#include "storage/job_store.hpp"
#include "support/database.hpp"

#include <gtest/gtest.h>

#include <future>

namespace millrace::storage {
namespace {

using namespace std::chrono_literals;
using Heard = std::vector<Announcement>;
using News = Announcement::News;

class ListenerTest : public ::testing::Test {
protected:
    ListenerTest() {
        for (const auto* queue : {"a", "b.c-d"}) {
            database.create_queue(queue);
            JobStore{*session}.raise_signal(queue);
        }
    }

    testing::Database database;
    std::unique_ptr<Session> session = database.sessions().open("test");
    Listener listener{database.worker_conninfo(), {"a", "b.c-d"}};
    std::stop_source stop;
};

TEST_F(ListenerTest, hears_an_enqueue_while_the_flag_is_up) {
    database.enqueue("b.c-d", "k");
    EXPECT_EQ(listener.wait(stop.get_token(), 10s), (Heard{{"b.c-d", News::jobs}}));
}

TEST_F(ListenerTest, names_each_queue_once) {
    database.execute("select millrace.enqueue('b.c-d', 'k'), millrace.enqueue('a', 'k'), millrace.enqueue('a', 'k')");
    Heard heard;
    while (heard.size() < 2) {
        const auto more = listener.wait(stop.get_token(), 10s);
        ASSERT_FALSE(more.empty());
        heard.insert(heard.end(), more.begin(), more.end());
    }
    EXPECT_EQ(heard, (Heard{{"a", News::jobs}, {"b.c-d", News::jobs}}));
}

TEST_F(ListenerTest, wakes_a_thread_that_waits) {
    auto heard = std::async(std::launch::async, [&] { return listener.wait(stop.get_token(), 10s); });
    database.execute("select millrace.poke('a')");
    EXPECT_EQ(heard.get(), (Heard{{"a", News::jobs}}));
}

TEST_F(ListenerTest, hears_which_session_has_something_to_stop) {
    database.execute("select pg_notify('millrace:cancel', '7')");
    EXPECT_EQ(listener.wait(stop.get_token(), 10s), (Heard{{"", News::cancelling, core::WorkerId{7}}}));
    database.execute("select pg_notify('millrace:cancel', 'all of them')");
    EXPECT_EQ(listener.wait(stop.get_token(), 10s), (Heard{{"", News::cancelling, core::WorkerId{}}}))
        << "nobody's: sessions are counted from 1";
}

TEST_F(ListenerTest, hears_what_concerns_the_chores) {
    for (const auto& [payload, news] :
         {std::pair{"scheduled", News::scheduled}, {"schedules", News::schedules}, {"schemas", News::schemas}}) {
        database.execute(std::string{"select pg_notify('millrace:chores', '"} + payload + "')");
        EXPECT_EQ(listener.wait(stop.get_token(), 10s), (Heard{{"", news}})) << payload;
    }
    database.execute("select pg_notify('millrace:chores', 'what a later version may say')");
    EXPECT_EQ(listener.wait(stop.get_token(), 50ms), Heard{});
}

TEST_F(ListenerTest, hears_a_delayed_job_that_is_due_soon) {
    database.execute("select millrace.enqueue('a', 'k', delay => '14 seconds')");
    EXPECT_EQ(listener.wait(stop.get_token(), 10s), (Heard{{"", News::scheduled}}));
    database.execute("select millrace.enqueue_many('a', 'k', array['{}'::jsonb], delay => '14 seconds')");
    EXPECT_EQ(listener.wait(stop.get_token(), 10s), (Heard{{"", News::scheduled}}));
    database.execute("select millrace.enqueue('a', 'k', delay => '16 seconds')");
    database.execute("select millrace.enqueue_many('a', 'k', array['{}'::jsonb], delay => '16 seconds')");
    database.execute("select millrace.enqueue('a', 'k', delay => '1 second', wake => false)");
    EXPECT_EQ(listener.wait(stop.get_token(), 50ms), Heard{}) << "it is looked for before it is due, or by the caller";
}

TEST_F(ListenerTest, hears_nothing_while_the_flag_is_down) {
    JobStore{*session}.lower_signal("a");
    EXPECT_EQ(listener.wait(stop.get_token(), 10s), (Heard{{"a", News::lowered}}))
        << "sleepers are told that nobody will wake them now";
    database.enqueue("a", "k");
    EXPECT_EQ(listener.wait(stop.get_token(), 50ms), Heard{});
}

TEST_F(ListenerTest, stops_waiting_at_once) {
    auto heard = std::async(std::launch::async, [&] { return listener.wait(stop.get_token(), 1h); });
    stop.request_stop();
    EXPECT_EQ(heard.get(), Heard{});
    EXPECT_EQ(listener.wait(stop.get_token(), 1h), Heard{});
}

TEST_F(ListenerTest, says_that_its_connection_is_lost) {
    auto heard = std::async(std::launch::async, [&] {
        for (int i = 0; i < 3; ++i)
            std::ignore = listener.wait(stop.get_token(), 10s);  // first the server's farewell
    });
    EXPECT_EQ(database.terminate("millrace listener"), 1);
    EXPECT_THROW(heard.get(), ConnectionLost);
    EXPECT_THROW(Listener("host=/nonexistent", {"a"}), ConnectionLost);
}

}  // namespace
}  // namespace millrace::storage
