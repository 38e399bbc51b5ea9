#include "engine/worker.hpp"

#include "core/guarded.hpp"
#include "engine/backlog.hpp"
#include "engine/bell.hpp"
#include "engine/claimer.hpp"
#include "engine/completer.hpp"
#include "engine/executor.hpp"
#include "engine/heartbeat.hpp"
#include "engine/maintenance.hpp"
#include "engine/running_attempts.hpp"
#include "engine/time_limit.hpp"
#include "engine/wakener.hpp"
#include "engine/watchdog.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace millrace::engine {
namespace {

constexpr std::chrono::seconds listen_patience{2};  // for LISTEN before the first claim
constexpr std::chrono::seconds end_limit{3};        // for a claim or a chore that waits for a lock
constexpr std::chrono::seconds farewell_limit{10};  // for the last settles and the close of the session
constexpr std::chrono::seconds settle_limit{7};     // of that for the settles: somebody may hold a job's row

storage::WorkerInfo info_of(const WorkerSettings& settings, const Registry& registry) {
    storage::WorkerInfo info{settings.name, settings.version, {}, settings.lease, registry.handled_kinds()};
    for (const auto& queue : settings.queues)
        info.queues.push_back(queue.name);
    return info;
}

}  // namespace

class Worker::Parts {
public:
    Parts(const storage::SessionFactory& sessions, const Registry& registry, Settings settings, ops::Log& log,
          Spans* spans);
    ~Parts();
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    Ending run(const std::stop_token& stop);
    void adjust(Settings settings);
    [[nodiscard]] Condition condition() const;

    Stats stats;

private:
    struct Queue {
        explicit Queue(const QueueSettings& settings) : name{settings.name}, backlog{settings.slots} {}
        const std::string name;
        Backlog backlog;
        Bell bell;
        std::size_t executors = 0;  // never fewer than its slots
    };
    using Queues = std::vector<std::unique_ptr<Queue>>;

    [[nodiscard]] static Queues queues_of(const Settings& settings);

    void add_executors(std::size_t queue, std::size_t slots);
    void start();
    void start_executors();
    void await_adjustment();
    void take_over(const Settings& wanted);
    Ending finish();
    template <class Threads>
    void end(Threads& threads, AnswerWatch::Speaker speaker);
    void dismiss(AnswerWatch::Speaker speaker);
    void close_session();
    [[nodiscard]] bool await_idle(std::chrono::milliseconds limit);
    [[nodiscard]] Wakener::Bells bells() const;

    // The one place where a thread's exceptions end: they end the worker.
    template <class Body>
    [[nodiscard]] std::jthread thread(Body body);
    void fail(const std::exception_ptr& failure, std::string_view reason);

    const storage::SessionFactory& sessions_;
    const Registry& registry_;
    Settings settings_;  // what may change is changed by the thread that runs the worker
    ops::Log& log_;
    Spans* const spans_;  // null: nothing is traced
    const AttemptLog attempt_log_;

    std::mutex adjusting_;  // protects wanted_
    std::condition_variable_any adjusted_;
    std::optional<Settings> wanted_;

    std::stop_source work_;  // stopped by the caller or by a failure
    core::Guarded<std::exception_ptr> failure_;
    std::stop_source give_up_;  // of the completer
    std::atomic<bool> abandoned_{false};

    AnswerWatch answers_;
    RunningAttempts attempts_;
    Complaints complaints_;
    PayloadSchemas schemas_;
    Heartbeat heartbeat_;
    Maintenance maintenance_;
    Completer completer_;
    Watchdog watchdog_;
    const Queues queues_;  // as in settings_
    Wakener wakener_;
    std::vector<std::unique_ptr<Claimer>> claimers_;
    std::vector<std::unique_ptr<Executor>> executors_;

    // Last, so that they are joined before anything that they use is gone.
    std::jthread watchdog_thread_, heartbeat_thread_, completer_thread_, maintenance_thread_, wakener_thread_;
    std::vector<std::jthread> executor_threads_;
    std::vector<std::jthread> claimer_threads_;
};

Worker::Parts::Parts(const storage::SessionFactory& sessions, const Registry& registry, Settings settings,
                     ops::Log& log, Spans* spans)
    : sessions_{sessions},
      registry_{registry},
      settings_{std::move(settings)},
      log_{log},
      spans_{spans},
      attempt_log_{log, settings_.name},
      answers_{std::max(settings_.lease / 3, AnswerWatch::least_patience)},
      schemas_{registry.handled_kinds()},
      heartbeat_{sessions, info_of(settings_, registry), attempts_, answers_, stats, log},
      maintenance_{sessions, settings_.lease, answers_, stats, log, schemas_, settings_.listening},
      completer_{sessions, [this] { maintenance_.note_scheduled(); }, answers_, stats, log, spans},
      watchdog_{attempts_, settings_.stop_grace, heartbeat_, answers_, stats, log, attempt_log_},
      queues_{queues_of(settings_)},
      wakener_{settings_.listen_url.empty() ? sessions.conninfo() : settings_.listen_url,
               bells(),
               [this](auto session) { heartbeat_.look_for_requests(session); },
               [this](auto news) { maintenance_.note(news); },
               stats,
               log} {
    for (std::size_t i = 0; i < settings_.queues.size(); ++i) {
        const auto& queue = settings_.queues[i];
        stats.queues.push_back(std::make_unique<QueueStats>(queue.name, registry.kinds()));
        auto& counts = *stats.queues.back();
        const Claimer::Surroundings claiming{sessions, heartbeat_, completer_, maintenance_, answers_,
                                             stats,    counts,     log,        spans};
        auto& [name, backlog, bell, executors] = *queues_.at(i);
        claimers_.push_back(std::make_unique<Claimer>(claiming, queue, settings_, backlog, bell));
        add_executors(i, queue.slots);
    }
}

