#include "ops/endpoints.hpp"

#include "storage/session.hpp"
#include "support/metrics_page.hpp"
#include "support/web.hpp"
#include "support/worker_test.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;
using core::Job;
using nlohmann::json;
using ops::Endpoints;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::Not;

const ops::Address anywhere{"127.0.0.1", 0};
const storage::SessionFactory nowhere{"host=127.0.0.1 port=1"};  // nobody listens there

class EndpointsTest : public WorkerTest {
protected:
    void show() { showing.emplace(endpoints, worker->worker(), worker->registry()); }

    [[nodiscard]] Answer ask(const std::string& path) const { return web_request(endpoints.port(), path); }

    // Asks until the answer is as wanted; false when it is not so within ten seconds. What the database looks like is
    // looked at once a second.
    template <class IsWanted>
    bool becomes(const std::string& path, IsWanted is_wanted) {
        return becomes(endpoints, path, is_wanted);
    }
    template <class IsWanted>
    static bool becomes(const Endpoints& asked, const std::string& path, IsWanted is_wanted) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        std::mutex mutex;
        std::condition_variable never;
        while (!is_wanted(web_request(asked.port(), path))) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::unique_lock lock{mutex};
            never.wait_for(lock, 20ms);
        }
        return true;
    }
    bool becomes_ready() {
        return becomes("/readyz", [](const Answer& answer) { return answer.status == 200; });
    }

    // What keeps it from being ready, "what: reason" each.
    static std::vector<std::string> obstacles(const Answer& answer) {
        const auto report = json::parse(answer.body);
        EXPECT_EQ(report["ready"], answer.status == 200);
        std::vector<std::string> all;
        for (const auto& obstacle : report["not_ready"])
            all.push_back(obstacle["what"].get<std::string>() + ": " + obstacle["reason"].get<std::string>());
        return all;
    }

    LogWatch log;
    Endpoints endpoints{anywhere, database.sessions(), "1.2.3", log.log()};
    std::optional<Endpoints::Showing> showing;
};

class Health : public EndpointsTest {};
class Readiness : public EndpointsTest {};
class Metrics : public EndpointsTest {
protected:
    [[nodiscard]] MetricsPage metrics() const { return MetricsPage{ask("/metrics").body}; }
    // Until so many attempts of the queue have ended.
    bool counts(double attempts) {
        return becomes("/metrics", [&](const Answer& answer) {
            return MetricsPage{answer.body}.sum_of("millrace_jobs_total") == attempts;
        });
    }
    // A pipeline queue shop/main whose first head is green; half an hour later the third is found broken.
    void break_a_pipeline() {
        database.create_queue("pipeline");
        database.execute("select pipeline.create_queue('shop/main', '/srv/shop.git', 'main', '{make}')");
        validate(1, "succeeded", "0");
        database.execute(
            "select pipeline.update_queue('shop/main', 1, 'u1', version, version + 1)"
            "  from pipeline.get_queue('shop/main')");
        database.execute("select pipeline.ingest('shop/main', 'u2')");
        validate(3, "failed", "1");
        database.execute("select pipeline.supersede_before('shop/main', 3)");
    }
    // Committed in the year 2023, which is the time of a commit and not of this test.
    void validate(int request, const std::string& state, const std::string& degree) {
        const auto number = std::to_string(request);
        database.execute("select pipeline.ingest('shop/main', $1)", {"u" + number});
        for (const auto& [next, after] : {std::pair{std::string{"processing"}, 0min}, std::pair{state, 30min}}) {
            database.advance_clock(after);
            database.execute(
                "select pipeline.update_request('shop/main', number, $1, 'full', null, version,"
                " version + 1, to_timestamp(1700000000)) from pipeline.get_request('shop/main', $2::bigint)",
                {next, number});
        }
        database.execute("select pipeline.create_fact('shop/main', $1, '', $2::numeric, $3::bigint)",
                         {"u" + number, degree, number});
    }
};

TEST_F(Health, is_told_while_the_process_answers_whatever_the_database_does) {
    const auto answer = ask("/healthz");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "ok\n");
    const Endpoints alone{anywhere, nowhere, "1.2.3", log.log()};
    EXPECT_EQ(web_request(alone.port(), "/healthz").status, 200);
}

TEST_F(Health, is_told_where_the_log_says) {
    EXPECT_THAT(log.text(), HasSubstr("http listening address=127.0.0.1:" + std::to_string(endpoints.port())));
}

