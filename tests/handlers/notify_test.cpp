// `notify.send` and `notify.digest` as jobs: a real queue, a real worker, a real mail server.

#include "handlers/email/notify_send.hpp"
#include "support/database.hpp"
#include "support/log_watch.hpp"
#include "support/running_worker.hpp"
#include "support/smtp_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

namespace millrace::handlers::email {
namespace {

using adapters::SmtpSecurity;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

class Notify : public ::testing::Test {
protected:
    Notify() : server_{SmtpSecurity::none}, smtp_{server_.settings()} {
        database_.create_queue("email",
                               "max_attempts => 2, retry_base => '10 milliseconds', retry_cap => '10 milliseconds'");
        database_.execute(R"(select notify.configure('ada', '{"email": "ada@example.org"}'))");
    }

    void start(NotifySettings how = {}, std::string redirect_all = {}) {
        Send::Settings settings{.installation = "7311", .redirect_all = std::move(redirect_all)};
        auto send = std::make_unique<Send>(smtp_, settings, log_.log());
        engine::Registry registry;
        registry.add("notify.send", std::make_unique<NotifySend>(*send, how, counts_));
        registry.add("notify.digest", std::make_unique<NotifyDigest>(*send, std::move(how), counts_, pool_));
        registry.add("email.send", std::move(send));
        settings_.queues.front().name = "email";
        worker_.emplace(database_.sessions(), std::move(registry), settings_);
    }

    void emit(const std::string& subject, const std::string& type = "cl.comment.created") {
        database_.execute("select notify.emit($1, 'bob', '{ada}', $2, 'Good morning.', '<p>Good morning.</p>')",
                          {type, subject});
    }
    bool becomes(const std::string& subject, const std::string& status) {
        return database_.becomes("select status from notify.emails where subject = '" + subject + "'", status);
    }
    // Whether the server has so many, though it may not have said so.
    bool has_received(std::size_t mails) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
        while (server_.messages().size() != mails && std::chrono::steady_clock::now() < deadline)
            ;
        return server_.messages().size() == mails;
    }
    std::string of(const std::string& subject, const std::string& column) {
        return database_.value("select " + column + " from notify.emails where subject = '" + subject + "'");
    }

