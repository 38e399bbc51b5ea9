// What every implementation of the pipeline's stores promises, stated once: NotFound, AlreadyExists, VersionMismatch,
// and updates that write a whole entity over the version that was read. It runs on PostgreSQL and on the one in memory.

#include "storage/error.hpp"
#include "storage/pipeline_tables.hpp"
#include "support/database.hpp"
#include "support/memory_stores.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

namespace millrace::testing {
namespace {

using namespace storage::pipeline;  // NOLINT(google-build-using-namespace): it is what all of this is about

constexpr auto queue_name = "shop/main";

// Each place has a pipeline queue shop/main.
class InPostgres {
public:
    InPostgres() {
        database_.create_queue("pipeline");
        database_.execute("select pipeline.create_queue($1, '/srv/shop.git', 'main', '{make}')", {queue_name});
        session_ = database_.sessions().open("test");
        transaction_ = std::make_unique<storage::Transaction>(*session_);
        tables_ = std::make_unique<Tables>(*transaction_, counts_);
    }
    [[nodiscard]] Stores stores() { return tables_->stores(); }
    [[nodiscard]] const StoreCounts& counts() const { return counts_; }

private:
    Database database_;
    std::unique_ptr<storage::Session> session_;
    StoreCounts counts_;
    std::unique_ptr<storage::Transaction> transaction_;
    std::unique_ptr<Tables> tables_;
};

class InMemory {
public:
    InMemory() {
        Queue queue;
        queue.name = queue_name;
        queue.version = 1;
        memory_.add_queue(queue);
    }
    [[nodiscard]] Stores stores() { return memory_.stores(); }

private:
    MemoryStores memory_;
};

template <class Place>
class StoreContract : public ::testing::Test {
protected:
    [[nodiscard]] RequestKey ingest(const std::string& uri) {
        return {queue_name, this->all.queues.ingest(queue_name, uri)};
    }
    [[nodiscard]] static Build build(const RequestKey& request, const std::string& id) {
        Build build;
        build.key = {queue_name, id};
        build.request = request.number;
        return build;
    }

