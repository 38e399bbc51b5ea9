#include "ops/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace millrace::ops {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr double per_second = 1e6;  // durations are counted in microseconds

double number(const std::atomic<std::uint64_t>& counter) {
    return static_cast<double>(counter.load(std::memory_order_relaxed));
}

class Families {
public:
    // What follows is of that database.
    void of_database(const std::string& name) { database_ = name; }
    // Each database adds to the families that the first one has begun.
    void begin(const std::string& name, std::string help, MetricType type) {
        const auto known = std::find_if(families_.begin(), families_.end(),
                                        [&](const MetricFamily& family) { return family.name == name; });
        current_ = static_cast<std::size_t>(known - families_.begin());
        if (known == families_.end()) families_.push_back({name, std::move(help), type, {}});
    }
    void counter(Labels labels, double value) { add(std::move(labels)).counter.value = value; }
    void gauge(Labels labels, double value) { add(std::move(labels)).gauge.value = value; }
    void histogram(Labels labels, const engine::Histogram& source, double unit);

    [[nodiscard]] std::string text() {
        // A family without a sample says nothing.
        std::erase_if(families_, [](const MetricFamily& family) { return family.metric.empty(); });
        return prometheus::TextSerializer{}.Serialize(families_);
    }

private:
    ClientMetric& add(Labels labels) {
        auto& metric = families_[current_].metric.emplace_back();
        metric.label = std::move(labels);
        if (!database_.empty()) metric.label.push_back({"database", database_});
        return metric;
    }

    std::vector<MetricFamily> families_;
    std::size_t current_ = 0;
    std::string database_;
};

// The count is the sum of the buckets that were read, so that the two agree whatever is observed meanwhile.
void Families::histogram(Labels labels, const engine::Histogram& source, double unit) {
    auto& target = add(std::move(labels)).histogram;
    const auto bounds = source.bounds();
    for (std::size_t bucket = 0; bucket <= bounds.size(); ++bucket) {
        target.sample_count += source.count(bucket);
        const auto bound = bucket < bounds.size() ? static_cast<double>(bounds[bucket]) / unit
                                                  : std::numeric_limits<double>::infinity();
        target.bucket.push_back({target.sample_count, bound});
    }
    target.sample_sum = static_cast<double>(source.sum()) / unit;
}

void add_jobs(Families& families, const engine::Stats& stats) {
    families.begin("millrace_jobs_total", "Attempts that ended, by what became of them.", MetricType::Counter);
    for (const auto& queue : stats.queues) {
        queue->each_kind([&](const std::string& kind, const engine::Tally& tally) {
            // All outcomes of a kind begin together, so that the first failure is an increase, not a new series.
            const bool is_used = tally.lost > 0 || std::any_of(tally.settled.begin(), tally.settled.end(),
                                                               [](const auto& counter) { return counter > 0; });
            if (!is_used) return;
            const auto count = [&](const std::string& outcome, const auto& counter) {
                families.counter({{"queue", queue->queue}, {"kind", kind}, {"outcome", outcome}}, number(counter));
            };
            for (std::size_t i = 0; i < core::outcome_names.size(); ++i)
                count(std::string{core::outcome_names[i]}, tally.settled[i]);
            count("lost", tally.lost);
        });
    }
}

void add_histograms(Families& families, const engine::Stats& stats) {
    using Member = engine::Histogram engine::QueueStats::*;
    const auto add = [&](const char* name, const char* help, Member member, double unit) {
        families.begin(name, help, MetricType::Histogram);
        for (const auto& queue : stats.queues) {
            families.histogram({{"queue", queue->queue}}, (*queue).*member, unit);
        }
    };
    add("millrace_job_wait_seconds", "From enqueue to the start of the first attempt.", &engine::QueueStats::wait,
        per_second);
    add("millrace_job_run_seconds", "How long attempts ran.", &engine::QueueStats::run, per_second);
    add("millrace_claim_seconds", "How long claims took to be answered.", &engine::QueueStats::claim, per_second);
    add("millrace_claim_batch_size", "Jobs that a claim brought.", &engine::QueueStats::batch, 1);
}