TEST_F(Readiness, begins_with_the_worker_and_ends_when_it_drains) {
    EXPECT_EQ(ask("/readyz").status, 503);
    EXPECT_THAT(obstacles(ask("/readyz")), ElementsAre("worker: has not started, or has ended"));

    auto& running = start([&](const Job&, std::stop_token stop) {
        gate.pass(stop);
        return core::Completed{};
    });
    show();
    enqueue_many(1);
    ASSERT_TRUE(gate.await_arrived(1));
    const auto ready = ask("/readyz");
    EXPECT_EQ(ready.status, 200) << ready.body;
    EXPECT_THAT(ready.headers, HasSubstr("Content-Type: application/json"));
    EXPECT_THAT(obstacles(ready), IsEmpty());

    running.request_stop();
    const auto draining = ask("/readyz");
    EXPECT_EQ(draining.status, 503);
    EXPECT_THAT(obstacles(draining), ElementsAre("worker: is draining"));
    EXPECT_EQ(ask("/healthz").status, 200);

    gate.open();
    std::ignore = running.await_end();
    showing.reset();
    EXPECT_THAT(obstacles(ask("/readyz")), ElementsAre("worker: has not started, or has ended"));
}

TEST_F(Readiness, needs_a_session) {
    const engine::Registry registry;
    const engine::Worker homeless{nowhere, registry, quick_settings(), log.log()};
    showing.emplace(endpoints, homeless, registry);
    EXPECT_EQ(ask("/readyz").status, 503);
    EXPECT_THAT(obstacles(ask("/readyz")), ElementsAre("worker: holds no session"));
    showing.reset();
}

TEST_F(Readiness, needs_a_schema_that_fits) {
    start(no_op);
    show();
    ASSERT_TRUE(becomes_ready());
    const auto checksum = database.value("select checksum from millrace.migration where number = 2");
    database.execute("update millrace.migration set checksum = 'another' where number = 2");
    ASSERT_TRUE(becomes("/readyz", [](const Answer& answer) { return answer.status == 503; }));
    const auto misfit = obstacles(ask("/readyz"));
    ASSERT_EQ(misfit.size(), 1U);
    EXPECT_THAT(misfit[0], AllOf(::testing::StartsWith("schema: "), HasSubstr("0002_"), HasSubstr("was changed")));
    EXPECT_EQ(log.count("database not fit for work"), 1U);

    database.execute("update millrace.migration set checksum = $1 where number = 2", {checksum});
    EXPECT_TRUE(becomes_ready());
    EXPECT_EQ(log.count("database fit for work again"), 1U);
}

TEST_F(Readiness, is_not_lost_when_a_newer_release_upgrades_the_schema) {
    start(no_op);
    show();
    ASSERT_TRUE(becomes_ready());
    database.execute("insert into millrace.migration (number, name, checksum) values (9999, '9999_later', 'x')");
    database.execute("update millrace.function_set set checksum = 'another'");
    const std::string told = "the schema has been upgraded by a newer release, this one works on until it is replaced";
    ASSERT_TRUE(becomes("/readyz", [&](const Answer&) { return log.count(told) > 0; }));
    EXPECT_EQ(ask("/readyz").status, 200);
    EXPECT_EQ(log.count("database not fit for work"), 0U);
    EXPECT_THAT(ask("/metrics").body, HasSubstr("millrace_database_reachable 1"));
}

TEST_F(Readiness, is_not_there_for_a_program_older_than_the_schema) {
    database.execute("insert into millrace.migration (number, name, checksum) values (9999, '9999_later', 'x')");
    const auto misfit = obstacles(ask("/readyz"));
    ASSERT_FALSE(misfit.empty());
    EXPECT_THAT(misfit[0], AllOf(HasSubstr("newer than this program"), HasSubstr("9999_later")));
}

TEST_F(Readiness, needs_a_database_and_names_no_host) {
    Endpoints lost{anywhere, nowhere, "1.2.3", log.log()};
    const auto answer = web_request(lost.port(), "/readyz");
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(obstacles(answer), ElementsAre("database: cannot be reached", "worker: has not started, or has ended"));
    EXPECT_THAT(answer.body, Not(HasSubstr("127.0.0.1")));
    EXPECT_THAT(log.text(), HasSubstr("127.0.0.1")) << "who reads the log wants to know";
}