    Place place;
    Stores all = place.stores();
};

using Places = ::testing::Types<InPostgres, InMemory>;
TYPED_TEST_SUITE(StoreContract, Places);

TYPED_TEST(StoreContract, get_refuses_what_does_not_exist) {
    auto& stores = this->all;
    const auto request = this->ingest("u1");
    EXPECT_THROW(std::ignore = stores.queues.get("none"), NotFound);
    EXPECT_THROW(std::ignore = stores.queues.lock("none"), NotFound);
    EXPECT_THROW(std::ignore = stores.requests.get({queue_name, {2}}), NotFound);
    EXPECT_THROW(std::ignore = stores.requests.get({"none", request.number}), NotFound);
    EXPECT_THROW(std::ignore = stores.builds.get({queue_name, "none"}), NotFound);
    EXPECT_THROW(std::ignore = stores.facts.get({queue_name, "u1", ""}), NotFound);
    EXPECT_THROW(std::ignore = stores.command_runs.report({queue_name, "none"}), NotFound);
    EXPECT_EQ(stores.requests.get(request).uri, "u1") << "what follows a refusal works";
}

TYPED_TEST(StoreContract, a_head_is_ingested_once) {
    auto& stores = this->all;
    const auto version = stores.queues.get(queue_name).version;
    EXPECT_EQ(this->ingest("u1").number.value, 1);
    EXPECT_EQ(this->ingest("u1").number.value, 1);
    EXPECT_EQ(this->ingest("u2").number.value, 2);
    EXPECT_EQ(stores.queues.get(queue_name).latest_request.value, 2);
    EXPECT_EQ(stores.queues.get(queue_name).version, version + 2) << "it counts the writes";
    const auto request = stores.requests.get({queue_name, {1}});
    EXPECT_EQ(request.state, RequestState::accepted);
    EXPECT_EQ(request.version, 1);
    EXPECT_FALSE(request.strategy || request.base_uri || request.committed);
}

TYPED_TEST(StoreContract, create_refuses_what_exists_and_leaves_it) {
    auto& stores = this->all;
    const auto first = this->ingest("u1");
    const auto second = this->ingest("u2");
    stores.builds.create(this->build(first, "b1"));
    EXPECT_THROW(stores.builds.create(this->build(second, "b1")), AlreadyExists) << "the id";
    EXPECT_THROW(stores.builds.create(this->build(first, "b2")), AlreadyExists) << "the run of the request";
    EXPECT_EQ(stores.builds.get({queue_name, "b1"}).request, first.number);
    EXPECT_EQ(stores.builds.find(first, "", 1), "b1");
    EXPECT_EQ(stores.builds.find(second, "", 1), std::nullopt);

    const FactKey key{queue_name, "u1", ""};
    stores.facts.create({.key = key, .degree = 0, .request = first.number});
    EXPECT_THROW(stores.facts.create({.key = key, .degree = 1, .request = first.number}), AlreadyExists);
    EXPECT_EQ(stores.facts.get(key).degree, 0) << "the first fact stands";
    stores.facts.create({.key = {queue_name, "u1", "web"}, .degree = 1, .request = first.number, .is_flaky = true});
    EXPECT_TRUE(stores.facts.get({queue_name, "u1", "web"}).is_flaky);
}

TYPED_TEST(StoreContract, update_writes_a_whole_request) {
    auto& requests = this->all.requests;
    auto request = requests.get(this->ingest("u1"));
    request.state = RequestState::processing;
    request.strategy = BuildStrategy::incremental_since_green;
    request.base_uri = "u0";
    request.committed = std::chrono::sys_seconds{std::chrono::seconds{1'700'000'000}};
    requests.update(request, next(request.version));
    const auto stored = requests.get(request.key);
    EXPECT_EQ(stored.state, RequestState::processing);
    EXPECT_EQ(stored.strategy, BuildStrategy::incremental_since_green);
    EXPECT_EQ(stored.base_uri, "u0");
    EXPECT_EQ(stored.committed, request.committed);
    EXPECT_EQ(stored.version, request.version + 1);
    EXPECT_EQ(requests.count_processing(queue_name), 1);
}

TYPED_TEST(StoreContract, the_time_of_a_commit_stands) {
    auto& requests = this->all.requests;
    auto request = requests.get(this->ingest("u1"));
    const std::chrono::sys_seconds first{std::chrono::seconds{1'700'000'000}};
    request.committed = first;
    requests.update(request, next(request.version));
    for (const auto& later :
         {std::optional<std::chrono::sys_seconds>{}, std::optional{first + std::chrono::hours{1}}}) {
        request = requests.get(request.key);
        request.committed = later;
        requests.update(request, next(request.version));
        EXPECT_EQ(requests.get(request.key).committed, first);
    }
}

TYPED_TEST(StoreContract, update_writes_what_became_of_a_build) {
    auto& builds = this->all.builds;
    builds.create(this->build(this->ingest("u1"), "b1"));
    auto build = builds.get({queue_name, "b1"});
    EXPECT_EQ(build.status, BuildStatus::accepted);
    build.status = BuildStatus::failed;
    build.reason = "make exited with 2";
    build.log_location = "https://ci.example.org/7";
    builds.update(build, next(build.version));
    const auto stored = builds.get(build.key);
    EXPECT_EQ(stored.status, BuildStatus::failed);
    EXPECT_EQ(stored.reason, "make exited with 2");
    EXPECT_EQ(stored.log_location, "https://ci.example.org/7");
    EXPECT_EQ(stored.version, build.version + 1);
}

TYPED_TEST(StoreContract, a_build_that_waits_may_have_a_reason_to) {
    auto& builds = this->all.builds;
    builds.create(this->build(this->ingest("u1"), "b1"));
    for (const auto* reason : {"the service is out of reach", ""}) {
        auto build = builds.get({queue_name, "b1"});
        build.reason = reason;
        builds.update(build, next(build.version));
        EXPECT_EQ(builds.get(build.key).reason, reason);
        EXPECT_EQ(builds.get(build.key).status, BuildStatus::accepted);
    }
}

TYPED_TEST(StoreContract, update_moves_the_bookmark) {
    auto& queues = this->all.queues;
    const auto request = this->ingest("u1");
    auto queue = queues.lock(queue_name);
    queue.last_green_request = request.number;
    queue.last_green_uri = "u1";
    queues.update(queue, next(queue.version));
    EXPECT_EQ(queues.get(queue_name).last_green_request, request.number);
    EXPECT_EQ(queues.get(queue_name).last_green_uri, "u1");
}

TYPED_TEST(StoreContract, update_refuses_another_version_and_writes_nothing) {
    auto& stores = this->all;
    const auto key = this->ingest("u1");
    stores.builds.create(this->build(key, "b1"));
    auto queue = stores.queues.get(queue_name);
    auto request = stores.requests.get(key);
    auto build = stores.builds.get({queue_name, "b1"});
    queue.last_green_request = key.number;
    queue.last_green_uri = "u1";
    request.state = RequestState::failed;
    build.status = BuildStatus::failed;
    for (const auto off : {-1, +1}) {  // one that was written over, and one that there has not been yet
        EXPECT_THROW(stores.queues.update(queue, next(queue.version + off)), VersionMismatch);
        EXPECT_THROW(stores.requests.update(request, next(request.version + off)), VersionMismatch);
        EXPECT_THROW(stores.builds.update(build, next(build.version + off)), VersionMismatch);
    }
    EXPECT_EQ(stores.queues.get(queue_name).last_green_uri, std::nullopt);
    EXPECT_EQ(stores.queues.get(queue_name).version, queue.version);
    EXPECT_EQ(stores.requests.get(key).state, RequestState::accepted);
    EXPECT_EQ(stores.requests.get(key).version, request.version);
    EXPECT_EQ(stores.builds.get(build.key).status, BuildStatus::accepted);
    EXPECT_EQ(stores.builds.get(build.key).version, build.version);
}

TYPED_TEST(StoreContract, the_second_of_two_writers_is_refused) {
    auto& requests = this->all.requests;
    const auto key = this->ingest("u1");
    auto one = requests.get(key);
    auto other = requests.get(key);
    one.state = RequestState::processing;
    other.state = RequestState::superseded;
    requests.update(one, next(one.version));
    EXPECT_THROW(requests.update(other, next(other.version)), VersionMismatch);
    EXPECT_EQ(requests.get(key).state, RequestState::processing);
}

TYPED_TEST(StoreContract, which_version_comes_next_is_for_the_writer_to_say) {
    auto& stores = this->all;
    const auto key = this->ingest("u1");
    auto request = stores.requests.get(key);
    stores.requests.update(request, {request.version, 41});
    EXPECT_EQ(stores.requests.get(key).version, 41);
    EXPECT_THROW(stores.requests.update(request, next(request.version)), VersionMismatch);
    stores.requests.update(request, {41, 7});
    EXPECT_EQ(stores.requests.get(key).version, 7);
}

TYPED_TEST(StoreContract, an_update_of_what_does_not_exist_is_refused) {
    auto& stores = this->all;
    Request request;
    request.key = {queue_name, {9}};
    EXPECT_THROW(stores.requests.update(request, {1, 2}), VersionMismatch);
    Build build;
    build.key = {queue_name, "none"};
    EXPECT_THROW(stores.builds.update(build, {1, 2}), VersionMismatch);
    Queue queue;
    queue.name = "none";
    EXPECT_THROW(stores.queues.update(queue, {1, 2}), VersionMismatch);
}

// What must never happen is refused whoever asks, and spoils the transaction: each in a place of its own.
template <class Act>
void expect_refused(const Act& act) {
    try {
        act();
        ADD_FAILURE() << "it was not refused";
    } catch (const storage::Error& error) {
        EXPECT_EQ(error.sqlstate(), "MR007");
    }
}

TYPED_TEST(StoreContract, a_request_goes_from_state_to_state_as_it_may) {
    using State = RequestState;
    const std::vector<std::pair<std::vector<State>, State>> refused{
        {{}, State::succeeded},
        {{State::processing}, State::accepted},
        {{State::processing}, State::superseded},
        {{State::superseded}, State::processing},
        {{State::processing, State::succeeded}, State::failed},
        {{State::processing, State::cancelled}, State::succeeded},
    };
    for (const auto& [states, forbidden] : refused) {
        TypeParam own;
        auto stores = own.stores();
        auto request = stores.requests.get({queue_name, stores.queues.ingest(queue_name, "u1")});
        const auto become = [&](State state) {
            request.state = state;
            stores.requests.update(request, next(request.version));
            request = stores.requests.get(request.key);
        };
        for (const auto state : states)
            become(state);
        expect_refused([&, to = forbidden] { become(to); });
    }
}

TYPED_TEST(StoreContract, a_strategy_is_pinned) {
    auto& requests = this->all.requests;
    auto request = requests.get(this->ingest("u1"));
    request.state = RequestState::processing;
    request.strategy = BuildStrategy::full;
    requests.update(request, next(request.version));
    request = requests.get(request.key);
    request.strategy = BuildStrategy::incremental_since_green;
    request.base_uri = "u0";
    expect_refused([&] { requests.update(request, next(request.version)); });
}

TYPED_TEST(StoreContract, the_end_of_a_build_is_written_once) {
    auto& builds = this->all.builds;
    builds.create(this->build(this->ingest("u1"), "b1"));
    auto build = builds.get({queue_name, "b1"});
    build.status = BuildStatus::succeeded;
    build.reason = "the first";
    builds.update(build, next(build.version));
    build = builds.get(build.key);
    build.reason = "the second";
    builds.update(build, next(build.version));
    EXPECT_EQ(builds.get(build.key).reason, "the first") << "the same end again is harmless";
    build.status = BuildStatus::failed;
    expect_refused([&] { builds.update(build, next(build.version)); });
}

TYPED_TEST(StoreContract, a_build_that_has_begun_does_not_wait_again) {
    auto& builds = this->all.builds;
    builds.create(this->build(this->ingest("u1"), "b1"));
    auto build = builds.get({queue_name, "b1"});
    build.status = BuildStatus::running;
    builds.update(build, next(build.version));
    build = builds.get(build.key);
    build.status = BuildStatus::accepted;
    expect_refused([&] { builds.update(build, next(build.version)); });
}

TYPED_TEST(StoreContract, the_bookmark_never_moves_back) {
    auto& queues = this->all.queues;
    const auto first = this->ingest("u1");
    auto queue = queues.get(queue_name);
    queue.last_green_request = this->ingest("u2").number;
    queue.last_green_uri = "u2";
    queues.update(queue, next(queues.get(queue_name).version));
    queue.last_green_request = first.number;
    queue.last_green_uri = "u1";
    expect_refused([&] { queues.update(queue, next(queues.get(queue_name).version)); });
}

TYPED_TEST(StoreContract, who_waits_is_superseded_and_who_is_next_is_found) {
    auto& stores = this->all;
    for (const auto* uri : {"u1", "u2", "u3"})
        std::ignore = this->ingest(uri);
    auto first = stores.requests.get({queue_name, {1}});
    first.state = RequestState::processing;
    first.strategy = BuildStrategy::full;
    stores.requests.update(first, next(first.version));
    EXPECT_EQ(stores.requests.supersede_before({queue_name, {3}}), 1);
    EXPECT_EQ(stores.requests.get({queue_name, {2}}).state, RequestState::superseded);
    EXPECT_EQ(stores.requests.latest_accepted(queue_name), RequestNumber{3});
    EXPECT_EQ(stores.requests.latest_accepted("none"), std::nullopt);
}

TEST(StoreCounting, tells_each_operation_by_what_came_of_it) {
    InPostgres place;
    auto stores = place.stores();
    const RequestKey key{queue_name, stores.queues.ingest(queue_name, "u1")};
    EXPECT_THROW(std::ignore = stores.requests.get({queue_name, {2}}), NotFound);
    auto request = stores.requests.get(key);
    EXPECT_THROW(stores.requests.update(request, {9, 10}), VersionMismatch);
    stores.requests.update(request, next(request.version));
    stores.facts.create({.key = {queue_name, "u1", ""}, .degree = 0, .request = key.number});
    EXPECT_THROW(stores.facts.create({.key = {queue_name, "u1", ""}, .degree = 0, .request = key.number}),
                 AlreadyExists);
    request.state = RequestState::succeeded;
    EXPECT_ANY_THROW(stores.requests.update(request, next(request.version + 1))) << "not before it is processed";

    std::map<std::string, std::uint64_t> counted;
    for (const auto& [told, tally] : place.counts().snapshot()) {
        counted[std::string{told.store} + "." + std::string{told.operation} + " " + std::string{told.outcome}] =
            tally.operations;
        EXPECT_GT(tally.time.count(), 0);
    }
    EXPECT_EQ(counted, (std::map<std::string, std::uint64_t>{{"facts.create already_exists", 1},
                                                             {"facts.create done", 1},
                                                             {"queues.ingest done", 1},
                                                             {"requests.get done", 1},
                                                             {"requests.get not_found", 1},
                                                             {"requests.update done", 1},
                                                             {"requests.update failed", 1},
                                                             {"requests.update version_mismatch", 1}}));
}

}  // namespace
}  // namespace millrace::testing
