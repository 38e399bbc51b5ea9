// Stages on stores in memory: what each of them decides, without a database. What they do to one is in tests/handlers.

#include "handlers/pipeline/build.hpp"
#include "handlers/pipeline/build_signal.hpp"
#include "handlers/pipeline/process.hpp"
#include "handlers/pipeline/record.hpp"
#include "support/memory_stores.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <tuple>
#include <utility>
#include <vector>

namespace millrace::testing {
namespace {

using storage::pipeline::BuildKey;
using storage::pipeline::BuildStatus;
using storage::pipeline::RequestKey;
using storage::pipeline::RequestState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StageTest : public ::testing::Test {
protected:
    StageTest() {
        storage::pipeline::Queue queue;
        queue.name = "shop/main";
        queue.job_queue = "pipeline";
        queue.source_control = "git";
        queue.source_settings = R"({"remote": "/nowhere.git", "ref": "main"})";
        queue.build_runner = "command";
        queue.max_validation = std::chrono::hours{1};
        queue.poll_accepted = std::chrono::seconds{5};
        queue.poll_running = std::chrono::seconds{2};
        queue.version = 1;
        memory.add_queue(queue);
    }

    // The kinds of the successors, or what else became of it.
    template <class Stage>
    std::vector<std::string> run(Stage&& stage, const std::string& payload) {
        core::Job job;
        job.payload = payload;
        const auto outcome = stage.run(job, memory.stores(), {});
        const auto* completed = std::get_if<core::Completed>(&outcome);
        if (completed == nullptr) return {std::string{core::name_of(outcome)}};
        std::vector<std::string> kinds;
        for (const auto& successor : completed->successors)
            kinds.push_back(successor.kind);
        return kinds;
    }
    std::vector<std::string> process(const std::string& payload) {
        return run(handlers::pipeline::Process{extensions, counts}, payload);
    }
    std::vector<std::string> build() { return run(handlers::pipeline::Build{extensions, counts}, request); }
    std::vector<std::string> build_signal() {
        return run(handlers::pipeline::BuildSignal{extensions, counts}, watched);
    }
    std::vector<std::string> record() { return run(handlers::pipeline::Record{counts}, watched); }

    void ingest(const std::string& uri) { std::ignore = memory.stores().queues.ingest("shop/main", uri); }
    [[nodiscard]] RequestState state(std::int64_t number) {
        return memory.stores().requests.get(RequestKey{"shop/main", {number}}).state;
    }

    const std::string request = R"({"queue": "shop/main", "request": 1})";
    const std::string watched = R"({"queue": "shop/main", "request": 1, "build": "command/1"})";
    const BuildKey key{"shop/main", "command/1"};
    MemoryStores memory;
    storage::pipeline::StoreCounts counts;
    handlers::pipeline::Extensions extensions{{.cache = {}, .environment = {}}};
};

TEST_F(StageTest, a_head_goes_from_process_to_record) {
    ingest("u1");
    EXPECT_THAT(process(request), ElementsAre("pipeline.build"));
    EXPECT_EQ(state(1), RequestState::processing);
    EXPECT_THAT(build(), ElementsAre("pipeline.buildsignal"));
    EXPECT_THAT(build_signal(), ElementsAre("snoozed"));
    memory.finish(key, BuildStatus::succeeded);
    EXPECT_THAT(build_signal(), ElementsAre("pipeline.record"));
    EXPECT_EQ(state(1), RequestState::succeeded);
    EXPECT_THAT(record(), ElementsAre("pipeline.analyze"));
    const auto queue = memory.stores().queues.get("shop/main");
    EXPECT_EQ(queue.last_green_uri, "u1");
    ASSERT_EQ(memory.announced().size(), 1U);
    EXPECT_EQ(memory.announced().front().degree, 0);
}

TEST_F(StageTest, each_stage_run_again_goes_on_from_what_is_stored) {
    ingest("u1");
    for (int delivery = 0; delivery < 2; ++delivery)
        EXPECT_THAT(process(request), ElementsAre("pipeline.build"));
    for (int delivery = 0; delivery < 2; ++delivery)
        EXPECT_THAT(build(), ElementsAre("pipeline.buildsignal"));
    memory.finish(key, BuildStatus::failed);
    for (int delivery = 0; delivery < 2; ++delivery)
        EXPECT_THAT(build_signal(), ElementsAre("pipeline.record"));
    for (int delivery = 0; delivery < 2; ++delivery)
        EXPECT_THAT(record(), ElementsAre("pipeline.analyze"));
    EXPECT_EQ(memory.stores().facts.get({"shop/main", "u1", ""}).degree, 1);
    EXPECT_EQ(memory.stores().queues.get("shop/main").last_green_uri, std::nullopt);
    EXPECT_EQ(state(1), RequestState::failed);
}

TEST_F(StageTest, a_gate_that_is_closed_enqueues_nothing_and_whoever_frees_the_slot_wakes_the_next) {
    ingest("u1");
    std::ignore = process(request);
    std::ignore = build();
    ingest("u2");
    EXPECT_THAT(process(R"({"queue": "shop/main", "request": 2})"), IsEmpty());
    EXPECT_EQ(state(2), RequestState::accepted);
    memory.finish(key, BuildStatus::failed);
    EXPECT_THAT(build_signal(), ElementsAre("pipeline.record", "pipeline.process"));
}

TEST_F(StageTest, a_head_that_became_green_while_the_source_control_was_asked_is_asked_about) {
    ingest("u1");
    ingest("u2");
    memory.before_lock([&] {
        auto& queues = memory.stores().queues;
        auto queue = queues.get("shop/main");
        queue.last_green_request = {1};
        queue.last_green_uri = "u1";
        queues.update(queue, storage::pipeline::next(queue.version));
    });
    EXPECT_THAT(process(R"({"queue": "shop/main", "request": 2})"), ElementsAre("snoozed"));
    EXPECT_EQ(state(2), RequestState::accepted);
    EXPECT_EQ(memory.stores().requests.get(RequestKey{"shop/main", {2}}).strategy, std::nullopt);
}

TEST_F(StageTest, a_slot_that_is_freed_while_nobody_looks_at_the_source_control_is_used_by_the_next_look) {
    ingest("u1");
    std::ignore = process(request);
    std::ignore = build();
    ingest("u2");
    memory.before_lock([&] {
        auto& requests = memory.stores().requests;
        auto first = requests.get(RequestKey{"shop/main", {1}});
        first.state = RequestState::failed;
        requests.update(first, storage::pipeline::next(first.version));
    });
    const auto* second = R"({"queue": "shop/main", "request": 2})";
    EXPECT_THAT(process(second), ElementsAre("snoozed"));
    EXPECT_EQ(state(2), RequestState::accepted);
    EXPECT_THAT(process(second), ElementsAre("pipeline.build"));
}

TEST_F(StageTest, who_is_wanted_again_is_woken_before_a_later_head) {
    ingest("u1");
    std::ignore = process(request);
    std::ignore = build();
    memory.finish(key, BuildStatus::failed);
    std::ignore = build_signal();
    ingest("u2");
    memory.want_again({"shop/main", {1}});
    EXPECT_EQ(memory.stores().requests.latest_accepted("shop/main"), storage::pipeline::RequestNumber{1});
    std::ignore = process(R"({"queue": "shop/main", "request": 2})");
    EXPECT_EQ(state(1), RequestState::accepted) << "nothing supersedes it";
}

TEST_F(StageTest, a_build_that_was_called_off_is_no_verdict) {
    ingest("u1");
    std::ignore = process(request);
    std::ignore = build();
    memory.finish(key, BuildStatus::cancelled);
    std::ignore = build_signal();
    EXPECT_EQ(state(1), RequestState::cancelled);
    EXPECT_THAT(record(), IsEmpty());
    EXPECT_THROW(std::ignore = memory.stores().facts.get({"shop/main", "u1", ""}), storage::pipeline::NotFound);
}

TEST_F(StageTest, a_green_build_of_a_request_that_has_failed_closed_is_no_verdict) {
    ingest("u1");
    std::ignore = process(request);
    std::ignore = build();
    auto& requests = memory.stores().requests;
    auto failed = requests.get(RequestKey{"shop/main", {1}});
    failed.state = RequestState::failed;
    requests.update(failed, storage::pipeline::next(failed.version));
    memory.finish(key, BuildStatus::succeeded);
    EXPECT_THAT(build_signal(), ElementsAre("pipeline.record"));
    EXPECT_THAT(record(), IsEmpty());
    EXPECT_EQ(memory.stores().queues.get("shop/main").last_green_uri, std::nullopt);
    EXPECT_THROW(std::ignore = memory.stores().facts.get({"shop/main", "u1", ""}), storage::pipeline::NotFound);
}

TEST_F(StageTest, what_does_not_exist_is_a_dead_letter) {
    EXPECT_THAT(process(request), ElementsAre("discarded"));
    EXPECT_THAT(record(), ElementsAre("discarded"));
    EXPECT_THAT(process(R"({"queue": "nowhere", "request": 1})"), ElementsAre("discarded"));
}

}  // namespace
}  // namespace millrace::testing