TEST_F(Readiness, of_several_databases_is_that_of_all_and_names_the_one_that_is_away) {
    const std::array databases{Endpoints::Database{"east", database.sessions(), log.log()},
                               Endpoints::Database{"west", nowhere, log.log()}};
    Endpoints both{anywhere, databases, "1.2.3", log.log()};
    start(no_op);
    const Endpoints::Showing shown{both, worker->worker(), worker->registry(), {}, 0};
    std::string last;
    EXPECT_TRUE(becomes(both, "/readyz", [&](const Answer& answer) {
        last = answer.body;
        const auto obstacles = json::parse(last)["not_ready"];
        return answer.status == 503 && obstacles.size() == 2 && obstacles[0]["database"] == "west" &&
               obstacles[0]["what"] == "database" && obstacles[1]["database"] == "west";
    })) << last;
    const Endpoints::Showing too{both, worker->worker(), worker->registry(), {}, 1};
    EXPECT_EQ(json::parse(web_request(both.port(), "/readyz").body)["not_ready"].size(), 1U);
}

TEST_F(Readiness, waits_two_seconds_for_a_database_that_gives_no_answer) {
    start(no_op);
    show();
    ASSERT_TRUE(becomes_ready());
    database.execute("begin");
    database.execute("lock table millrace.function_set in access exclusive mode");
    EXPECT_TRUE(becomes("/readyz", [](const Answer& answer) {
        return answer.status == 503 && answer.body.find("gives no answer") != std::string::npos;
    }));
    EXPECT_EQ(ask("/healthz").status, 200);
    database.execute("rollback");
    EXPECT_TRUE(becomes_ready());
}

TEST_F(Readiness, can_end_while_the_database_gives_no_answer) {
    database.execute("begin");
    database.execute("lock table millrace.function_set in access exclusive mode");
    {
        const Endpoints other{anywhere, database.sessions(), "1.2.3", log.log()};
        EXPECT_EQ(web_request(other.port(), "/readyz").status, 503);
    }
    database.execute("rollback");  // first, as a transaction sees pg_stat_activity as it was at its first look
    EXPECT_TRUE(
        database.becomes("select count(*) from pg_stat_activity where application_name = 'millrace probe'"
                         " and datname = current_database()",
                         "0"));
}

TEST_F(Readiness, is_not_lost_with_a_connection_that_was_cut_while_idle) {
    start(no_op);
    show();
    ASSERT_TRUE(becomes_ready());
    const auto probes =
        "select count(*) from pg_stat_activity where application_name = 'millrace probe'"
        " and datname = current_database()";
    ASSERT_EQ(database.terminate("millrace probe"), 1);
    ASSERT_TRUE(database.becomes(probes, "0"));
    EXPECT_TRUE(becomes("/readyz", [&](const Answer& answer) {
        EXPECT_EQ(answer.status, 200) << answer.body;
        return database.value(probes) == "1";
    }));
}

TEST_F(Readiness, is_not_lost_with_a_kind_that_is_unavailable) {
    engine::Registry registry;
    registry.add("k", handler(no_op));
    registry.add_unavailable("email.send", "no mail server: set smtp.url");
    start(std::move(registry));
    show();
    ASSERT_TRUE(becomes_ready());
    EXPECT_EQ(json::parse(ask("/readyz").body)["unavailable_kinds"],
              json::parse(R"([{"kind": "email.send", "reason": "no mail server: set smtp.url"}])"));
}

TEST_F(Metrics, count_attempts_by_kind_and_outcome) {
    start([](const Job& job, std::stop_token) -> core::Outcome {
        if (job.payload == R"("fail")") return core::Failed{"as asked", 1h};
        if (job.payload == R"("throw")") throw std::runtime_error{"as asked"};
        if (job.payload == R"("snooze")") return core::Snoozed{1h};
        if (job.payload == R"("discard")") return core::Discarded{"as asked"};
        return core::Completed{};
    });
    show();
    for (const auto* payload : {"{}", "{}", R"("fail")", R"("snooze")", R"("discard")"})
        database.enqueue("q", "k", payload);
    database.enqueue("q", "invented");  // never handed to it
    ASSERT_TRUE(counts(5)) << ask("/metrics").body;

    const auto page = metrics();
    const auto count = [&](const std::string& kind, const std::string& outcome) {
        return page.value("millrace_jobs_total{queue=\"q\",kind=\"" + kind + "\",outcome=\"" + outcome + "\"}");
    };
    EXPECT_EQ(count("k", "completed"), 2);
    EXPECT_EQ(count("k", "failed"), 1);
    EXPECT_EQ(count("k", "snoozed"), 1);
    EXPECT_EQ(count("k", "discarded"), 1);
    EXPECT_EQ(count("k", "released"), 0);
    EXPECT_EQ(count("k", "lost"), 0);
    EXPECT_THAT(page.text(), Not(HasSubstr("kind=\"other\"")));
    EXPECT_THAT(page.text(), Not(HasSubstr("invent"))) << "producers would decide how many series there are";
}