void Worker::Parts::add_executors(std::size_t queue, std::size_t slots) {
    auto& served = *queues_.at(queue);
    const Executor::Surroundings running{sessions_, registry_,    completer_,
                                         attempts_, schemas_,     complaints_,
                                         answers_,  stats,        *stats.queues.at(queue),
                                         log_,      attempt_log_, settings_.stop_grace,
                                         spans_};
    for (; served.executors < slots; ++served.executors)
        executors_.push_back(std::make_unique<Executor>(running, served.backlog, attempts_.add_slot()));
}

Worker::Parts::~Parts() {
    for (const auto& queue : queues_)
        std::ignore = queue->backlog.close();
    give_up_.request_stop();
}

Worker::Parts::Queues Worker::Parts::queues_of(const Settings& settings) {
    Queues queues;
    for (const auto& queue : settings.queues)
        queues.push_back(std::make_unique<Queue>(queue));
    return queues;
}

Wakener::Bells Worker::Parts::bells() const {
    Wakener::Bells bells;
    for (const auto& queue : queues_)
        bells[queue->name] = &queue->bell;
    return bells;
}

Worker::Ending Worker::Parts::run(const std::stop_token& stop) {
    const std::stop_callback forward{stop, [this] { work_.request_stop(); }};
    watchdog_thread_ = thread([this](const auto& token) { watchdog_.run(token); });
    heartbeat_.open(work_.get_token());
    if (work_.stop_requested()) {
        close_session();  // it may just have been opened
        return Ending::drained;
    }
    start();
    while (!work_.stop_requested())
        await_adjustment();
    const auto ending = finish();
    if (const auto failure = failure_.with([](auto& first) { return first; })) std::rethrow_exception(failure);
    return ending;
}

// Who waits for the database, for jobs or for a handler may wait for long, and is well. These two may not: the
// watchdog, which takes the locks of leases, attempts and answers each time, and the heartbeat, which it frees.
Worker::Condition Worker::Parts::condition() const {
    const auto now = Clock::now();
    return {heartbeat_.holds_session(), work_.stop_requested(), abandoned_, heartbeat_.age(),
            watchdog_.goes_round(now) && heartbeat_.goes_round(now)};
}

// The lease is held already. Who consumes starts before who produces, and who listens before who claims.
void Worker::Parts::start() {
    heartbeat_thread_ = thread([this](const auto& stop) { heartbeat_.run(stop); });
    completer_thread_ = thread([this](const auto& stop) { completer_.run(stop, give_up_.get_token()); });
    start_executors();
    maintenance_thread_ = thread([this](const auto& stop) { maintenance_.run(stop); });
    const bool listening = settings_.listening == Listening::on;
    if (listening) wakener_thread_ = thread([this](const auto& stop) { wakener_.run(stop); });
    for (const auto& claimer : claimers_) {
        claimer_threads_.push_back(thread([this, &claimer, listening](const auto& stop) {
            if (listening) wakener_.await_listening(stop, listen_patience);
            schemas_.await_loaded(stop);
            claimer->run(stop);
        }));
    }
}

void Worker::Parts::start_executors() {
    while (executor_threads_.size() < executors_.size()) {
        auto& executor = *executors_[executor_threads_.size()];
        executor_threads_.push_back(thread([&executor](const auto&) { executor.run(); }));
    }
}

void Worker::Parts::adjust(Settings settings) {
    const std::lock_guard lock{adjusting_};
    wanted_ = std::move(settings);
    adjusted_.notify_all();
}

void Worker::Parts::await_adjustment() {
    std::unique_lock lock{adjusting_};
    if (!adjusted_.wait(lock, work_.get_token(), [this] { return wanted_.has_value(); })) return;
    const auto wanted = *std::exchange(wanted_, std::nullopt);
    lock.unlock();
    try {
        take_over(wanted);
    } catch (const std::system_error& error) {  // a host that has no more threads
        log_.write(ops::Level::error, "slots not added", {{"reason", error.what()}});
    }
}