void add_counters(Families& families, const engine::Stats& stats) {
    const auto add = [&](const char* name, const char* help, const engine::Stats::Counter& counter) {
        families.begin(name, help, MetricType::Counter);
        families.counter({}, number(counter));
    };
    add("millrace_attempts_timed_out_total", "Attempts asked to stop at their deadline.", stats.timed_out);
    add("millrace_leases_lost_total", "Sessions whose jobs were, or were about to be, given to others.",
        stats.leases_lost);
    add("millrace_notify_wakeups_total", "Sleeps of claimers that a notification ended.", stats.wakeups);
    add("millrace_db_reconnects_total", "Connections opened to replace a lost one.", stats.reconnects);
    add("millrace_jobs_promoted_total", "Scheduled jobs that this worker made available.", stats.promoted);
    add("millrace_jobs_reaped_total", "Jobs that this worker took back from dead ones.", stats.reaped);
}

void add_worker(Families& families, const engine::Worker& worker) {
    add_jobs(families, worker.stats());
    add_histograms(families, worker.stats());
    add_counters(families, worker.stats());
    if (const auto age = worker.condition().heartbeat_age) {
        families.begin("millrace_heartbeat_age_seconds", "Since the database last accepted a renewal of the lease.",
                       MetricType::Gauge);
        families.gauge({}, std::chrono::duration<double>{*age}.count());
    }
}

void add_build(Families& families, const std::string& version) {
    families.begin("millrace_build_info", "Always 1; the label is this program's version.", MetricType::Gauge);
    families.gauge({{"version", version}}, 1);
}

void add_reachable(Families& families, const DatabaseProbe::Look& database) {
    families.begin("millrace_database_reachable", "Whether the database can be worked with: 0 or 1.",
                   MetricType::Gauge);
    families.gauge({}, database.obstacle ? 0 : 1);
}

void add_queues(Families& families, const DatabaseProbe::Look& database) {
    add_reachable(families, database);
    families.begin("millrace_queue_depth", "Jobs of a queue, by state, in the whole database.", MetricType::Gauge);
    for (const auto& depth : database.queues) {
        const std::array<std::pair<const char*, std::int64_t>, 5> states{{{"available", depth.available},
                                                                          {"scheduled", depth.scheduled},
                                                                          {"blocked", depth.blocked},
                                                                          {"running", depth.running},
                                                                          {"dead", depth.dead}}};
        for (const auto& [state, jobs] : states) {
            families.gauge({{"queue", depth.queue}, {"state", state}}, static_cast<double>(jobs));
        }
    }
    families.begin("millrace_queue_oldest_age_seconds", "Age of a queue's oldest available job; 0 without one.",
                   MetricType::Gauge);
    for (const auto& depth : database.queues) {
        families.gauge({{"queue", depth.queue}}, std::max(0.0, depth.oldest_age_seconds.value_or(0)));
    }
    if (database.obstacle) return;
    families.begin("millrace_notifications_oldest_age_seconds",
                   "Since when the oldest notification waits for the mail server; 0 without one.", MetricType::Gauge);
    families.gauge({}, std::max(0.0, database.oldest_notification_seconds.value_or(0)));
}

