#include "engine/spans.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace millrace::engine {
namespace {

std::string random_id() {
    constexpr std::string_view digits{"0123456789abcdef"};
    std::array<unsigned char, 8> random{};
    // Never interrupted for so few bytes once the system has started: getrandom(2).
    if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
        throw std::runtime_error{"the system gives no random numbers"};
    }
    random[0] = static_cast<unsigned char>(random[0] | 1U);  // an id is not all zeros
    std::string text;
    for (const auto byte : random) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

bool is_failure(std::string_view outcome) {
    return outcome == "failed" || outcome == "discarded" || outcome == Spans::lost;
}

core::Span span_of(const JobTrace& trace, const Operation& operation, const Spans::Interval& time) {
    core::Span span;
    span.name = name_of(operation, trace.queue);
    span.begun_at = time.begun_at;
    span.ended_at = time.ended_at;
    span.attributes = messaging_attributes(operation, trace.queue);
    span.attributes.emplace_back("messaging.message.id", std::to_string(trace.job.value));
    span.attributes.emplace_back("millrace.job.kind", trace.kind);
    span.attributes.emplace_back("millrace.job.attempt", std::int64_t{trace.attempt});
    return span;
}

void add_batch(core::Span& span, std::size_t batch) {
    if (batch > 1) span.attributes.emplace_back("messaging.batch.message_count", static_cast<std::int64_t>(batch));
}

void add_outcome(core::Span& span, std::string_view outcome) {
    if (outcome.empty()) return;
    span.attributes.emplace_back("millrace.job.outcome", std::string{outcome});
    if (is_failure(outcome)) span.error = outcome;
}

}  // namespace

std::string name_of(const Operation& operation, const std::string& queue) {
    return std::string{operation.name} + " " + queue;
}

std::vector<core::Span::Attribute> messaging_attributes(const Operation& operation, const std::string& queue) {
    return {{"messaging.system", std::string{"millrace"}},
            {"messaging.operation.name", std::string{operation.name}},
            {"messaging.operation.type", std::string{operation.type}},
            {"messaging.destination.name", queue}};
}

core::TraceContext Spans::next(const core::TraceContext& parent) {
    return {parent.trace, random_id(), parent.flags};
}

std::shared_ptr<const JobTrace> Spans::begin(core::Job& job) {
    const auto producer = core::sampled_context(job.traceparent);
    if (!producer) return nullptr;
    const auto run = next(*producer);
    job.traceparent = core::traceparent_of(run);
    return std::make_shared<const JobTrace>(JobTrace{*producer, run, job.id, job.queue, job.kind, job.attempt});
}

void Spans::note_claim(const JobTrace& trace, const Interval& time, std::size_t batch) {
    auto span = span_of(trace, {"claim", "receive"}, time);
    span.context = next(trace.producer);
    span.parent = trace.producer.span;
    span.kind = core::Span::Kind::client;
    add_batch(span, batch);
    record(std::move(span));
}

void Spans::note_run(const JobTrace& trace, const Interval& time, std::string_view outcome) {
    auto span = span_of(trace, {"run", "process"}, time);
    span.context = trace.run;
    span.parent = trace.producer.span;
    span.kind = core::Span::Kind::consumer;
    add_outcome(span, outcome);
    record(std::move(span));
}

void Spans::note_settle(const JobTrace& trace, const Interval& time, std::string_view outcome, std::size_t batch) {
    auto span = span_of(trace, {"settle", "settle"}, time);
    span.context = next(trace.run);
    span.parent = trace.run.span;
    span.kind = core::Span::Kind::client;
    add_batch(span, batch);
    add_outcome(span, outcome);
    record(std::move(span));
}

void Spans::record(core::Span span) {
    const std::lock_guard lock{mutex_};
    if (waiting_.size() >= most_waiting) {
        ++dropped;
        return;
    }
    waiting_.push_back(std::move(span));
    if (waiting_.size() == 1) arrived_.notify_one();
}

std::vector<core::Span> Spans::take(std::size_t limit, std::chrono::milliseconds patience,
                                    const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    arrived_.wait_for(lock, stop, patience, [&] { return !waiting_.empty(); });
    const auto amount = static_cast<std::ptrdiff_t>(std::min(limit, waiting_.size()));
    const auto end = waiting_.begin() + amount;
    std::vector<core::Span> taken{std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end)};
    waiting_.erase(waiting_.begin(), end);
    return taken;
}

}  // namespace millrace::engine