TEST_F(Metrics, count_what_is_given_back_and_what_was_lost) {
    auto settings = quick_settings();
    settings.drain_timeout = 0ms;
    auto& running = start(
        [&](const Job& job, std::stop_token stop) -> core::Outcome {
            gate.pass(is_slow(job) ? stop : std::stop_token{});
            return core::Failed{"as asked", 1h};
        },
        settings);
    show();
    const auto taken = database.enqueue("q", "k");
    database.enqueue("q", "k", R"("slow")");
    ASSERT_TRUE(gate.await_arrived(2));
    database.execute("update millrace.running set fence = fence + 1000 where job_id = $1", {std::to_string(taken)});
    running.request_stop();
    EXPECT_TRUE(becomes(
        "/metrics", [&](const Answer& answer) { return MetricsPage{answer.body}.sum_of("millrace_jobs_total") == 1; }));
    gate.open();
    std::ignore = running.await_end();
    const auto page = metrics();
    EXPECT_EQ(page.value(R"(millrace_jobs_total{queue="q",kind="k",outcome="released"})"), 1);
    EXPECT_EQ(page.value(R"(millrace_jobs_total{queue="q",kind="k",outcome="lost"})"), 1);
    EXPECT_EQ(page.value(R"(millrace_jobs_total{queue="q",kind="k",outcome="failed"})"), 0);
}

TEST_F(Metrics, say_how_long_jobs_waited_and_ran_and_claims_took) {
    enqueue_many(5);
    database.advance_clock(2h);
    start([&](const Job&, std::stop_token stop) {
        gate.pass(stop);
        return core::Completed{};
    });
    show();
    ASSERT_TRUE(gate.await_arrived(4));
    gate.open();
    ASSERT_TRUE(counts(5));
    const auto page = metrics();
    for (const std::string name : {"millrace_job_wait_seconds", "millrace_job_run_seconds", "millrace_claim_seconds",
                                   "millrace_claim_batch_size"}) {
        const auto buckets = page.buckets_of(name);
        ASSERT_GT(buckets.size(), 10U) << name;
        EXPECT_TRUE(std::is_sorted(buckets.begin(), buckets.end())) << name;
        EXPECT_EQ(buckets.back(), page.value(name + "_bucket{queue=\"q\",le=\"+Inf\"}")) << name;
        EXPECT_EQ(buckets.back(), page.value(name + "_count{queue=\"q\"}")) << name;
        EXPECT_GT(page.value(name + "_sum{queue=\"q\"}"), 0) << name;
    }
    EXPECT_EQ(page.value("millrace_job_run_seconds_count{queue=\"q\"}"), 5);
    EXPECT_THAT(page.value("millrace_job_run_seconds_sum{queue=\"q\"}"), Lt(5 * 60));
    EXPECT_EQ(page.value("millrace_job_wait_seconds_count{queue=\"q\"}"), 5);
    EXPECT_THAT(page.value("millrace_job_wait_seconds_sum{queue=\"q\"}"), AllOf(Ge(5 * 7200), Lt(5 * 7300)));
    EXPECT_EQ(page.value("millrace_job_wait_seconds_bucket{queue=\"q\",le=\"3600\"}"), 0);
    EXPECT_EQ(page.value("millrace_claim_batch_size_sum{queue=\"q\"}"), 5);
    EXPECT_EQ(page.value("millrace_claim_batch_size_count{queue=\"q\"}"),
              page.value("millrace_claim_seconds_count{queue=\"q\"}"));
}

TEST_F(Metrics, count_the_wait_of_a_first_attempt_only) {
    start([](const Job& job, std::stop_token) -> core::Outcome {
        if (job.attempt == 1) return core::Failed{"as asked", 0ms};
        return core::Completed{};
    });
    show();
    database.enqueue("q", "k");
    ASSERT_TRUE(counts(2));
    EXPECT_EQ(metrics().value("millrace_job_run_seconds_count{queue=\"q\"}"), 2);
    EXPECT_EQ(metrics().value("millrace_job_wait_seconds_count{queue=\"q\"}"), 1);
}