    testing::SmtpServer server_;
    testing::Database database_;
    storage::SessionPool pool_{database_.sessions()};
    testing::LogWatch log_;
    adapters::Smtp smtp_;
    NotifyCounts counts_;
    engine::WorkerSettings settings_ = testing::quick_settings();
    std::optional<testing::RunningWorker> worker_;
};

TEST_F(Notify, a_notification_is_sent_and_its_delivery_recorded_with_the_settle) {
    database_.execute("select notify.set_sender('change-lists', 'Reviews <reviews@example.org>')");
    emit("Morning");
    start();
    ASSERT_TRUE(becomes("Morning", "sent")) << of("Morning", "concat(status, reason)");
    const auto mails = server_.messages();
    ASSERT_EQ(mails.size(), 1U);
    EXPECT_EQ(mails[0].to.at(0).address, "ada@example.org");
    EXPECT_EQ(mails[0].from.at(0).name, "Reviews");
    EXPECT_EQ(mails[0].subject, "Morning");
    EXPECT_THAT(mails[0].html, HasSubstr("<p>Good morning.</p>"));
    EXPECT_EQ(of("Morning", "message_id"), mails[0].message_id);
    EXPECT_THAT(of("Morning", "reply"), HasSubstr("250"));
    EXPECT_EQ(of("Morning", "(select state from millrace.jobs where id = job)"), "completed");
}

TEST_F(Notify, a_mail_bears_the_address_that_ends_its_subscription_unless_it_is_required) {
    database_.execute("select notify.define_type('reset', 'account', 'A password is reset', system_required => true)");
    database_.execute(
        "select notify.put_template('cl.comment.created', 'en', '{{subject}}', 'Stop: {{unsubscribe_url}}')");
    emit("Optional");
    emit("Required", "reset");
    start({.unsubscribe_url = [](const std::string& username, const std::string& type) {
        return "https://example.org/" + username + "/" + type;
    }});
    ASSERT_TRUE(becomes("Optional", "sent") && becomes("Required", "sent"));
    for (const auto& mail : server_.messages()) {
        const auto address = "https://example.org/ada/cl.comment.created";
        EXPECT_EQ(mail.raw.find("List-Unsubscribe") != std::string::npos, mail.subject == "Optional");
        if (mail.subject == "Required") continue;
        EXPECT_THAT(mail.headers, Contains(HasSubstr("List-Unsubscribe-Post: List-Unsubscribe=One-Click")));
        EXPECT_THAT(mail.headers, Contains(AllOf(HasSubstr("List-Unsubscribe:"), HasSubstr(address))));
        EXPECT_THAT(mail.text, HasSubstr(std::string{"Stop: "} + address));
    }
}

TEST_F(Notify, a_template_speaks_the_language_of_its_reader) {
    database_.execute(
        "select notify.put_template('cl.comment.created', 'de', 'Neues von {{actor}}', '{{comment}}',"
        "                           '<b>{{comment}}</b>')");
    database_.execute(R"(select notify.configure('ada', '{"locale": "de-AT"}'))");
    database_.execute("select notify.cl_comment_created('https://cl/1', 'ada', '{}', 'bob', '<i>')");
    start();
    ASSERT_TRUE(database_.becomes("select status from notify.emails", "sent"));
    const auto mails = server_.messages();
    ASSERT_EQ(mails.size(), 1U);
    EXPECT_EQ(mails[0].subject, "Neues von bob");
    EXPECT_THAT(mails[0].text, HasSubstr("<i>"));
    EXPECT_THAT(mails[0].html, HasSubstr("<b>&lt;i&gt;</b>"));
}

TEST_F(Notify, a_template_that_cannot_be_rendered_buries_the_job_and_names_itself) {
    database_.execute("select notify.put_template('cl.comment.created', 'en', 'S', '{{#a}}')");
    emit("Broken");
    start();
    ASSERT_TRUE(becomes("Broken", "failed"));
    EXPECT_THAT(of("Broken", "reason"), HasSubstr("template cl.comment.created for en, its text"));
    EXPECT_EQ(of("Broken", "(select state from millrace.jobs where id = job)"), "discarded");
    EXPECT_TRUE(server_.messages().empty());
}

TEST_F(Notify, a_subject_of_which_nothing_is_left_buries_the_job_and_skips_nothing) {
    database_.execute("select notify.put_template('cl.comment.created', 'en', '{{title}}', 'T')");
    database_.execute("select notify.put_template('notify.digest', 'en', ' {{title}} ', 'T')");
    emit("Untitled");
    database_.execute(R"(select notify.configure('ada', '{"delivery_mode": "digest"}'))");
    emit("Collected");
    start();
    database_.execute(R"(select notify.configure('ada', '{"delivery_mode": "realtime"}'))");
    for (const std::string subject : {"Untitled", "Collected"}) {
        ASSERT_TRUE(becomes(subject, "failed")) << of(subject, "concat(status, reason)");
        EXPECT_THAT(of(subject, "reason"), HasSubstr("for en, its subject: nothing is left"));
        EXPECT_EQ(of(subject, "(select state from millrace.jobs where id = job)"), "discarded");
    }
    EXPECT_TRUE(server_.messages().empty());
}

TEST_F(Notify, what_is_suppressed_after_the_emit_is_skipped) {
    emit("Late");
    database_.execute("select notify.suppress('ada@example.org', 'complained')");
    start();
    ASSERT_TRUE(becomes("Late", "skipped"));
    EXPECT_EQ(of("Late", "reason"), "suppressed");
    EXPECT_TRUE(server_.messages().empty());
}

TEST_F(Notify, what_waits_follows_its_user) {
    emit("Moved");
    database_.execute(R"(select notify.configure('ada', '{"email": "new@example.org"}'))");
    start();
    ASSERT_TRUE(becomes("Moved", "sent"));
    EXPECT_EQ(server_.messages().at(0).to.at(0).address, "new@example.org");
    EXPECT_EQ(of("Moved", "address"), "new@example.org");
    std::ignore = worker_->stop();
    emit("Unwanted");
    database_.execute("select notify.unsubscribe('ada', 'cl.comment.created')");
    start();
    ASSERT_TRUE(becomes("Unwanted", "skipped"));
    EXPECT_EQ(of("Unwanted", "reason"), "preference");
    EXPECT_EQ(server_.messages().size(), 1U);
}

TEST_F(Notify, an_address_in_any_script_is_suppressed_by_the_bounce_of_its_ascii_form) {
    database_.execute(R"(select notify.configure('ada', '{"email": "ada@bücher.example"}'))");
    database_.execute("select notify.bounced('Ada@xn--bcher-kva.example', '550 5.1.1 no such user')");
    emit("At once");
    database_.execute(R"(select notify.configure('ada', '{"delivery_mode": "digest"}'))");
    emit("Collected");
    start();
    database_.execute(R"(select notify.configure('ada', '{"delivery_mode": "realtime"}'))");
    for (const std::string subject : {"At once", "Collected"}) {
        ASSERT_TRUE(becomes(subject, "skipped")) << of(subject, "concat(status, reason)");
        EXPECT_EQ(of(subject, "reason"), "suppressed");
    }
    EXPECT_TRUE(server_.messages().empty());
}

TEST_F(Notify, a_refusal_for_good_is_recorded_and_what_is_put_off_is_tried_again) {
    server_.script(R"([{"at": "rcpt", "reply": "550 5.1.1 no such user", "times": 1}])");
    emit("Refused");
    start();
    ASSERT_TRUE(becomes("Refused", "failed"));
    EXPECT_THAT(of("Refused", "reason"), HasSubstr("no such user"));
    server_.script(R"([{"at": "rcpt", "reply": "451 4.7.1 come back", "times": 1}])");
    emit("Put off");
    ASSERT_TRUE(becomes("Put off", "sent"));
    EXPECT_EQ(of("Put off", "(select attempt from millrace.jobs where id = job)"), "2");
    server_.script(R"([{"at": "rcpt", "reply": "451 4.7.1 come back", "times": 2}])");
    emit("Put off twice");
    ASSERT_TRUE(becomes("Put off twice", "failed"));
    EXPECT_THAT(of("Put off twice", "reason"), HasSubstr("come back"));
    database_.execute("select millrace.replay((select job from notify.emails where subject = 'Put off twice'))");
    EXPECT_TRUE(becomes("Put off twice", "sent")) << "a replay sends it after all";
}

TEST_F(Notify, everything_goes_to_one_address_where_that_is_asked_for) {
    start({}, "staging@example.org");
    emit("Staged");
    ASSERT_TRUE(becomes("Staged", "sent"));
    const auto mails = server_.messages();
    ASSERT_EQ(mails.size(), 1U);
    EXPECT_EQ(mails[0].envelope_to, std::vector<std::string>{"staging@example.org"});
    EXPECT_THAT(mails[0].text, HasSubstr("This mail was for ada@example.org."));
    EXPECT_EQ(of("Staged", "redirected_to"), "staging@example.org");
    EXPECT_EQ(of("Staged", "address"), "ada@example.org");

    database_.execute(
        R"(select millrace.enqueue('email', 'email.send', '{"to": {"address": "bob@example.org", "name": "Bob"},
                         "subject": "Staged, too", "html": "<p>Good morning.</p>"}'))");
    ASSERT_TRUE(has_received(2));
    const auto mail = server_.messages().back();
    EXPECT_EQ(mail.envelope_to, std::vector<std::string>{"staging@example.org"});
    EXPECT_THAT(mail.html, HasSubstr("This mail was for bob@example.org."));
    EXPECT_TRUE(database_.becomes("select result ->> 'redirected_to' from millrace.jobs where kind = 'email.send'",
                                  "staging@example.org"));
}

TEST_F(Notify, a_digest_is_one_mail_and_an_empty_one_is_none) {
    database_.execute(R"(select notify.configure('ada', '{"delivery_mode": "digest"}'))");
    emit("One");
    emit("Two");
    EXPECT_EQ(of("One", "status"), "collected");
    start();
    database_.execute(R"(select notify.configure('ada', '{"delivery_mode": "realtime"}'))");  // at once
    ASSERT_TRUE(becomes("One", "sent"));
    ASSERT_TRUE(becomes("Two", "sent"));
    const auto mails = server_.messages();
    ASSERT_EQ(mails.size(), 1U);
    EXPECT_EQ(mails[0].subject, "2 notifications");
    EXPECT_THAT(mails[0].text, AllOf(HasSubstr("One"), HasSubstr("Two"), HasSubstr("Good morning.")));
    EXPECT_EQ(of("One", "message_id"), mails[0].message_id);

    database_.execute(R"(select notify.configure('ada', '{"delivery_mode": "digest"}'))");
    emit("Three");
    database_.execute(R"(select notify.configure('ada', '{"enabled": false, "delivery_mode": "realtime"}'))");
    ASSERT_TRUE(becomes("Three", "skipped"));
    EXPECT_EQ(of("Three", "reason"), "disabled");
    EXPECT_TRUE(database_.becomes("select count(*) from millrace.jobs where state <> 'completed'", "0"));
    EXPECT_EQ(server_.messages().size(), 1U);
}

TEST_F(Notify, a_digest_speaks_the_language_of_its_reader) {
    database_.execute("select notify.put_template('cl.comment.created', 'de', 'Neues: {{subject}}', 'Von bob.')");
    database_.execute("select notify.put_template('cl.comment.created', 'en', '{{#a}}', 'Not for her.')");
    database_.execute(R"(select notify.configure('ada', '{"delivery_mode": "digest", "locale": "de"}'))");
    emit("One");
    start();
    database_.execute(R"(select notify.configure('ada', '{"delivery_mode": "realtime"}'))");
    ASSERT_TRUE(becomes("One", "sent"));
    EXPECT_THAT(server_.messages().at(0).text, AllOf(HasSubstr("Neues: One"), HasSubstr("Von bob.")));
}

TEST_F(Notify, what_a_digest_has_collected_is_skipped_with_the_digest) {
    database_.execute(R"(select notify.configure('ada', '{"delivery_mode": "digest"}'))");
    emit("Collected");
    database_.execute("select notify.suppress('ada@example.org', 'complained')");
    start();
    database_.execute(R"(select notify.configure('ada', '{"delivery_mode": "realtime"}'))");
    ASSERT_TRUE(becomes("Collected", "skipped"));
    EXPECT_EQ(of("Collected", "reason"), "suppressed");
    EXPECT_TRUE(database_.becomes("select count(*) from millrace.jobs where state <> 'completed'", "0"));
    EXPECT_TRUE(server_.messages().empty());
}

TEST_F(Notify, a_worker_that_has_lost_the_job_records_nothing) {
    server_.script(R"([{"at": "data", "delay": 4000, "times": 1}])");
    emit("Late");
    start();
    ASSERT_TRUE(has_received(1));
    database_.execute("update millrace.running set fence = fence + 1000");
    std::ignore = worker_->stop();
    EXPECT_EQ(database_.value("select count(*) from notify.delivery"), "0");
    EXPECT_EQ(of("Late", "status"), "pending") << "for the next one";
    EXPECT_EQ(counts_.sent(), 0U);
}

TEST_F(Notify, what_the_server_has_taken_when_the_worker_must_go_is_recorded_and_not_sent_again) {
    server_.script(R"([{"at": "data", "delay": 1500, "times": 1}])");
    emit("Late");
    settings_.drain_timeout = std::chrono::milliseconds{50};
    start();
    ASSERT_TRUE(has_received(1));
    EXPECT_EQ(worker_->stop(), engine::Worker::Ending::drained);
    EXPECT_EQ(of("Late", "status"), "sent");
    start();
    emit("Next");
    ASSERT_TRUE(becomes("Next", "sent"));
    EXPECT_EQ(server_.messages().size(), 2U);
}

TEST_F(Notify, is_sent_once_by_a_slow_server_where_the_database_ends_idle_transactions) {
    database_.execute(
        "do $$ begin execute format('alter database %I set idle_in_transaction_session_timeout = %L',"
        "                           current_database(), '1s'); end $$");
    server_.script(R"([{"at": "data", "delay": 2000, "times": 1}])");
    emit("Slow");
    start();
    ASSERT_TRUE(becomes("Slow", "sent"));
    EXPECT_EQ(of("Slow", "(select attempt from millrace.jobs where id = job)"), "1");
    EXPECT_EQ(server_.messages().size(), 1U);
}

TEST_F(Notify, are_counted_by_what_became_of_them_and_why) {
    server_.script(R"([{"at": "rcpt", "reply": "550 5.1.1 no such user", "times": 1}])");
    emit("Refused");
    start();
    ASSERT_TRUE(becomes("Refused", "failed"));
    emit("Sent");
    ASSERT_TRUE(becomes("Sent", "sent"));
    worker_.reset();
    emit("Suppressed");
    database_.execute("select notify.suppress('ada@example.org', 'complained')");
    start();
    ASSERT_TRUE(becomes("Suppressed", "skipped"));
    EXPECT_EQ(counts_.sent(), 1U);
    EXPECT_EQ(counts_.failed(static_cast<std::size_t>(NotifyCounts::Failure::refused)), 1U);
    EXPECT_EQ(counts_.skipped(0), 1U);
    EXPECT_GT(counts_.delivery().sum(), 0U) << "since the emit, by the database's clock";
    EXPECT_LT(counts_.delivery().sum(), 60'000'000U);
}

}  // namespace
}  // namespace millrace::handlers::email