void add_pipelines(Families& families, const std::vector<storage::PipelineNumbers>& queues) {
    families.begin("millrace_pipeline_requests",
                   "Requests of a pipeline queue: all that wait or are validated, and of its last 1,000 what became of"
                   " them.",
                   MetricType::Gauge);
    for (const auto& queue : queues) {
        const std::array<std::pair<const char*, std::int64_t>, 6> states{{{"accepted", queue.accepted},
                                                                          {"processing", queue.processing},
                                                                          {"succeeded", queue.succeeded},
                                                                          {"failed", queue.failed},
                                                                          {"cancelled", queue.cancelled},
                                                                          {"superseded", queue.superseded}}};
        for (const auto& [state, requests] : states) {
            families.gauge({{"pipeline_queue", queue.queue}, {"state", state}}, static_cast<double>(requests));
        }
    }
    const auto add = [&](const char* name, const char* help, auto value_of) {
        families.begin(name, help, MetricType::Gauge);
        for (const auto& queue : queues) {
            const std::optional<double> value = value_of(queue);
            if (value) families.gauge({{"pipeline_queue", queue.queue}}, *value);
        }
    };
    add("millrace_pipeline_last_green_commit_timestamp_seconds", "When the last green commit was made.",
        [](const auto& queue) { return queue.last_green_committed_at; });
    add("millrace_pipeline_break_undetected_seconds",
        "How long a pipeline queue had been broken before there was a verdict; 0 while it is not broken.",
        [](const auto& queue) { return queue.break_undetected_seconds.value_or(0); });
    add("millrace_pipeline_validation_seconds",
        "How long the last validated head took, from its report to the end of its request.",
        [](const auto& queue) { return queue.validation_seconds; });
}

void add_kinds(Families& families, const engine::Registry& registry) {
    families.begin("millrace_kind_available", "Whether this worker can run a kind as it is configured: 0 or 1.",
                   MetricType::Gauge);
    for (const auto& kind : registry.kinds()) {
        const bool is_available = !std::holds_alternative<engine::Registry::Unavailable>(*registry.find(kind));
        families.gauge({{"kind", kind}}, is_available ? 1 : 0);
    }
}

void add_counted(Families& families, const Counted& counted) {
    for (const auto& family : counted.counters) {
        families.begin(family.name, family.help, MetricType::Counter);
        for (const auto& [value, counter] : family.counters)
            families.counter(family.label.empty() ? Labels{} : Labels{{family.label, value}}, number(*counter));
    }
    for (const auto& family : counted.durations) {
        families.begin(family.name, family.help, MetricType::Histogram);
        families.histogram({}, *family.durations, per_second);
    }
}

void add_stores(Families& families, const storage::pipeline::StoreCounts& stores) {
    const auto tallies = stores.snapshot();
    const auto add = [&](const char* name, const char* help, auto value_of) {
        families.begin(name, help, MetricType::Counter);
        for (const auto& [key, tally] : tallies) {
            families.counter({{"store", std::string{key.store}},
                              {"operation", std::string{key.operation}},
                              {"outcome", std::string{key.outcome}}},
                             value_of(tally));
        }
    };
    add("millrace_pipeline_store_operations_total",
        "What the pipeline's stages asked of its stores, by what came of it.",
        [](const auto& tally) { return static_cast<double>(tally.operations); });
    add("millrace_pipeline_store_seconds_total", "How long that took.",
        [](const auto& tally) { return std::chrono::duration<double>{tally.time}.count(); });
}

void add_sample(Families& families, const Sample& sample) {
    families.of_database(sample.database_name);
    if (sample.worker != nullptr) add_worker(families, *sample.worker);
    if (sample.registry != nullptr) add_kinds(families, *sample.registry);
    add_counted(families, sample.counted);
    if (sample.counted.stores != nullptr) add_stores(families, *sample.counted.stores);
    add_queues(families, sample.database);
    add_pipelines(families, sample.database.pipelines);
}

}  // namespace

std::string metrics_text(std::span<const Sample> samples) {
    Families families;
    add_build(families, samples.front().version);
    for (const auto& sample : samples)
        add_sample(families, sample);
    return families.text();
}

std::string metrics_text(const Sample& sample) {
    return metrics_text(std::span{&sample, 1});
}

std::string metrics_text(const SiteSample& sample) {
    Families families;
    add_build(families, sample.version);
    families.begin("millrace_api_requests_total", "Requests that `millrace serve` has answered.", MetricType::Counter);
    for (const auto& [key, requests] : sample.requests) {
        families.counter({{"resource", std::string{key.first}}, {"status", std::to_string(key.second)}},
                         static_cast<double>(requests));
    }
    add_reachable(families, sample.database);
    return families.text();
}

}  // namespace millrace::ops