TEST_F(Metrics, show_each_queue_of_the_database_before_there_is_a_worker) {
    database.create_queue("idle");
    enqueue_many(3);
    database.enqueue("q", "k", "{}", "delay => '1 h'");
    database.advance_clock(90s);
    const auto page = metrics();
    const auto depth = [&](const std::string& queue, const std::string& state) {
        return page.value("millrace_queue_depth{queue=\"" + queue + "\",state=\"" + state + "\"}");
    };
    EXPECT_EQ(depth("q", "available"), 3);
    EXPECT_EQ(depth("q", "scheduled"), 1);
    EXPECT_EQ(depth("q", "blocked"), 0);
    EXPECT_EQ(depth("q", "running"), 0);
    EXPECT_EQ(depth("q", "dead"), 0);
    EXPECT_EQ(depth("idle", "available"), 0);
    EXPECT_THAT(page.value("millrace_queue_oldest_age_seconds{queue=\"q\"}"), AllOf(Ge(90), Lt(150)));
    EXPECT_EQ(page.value("millrace_queue_oldest_age_seconds{queue=\"idle\"}"), 0);
    EXPECT_EQ(page.value("millrace_database_reachable"), 1);
    EXPECT_EQ(page.value("millrace_build_info{version=\"1.2.3\"}"), 1);
    EXPECT_FALSE(page.has("millrace_heartbeat_age_seconds"));
}

TEST_F(Metrics, show_what_runs_and_what_is_dead_and_the_age_of_the_lease) {
    start([&](const Job& job, std::stop_token stop) -> core::Outcome {
        if (!is_slow(job)) return core::Discarded{"as asked"};
        gate.pass(stop);
        return core::Completed{};
    });
    show();
    enqueue_short_and_slow(1, 1);
    ASSERT_TRUE(gate.await_arrived(1));
    EXPECT_TRUE(becomes("/metrics", [](const Answer& answer) {
        const MetricsPage page{answer.body};
        return page.value(R"(millrace_queue_depth{queue="q",state="dead"})") == 1 &&
               page.value(R"(millrace_queue_depth{queue="q",state="running"})") == 1;
    })) << ask("/metrics").body;
    EXPECT_THAT(metrics().value("millrace_heartbeat_age_seconds"), AllOf(Ge(0), Lt(10)));
    gate.open();
}