// The executors are there before the backlog knows of their slots.
void Worker::Parts::take_over(const Settings& wanted) {
    settings_.drain_timeout = wanted.drain_timeout;
    for (std::size_t i = 0; i < settings_.queues.size(); ++i) {
        auto& queue = settings_.queues[i];
        const auto found = std::find_if(wanted.queues.begin(), wanted.queues.end(),
                                        [&](const auto& other) { return other.name == queue.name; });
        if (found == wanted.queues.end()) continue;
        add_executors(i, found->slots);
        start_executors();
        queue = *found;
        queues_[i]->backlog.set_slots(queue.slots);
        claimers_[i]->adjust(queue);
    }
    log_.write(ops::Level::debug, "adjusted");
}

// In this order: no new claims; what was not started goes back, what runs may end; then the results go out. The session
// is closed last, because until then it protects all of this; what is still running is given back by its close.
Worker::Ending Worker::Parts::finish() {
    log_.write(ops::Level::info, "stopping");
    for (auto& claimer : claimer_threads_)
        claimer.request_stop();
    end(claimer_threads_, AnswerWatch::Speaker::claimer);
    heartbeat_.start_draining();

    for (const auto& queue : queues_) {
        for (auto& attempt : queue->backlog.close()) {
            completer_.submit({attempt.job.id, attempt.job.fence, core::Released{}}, std::move(attempt.lease),
                              *attempt.tally, Urgency::now);
        }
    }
    const bool failed = failure_.with([](auto& first) { return first != nullptr; });
    bool idle = await_idle(failed ? std::chrono::milliseconds{0} : settings_.drain_timeout);
    if (!idle) {
        log_.write(ops::Level::warning, "drain timeout, asking the running attempts to stop");
        attempts_.stop_all(StopReason::shutdown);
        idle = await_idle(settings_.stop_grace);
    }
    for (const auto& job : attempts_.jobs()) {
        attempt_log_.write(ops::Level::error, "attempt ignores its stop request, its job is given back", job);
    }
    end(maintenance_thread_, AnswerWatch::Speaker::maintenance);
    wakener_thread_ = {};

    close_session();
    watchdog_thread_ = {};
    if (idle) executor_threads_.clear();
    abandoned_ = !idle;
    log_.write(ops::Level::info, "stopped");
    return idle ? Ending::drained : Ending::abandoned;
}

// They may be waiting for a lock that somebody holds for hours. What a claim has taken all the same goes back with the
// session.
template <class Threads>
void Worker::Parts::end(Threads& threads, AnswerWatch::Speaker speaker) {
    const TimeLimit limit{end_limit};
    const std::stop_callback hang_up{limit.token(), [&] { dismiss(speaker); }};
    threads = Threads{};
}

void Worker::Parts::dismiss(AnswerWatch::Speaker speaker) {
    if (const auto hung_up = answers_.dismiss(speaker); hung_up > 0) {
        log_.write(ops::Level::warning, "a statement does not end, hanging up", {{"connections", hung_up}});
    }
}

// After the last results.
void Worker::Parts::close_session() {
    const TimeLimit limit{farewell_limit};
    const std::stop_callback hang_up{limit.token(), [this] { dismiss(AnswerWatch::Speaker::heartbeat); }};
    {
        const TimeLimit settling{settle_limit};
        const std::stop_callback hurry{settling.token(), [this] {
                                           give_up_.request_stop();
                                           dismiss(AnswerWatch::Speaker::completer);
                                       }};
        completer_thread_ = {};
    }
    heartbeat_thread_ = {};
    heartbeat_.close(limit.token());
}

bool Worker::Parts::await_idle(std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    return std::all_of(queues_.begin(), queues_.end(),
                       [&](const auto& queue) { return queue->backlog.await_idle(deadline); });
}

template <class Body>
std::jthread Worker::Parts::thread(Body body) {
    return std::jthread{[this, body](const std::stop_token& stop) {
        try {
            body(stop);
        } catch (const std::exception& error) {
            fail(std::current_exception(), error.what());
        } catch (...) {
            constexpr auto reason = "what was thrown is no std::exception";
            fail(std::make_exception_ptr(std::runtime_error{reason}), reason);
        }
    }};
}

void Worker::Parts::fail(const std::exception_ptr& failure, std::string_view reason) {
    log_.write(ops::Level::error, "worker failed", {{"reason", reason}});
    failure_.with([&](auto& first) {
        if (!first) first = failure;
    });
    work_.request_stop();
}

Worker::Worker(const storage::SessionFactory& sessions, const Registry& registry, Settings settings, ops::Log& log,
               Spans* spans)
    : parts_{std::make_unique<Parts>(sessions, registry, std::move(settings), log, spans)} {}

Worker::~Worker() = default;

Worker::Ending Worker::run(std::stop_token stop) {
    return parts_->run(stop);
}

void Worker::adjust(Settings settings) {
    parts_->adjust(std::move(settings));
}

Worker::Condition Worker::condition() const {
    return parts_->condition();
}

const Stats& Worker::stats() const noexcept {
    return parts_->stats;
}

}  // namespace millrace::engine
