#include "storage/session.hpp"

#include "storage/conninfo.hpp"
#include "storage/error.hpp"
#include "storage/translation.hpp"
#include "support/database.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <tuple>

namespace millrace::storage {
namespace {

using namespace std::chrono_literals;

class Sessions : public ::testing::Test {
protected:
    testing::Database database;
};

TEST_F(Sessions, show_their_purpose_to_whoever_looks_at_the_server) {
    const auto session = database.sessions().open("claimer q");
    EXPECT_EQ(execute(*session, "select current_setting('application_name')")[0][0].as<std::string>(),
              "millrace claimer q");
}

TEST_F(Sessions, speak_utf8_whatever_the_connection_string_says) {
    const SessionFactory latin{database.sessions().conninfo() + " client_encoding=LATIN1"};
    EXPECT_EQ(execute(*latin.open("test"), "show client_encoding")[0][0].as<std::string>(), "UTF8");
}

TEST_F(Sessions, are_lost_with_their_connection_and_never_reconnect_by_themselves) {
    const auto session = database.sessions().open("doomed");
    execute(*session, "set myapp.note = 'mine'");
    EXPECT_EQ(database.terminate("millrace doomed"), 1);
    EXPECT_THROW(execute(*session, "select 1"), ConnectionLost);
    EXPECT_THROW(execute(*session, "select 1"), ConnectionLost) << "a silent reconnect would lose the settings";
    EXPECT_THROW(Transaction{*session}.commit(), ConnectionLost);
}

TEST_F(Sessions, translate_what_the_server_refuses_with_its_state_and_hint) {
    const auto session = database.sessions().open("test");
    try {
        execute(*session,
                "do $$ begin raise exception using errcode = 'MR003',"
                " message = 'first line: of two' || e'\\n' || 'and the second',"
                " detail = 'a detail', hint = 'do this' || e'\\n' || 'then that'; end $$");
        FAIL() << "not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.sqlstate(), "MR003");
        EXPECT_STREQ(error.what(), "first line: of two\nand the second (a detail)");
        EXPECT_EQ(error.hint(), "do this\nthen that");
        EXPECT_FALSE(error.is_passing());
    }
}

// The table of sql/queue/errors.md, and what the server itself says in bad times.
TEST_F(Sessions, have_an_exception_of_its_own_for_what_the_engine_must_tell_apart) {
    const auto raise = [&](const std::string& sqlstate) {
        const auto session = database.sessions().open("test");
        const auto statement = "do $$ begin raise exception using errcode = '" + sqlstate + "', message = 'no'; end $$";
        execute(*session, statement.c_str());
    };
    EXPECT_THROW(raise("MR001"), LeaseLost);
    EXPECT_THROW(raise("MR002"), SessionEnded);
    EXPECT_THROW(raise("MR012"), SchemaMismatch);
    for (const auto* lost : {"57P01", "57P02", "57P03", "08006", "25006"})
        EXPECT_THROW(raise(lost), ConnectionLost);
    for (const auto* other :
         {"MR003", "MR004", "MR005", "MR006", "MR007", "MR008", "MR010", "MR011", "22023", "23505", "42501", "P0001"}) {
        try {
            raise(other);
            ADD_FAILURE() << other << " was not refused";
        } catch (const Error& error) {
            EXPECT_EQ(error.sqlstate(), other);
            EXPECT_FALSE(error.is_passing()) << other;
        }
    }
    for (const auto* passing : {"40001", "40P01", "53100", "55P03", "57014", "58030"}) {
        try {
            raise(passing);
            ADD_FAILURE() << passing << " was not refused";
        } catch (const Error& error) {
            EXPECT_EQ(error.sqlstate(), passing);
            EXPECT_TRUE(error.is_passing()) << passing;
        }
    }
}

TEST_F(Sessions, can_be_hung_up_by_another_thread_and_leave_no_backend_behind) {
    const auto session = database.sessions().open("slow");
    auto slow = std::async(std::launch::async, [&] { execute(*session, "select pg_sleep(600)"); });
    const auto backends = [](const std::string& more) {
        return "select count(*) from pg_stat_activity where datname = current_database()"
               " and application_name = 'millrace slow'" +
               more;
    };
    ASSERT_TRUE(database.becomes(backends(" and wait_event = 'PgSleep'"), "1"));
    session->hang_up();
    EXPECT_THROW(slow.get(), ConnectionLost);
    EXPECT_TRUE(database.becomes(backends(""), "0")) << "the server watches its client";
    EXPECT_THROW(execute(*session, "select 1"), ConnectionLost);
}

TEST_F(Sessions, are_not_opened_where_they_could_not_be_hung_up) {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    const auto limit_to = [&](rlim_t descriptors) {
        const rlimit limit{descriptors, before.rlim_max};
        return setrlimit(RLIMIT_NOFILE, &limit) == 0;
    };
    // The sanitizer looks at types that it has not met yet by way of a pipe, for which there is no room below.
    database.sessions().open("roomy")->hang_up();
    EXPECT_THROW(std::ignore = SessionFactory{"host=/nowhere"}.open("nowhere"), ConnectionLost);
    const auto next = ::dup(0);
    ::close(next);
    int opened = 0;
    for (int room = 0; room < 8 && opened == 0; ++room) {
        ASSERT_TRUE(limit_to(static_cast<rlim_t>(next + room)));
        std::unique_ptr<Session> session;
        try {
            session = database.sessions().open("cramped");
        } catch (const ConnectionLost&) {
            continue;
        }
        ++opened;
        session->hang_up();
        EXPECT_THROW(execute(*session, "select 1"), ConnectionLost) << room;
    }
    EXPECT_TRUE(limit_to(before.rlim_cur));
    EXPECT_EQ(opened, 1) << "with room enough";
}

TEST_F(Sessions, work_as_a_worker_without_any_right_on_the_tables) {
    const auto session = database.sessions().open("test");
    for (const auto* statement :
         {"select 1 from millrace.job", "delete from millrace.running", "select millrace.create_queue('mine')"}) {
        try {
            execute(*session, statement);
            ADD_FAILURE() << statement << " was allowed";
        } catch (const Error& error) {
            EXPECT_EQ(error.sqlstate(), "42501");
        }
    }
}

TEST_F(Sessions, roll_back_a_transaction_that_was_not_committed) {
    database.execute("create table public.note (n int)");
    database.execute("grant insert on public.note to millrace_worker");
    const auto session = database.sessions().open("test");
    {
        Transaction transaction{*session};
        execute(transaction, "insert into public.note values (1)");
    }
    {
        Transaction transaction{*session};
        execute(transaction, "insert into public.note values (2)");
        transaction.commit();
    }
    EXPECT_EQ(database.value("select string_agg(n::text, ',') from public.note"), "2");
}

TEST(ConnectionStrings, that_reach_no_server_are_a_lost_connection) {
    EXPECT_THROW(std::ignore = SessionFactory{"host=/nonexistent"}.open("test"), ConnectionLost);
    EXPECT_THROW(std::ignore = SessionFactory{"host=127.0.0.1 port=1"}.open("test"), ConnectionLost);
}

TEST(ConnectionStrings, that_are_none_are_refused) {
    EXPECT_THROW(std::ignore = SessionFactory{"nonsense"}.open("test"), Error);
    EXPECT_THROW(std::ignore = SessionFactory{"hots=x"}.open("test"), Error);
}

TEST(ConnectionStrings, are_refused_without_a_word_of_the_password) {
    for (const std::string bad :
         {"postgresql://u:canary@[::1", "password=x canary", "password='canary", "password=canary x", "canary=x",
          "postgresql://u:%zzcanary@h/d", "postgresql://u:p@canary@h/d", "postgresql://u:canary/p@h/d",
          "host=one,p@canary", "port=canary", "password=x a\"canary"}) {
        try {
            std::ignore = completed_conninfo(bad, "test");
            FAIL() << bad;
        } catch (const Error& error) {
            EXPECT_EQ(std::string{error.what()}.find("canary"), std::string::npos) << error.what();
            EXPECT_NE(error.hint(), "") << bad;
        }
    }
    EXPECT_NO_THROW(std::ignore = completed_conninfo("host=@abstract,/run/a@b port=5432,5433", "test"));
}

TEST(ConnectionStrings, keep_what_they_say_and_gain_what_they_do_not) {
    const auto completed = completed_conninfo("host='a b' tcp_user_timeout=5", "test");
    EXPECT_NE(completed.find("host='a b' "), std::string::npos) << completed;
    EXPECT_NE(completed.find("tcp_user_timeout='5' "), std::string::npos) << completed;
    EXPECT_NE(completed.find("keepalives_idle='10' "), std::string::npos) << completed;
    EXPECT_NE(completed.find("application_name='millrace test' "), std::string::npos) << completed;
}

TEST(ConnectionStrings, leave_alone_what_their_service_file_says) {
    const auto path = ::testing::TempDir() + "millrace_services_" + std::to_string(::getpid());
    std::ofstream{path} << "[shop]\nhost=db1\nport=6543\nconnect_timeout=2\nkeepalives_idle=60\n"
                           "[mall]\nhostaddr=192.0.2.1\ntcp_user_timeout=5000\n";
    ::setenv("PGSERVICEFILE", path.c_str(), 1);
    const auto shop = completed_conninfo("service=shop dbname=d", "test");
    EXPECT_EQ(shop.find("connect_timeout="), std::string::npos) << shop;
    EXPECT_EQ(shop.find("keepalives_idle="), std::string::npos) << shop;
    EXPECT_EQ(shop.find("host"), std::string::npos) << shop;
    EXPECT_NE(shop.find("tcp_user_timeout='20000' "), std::string::npos) << shop;
    EXPECT_NE(shop.find("service='shop' "), std::string::npos) << shop;
    EXPECT_NE(completed_conninfo("service=shop connect_timeout=7", "test").find("connect_timeout='7' "),
              std::string::npos);
    const auto mall = completed_conninfo("postgresql:///?service=mall", "test");
    EXPECT_EQ(mall.find("tcp_user_timeout="), std::string::npos) << mall;
    EXPECT_NE(mall.find("connect_timeout='10' "), std::string::npos) << mall;
    EXPECT_NE(completed_conninfo("service=nowhere", "test").find("connect_timeout='10' "), std::string::npos);
    EXPECT_THROW(std::ignore = SessionFactory{"service=nowhere"}.open("test"), ConnectionLost);
    ::unsetenv("PGSERVICEFILE");
    ::unlink(path.c_str());
}

TEST(ConnectionStrings, may_be_uris) {
    const auto completed =
        completed_conninfo("postgresql://me:pass%20%27word@one,two/db?target_session_attrs=read-write", "test");
    EXPECT_NE(completed.find("host='one,two' "), std::string::npos) << completed;
    EXPECT_NE(completed.find("password='pass \\'word' "), std::string::npos) << completed;
    EXPECT_NE(completed.find("target_session_attrs='read-write' "), std::string::npos) << completed;
}

}  // namespace
}  // namespace millrace::storage