TEST_F(Metrics, show_each_pipeline_queue_of_the_database) {
    EXPECT_FALSE(metrics().has("millrace_pipeline_requests"));
    break_a_pipeline();
    ASSERT_TRUE(becomes(
        "/metrics", [](const Answer& answer) { return MetricsPage{answer.body}.has("millrace_pipeline_requests"); }));
    const auto page = metrics();
    const auto requests = [&](const std::string& state) {
        return page.value("millrace_pipeline_requests{pipeline_queue=\"shop/main\",state=\"" + state + "\"}");
    };
    EXPECT_EQ(requests("accepted"), 0);
    EXPECT_EQ(requests("processing"), 0);
    EXPECT_EQ(requests("succeeded"), 1);
    EXPECT_EQ(requests("failed"), 1);
    EXPECT_EQ(requests("cancelled"), 0);
    EXPECT_EQ(requests("superseded"), 1);
    const auto gauge = [&](const std::string& name) {
        return page.value("millrace_pipeline_" + name + "{pipeline_queue=\"shop/main\"}");
    };
    EXPECT_EQ(gauge("last_green_commit_timestamp_seconds"), 1'700'000'000);
    EXPECT_THAT(gauge("break_undetected_seconds"), Ge(1'000'000)) << "since the broken commit";
    EXPECT_THAT(gauge("validation_seconds"), AllOf(Ge(1800), Lt(1900)));
}

TEST_F(Metrics, count_what_is_asked_of_the_pipeline_s_stores) {
    start(no_op);
    storage::pipeline::StoreCounts counts;
    counts.add({"requests", "get", "done"}, 1500ms);
    counts.add({"requests", "get", "done"}, 500ms);
    counts.add({"facts", "create", "already_exists"}, 1ms);
    showing.emplace(endpoints, worker->worker(), worker->registry(),
                    ops::Counted{.counters = {}, .durations = {}, .stores = &counts});
    const auto page = metrics();
    const std::string reads = R"({store="requests",operation="get",outcome="done"})";
    EXPECT_EQ(page.value("millrace_pipeline_store_operations_total" + reads), 2);
    EXPECT_EQ(page.value("millrace_pipeline_store_seconds_total" + reads), 2);
    EXPECT_EQ(page.sum_of("millrace_pipeline_store_operations_total"), 3);
    showing.reset();
}

TEST_F(Metrics, are_there_while_the_database_is_not) {
    Endpoints lost{anywhere, nowhere, "1.2.3", log.log()};
    start(no_op);
    const Endpoints::Showing shown{lost, worker->worker(), worker->registry()};
    const auto answer = web_request(lost.port(), "/metrics");
    EXPECT_EQ(answer.status, 200);
    const MetricsPage page{answer.body};
    EXPECT_EQ(page.value("millrace_database_reachable"), 0);
    EXPECT_TRUE(page.has("millrace_leases_lost_total"));
    EXPECT_FALSE(page.has("millrace_queue_depth")) << "no number rather than a wrong one";
}

TEST_F(Metrics, of_several_databases_have_a_label_and_no_family_twice) {
    const std::array databases{Endpoints::Database{"east", database.sessions(), log.log()},
                               Endpoints::Database{"west", nowhere, log.log()}};
    Endpoints both{anywhere, databases, "1.2.3", log.log()};
    start(no_op);
    const Endpoints::Showing shown{both, worker->worker(), worker->registry(), {}, 0};
    const Endpoints::Showing too{both, worker->worker(), worker->registry(), {}, 1};
    const auto answer = web_request(both.port(), "/metrics");
    const MetricsPage page{answer.body};
    EXPECT_EQ(page.value(R"(millrace_database_reachable{database="east"})"), 1);
    EXPECT_EQ(page.value(R"(millrace_database_reachable{database="west"})"), 0);
    EXPECT_EQ(page.value(R"(millrace_queue_depth{queue="q",state="dead",database="east"})"), 0);
    EXPECT_EQ(page.value(R"(millrace_leases_lost_total{database="west"})"), 0);
    EXPECT_EQ(page.value(R"(millrace_build_info{version="1.2.3"})"), 1);
    std::map<std::string, int> times;
    std::istringstream lines{answer.body};
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("# TYPE ")) ++times[line];
    for (const auto& [line, count] : times)
        EXPECT_EQ(count, 1) << line;
}

TEST_F(Metrics, explain_each_family_and_so_does_its_page_of_the_documentation) {
    break_a_pipeline();
    start(no_op);
    show();
    enqueue_many(1);
    ASSERT_TRUE(counts(1));
    const auto answer = ask("/metrics");
    EXPECT_THAT(answer.headers, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8"));
    const MetricsPage page{answer.body};
    EXPECT_THAT(page.unexplained(), IsEmpty());

    std::stringstream documentation;
    documentation << std::ifstream{MILLRACE_SOURCE_DIR "/docs/metrics.md"}.rdbuf();
    const auto text = documentation.str();
    static const std::regex row{R"(\| `(millrace_[a-z_]+)` \| (gauge|counter|histogram) \|)"};
    std::map<std::string, std::string> documented;
    for (std::sregex_iterator match{text.begin(), text.end(), row}, end; match != end; ++match)
        EXPECT_TRUE(documented.emplace(match->str(1), match->str(2)).second) << match->str(1) << " twice";
    auto shown = page.types();
    for (const auto* family :
         {"millrace_trace_spans_total", "millrace_mail_deliveries_total", "millrace_notifications_sent_total",
          "millrace_notifications_skipped_total", "millrace_notifications_failed_total"})
        shown.emplace(family, "counter");  // of a worker with a mail server: tests/e2e
    for (const auto* family : {"millrace_pipeline_store_operations_total", "millrace_pipeline_store_seconds_total"})
        shown.emplace(family, "counter");  // of one that has run a stage
    shown.emplace("millrace_notification_seconds", "histogram");
    shown.emplace("millrace_fork_branches_total", "counter");  // likewise
    shown.emplace("millrace_api_requests_total", "counter");   // of `millrace serve`: tests/e2e
    EXPECT_EQ(shown, documented);
}

}  // namespace
}  // namespace millrace::testing
