#include "cli/many_jobs.hpp"

#include "cli/guess.hpp"
#include "cli/interruption.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "storage/interval.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <optional>
#include <ostream>

namespace millrace::cli {

namespace {

using Clock = std::chrono::steady_clock;
using Filter = nlohmann::json;  // as operate_many.sql reads it, where the limits of each value are known
using std::chrono::milliseconds;

constexpr int most_jobs = 1'000'000'000;
constexpr int jobs_at_once = 1'000;   // in a transaction
constexpr int most_counted = 10'000;  // by the server in one call
constexpr std::array<std::string_view, 7> choices{"kind", "state", "error", "older-than", "newer-than", "all", "queue"};

struct Work {
    const std::string& verb;
    storage::ManyAction action;
    std::string queue;
    Filter filter;
    std::optional<milliseconds> older_than;  // of the filter
    std::optional<milliseconds> newer_than;
    int most = jobs_at_once;
};

struct Outcome {
    storage::ManyAnswer answer;
    bool was_interrupted = false;
    bool is_stuck = false;  // nothing moves any more, although there are more
};

std::string jobs_text(int amount) {
    return fmt::format("{} {}", grouped(static_cast<std::size_t>(amount)), amount == 1 ? "job" : "jobs");
}

Filter filter_of(const Arguments& arguments, std::span<const core::JobId> ids) {
    auto filter = Filter::object();
    if (arguments.has("all")) filter["all"] = true;
    for (const auto& key : {"kind", "state", "error"}) {
        if (const auto text = filter_text(arguments, key); !text.empty()) filter[key] = text;
    }
    if (const auto age = arguments.duration("older-than")) filter["older_than"] = storage::interval_text(*age);
    if (const auto age = arguments.duration("newer-than")) filter["newer_than"] = storage::interval_text(*age);
    for (const auto id : ids)
        filter["jobs"].push_back(id.value);
    return filter;
}

constexpr milliseconds longest_age = std::chrono::hours{24 * 3600};  // of a filter: 10 years as PostgreSQL counts them

// Those that matched when the work began so long ago: a job that is replayed and fails at once would be replayed for
// ever, and one that is enqueued meanwhile was not meant.
Filter as_of(const Work& work, milliseconds ago) {
    auto filter = work.filter;
    filter.erase("all");
    filter["older_than"] =
        storage::interval_text(std::min(longest_age, work.older_than.value_or(milliseconds{0}) + ago));
    if (work.newer_than) filter["newer_than"] = storage::interval_text(std::min(longest_age, *work.newer_than + ago));
    return filter;
}

storage::ManyAnswer ask(storage::OperatorStore& store, const Work& work, const Filter& filter, int most,
                        storage::ManyMode mode) {
    return store.act_on_many(work.action, work.queue, filter.dump(-1, ' ', false, Filter::error_handler_t::replace),
                             most, mode);
}

// One transaction after the other, until none is left, nothing moves any more, or somebody interrupts.
void change(const Invocation& invocation, storage::OperatorStore& store, const Work& work, Outcome& outcome) {
    const Interruption interruption;
    Progress progress{invocation.console, "jobs", 0};
    const auto begun_at = Clock::now();
    auto& sum = outcome.answer;
    auto filter = work.filter;
    for (bool goes_on = true; goes_on;) {
        const auto step =
            ask(store, work, filter, std::min(jobs_at_once, work.most - sum.changed), storage::ManyMode::change);
        sum.changed += step.changed;
        sum.skipped = step.skipped;
        sum.has_more = step.has_more;
        progress.show(0, static_cast<std::uint64_t>(sum.changed));
        outcome.is_stuck = step.has_more && step.changed == 0;
        goes_on = step.has_more && step.changed > 0 && sum.changed < work.most;
        outcome.was_interrupted = goes_on && interruption.has_come();
        goes_on = goes_on && !outcome.was_interrupted;
        filter = as_of(work, std::chrono::duration_cast<milliseconds>(Clock::now() - begun_at));
    }
    sum.matched = sum.changed + sum.skipped;
}

// However far it comes, whoever asked is told.
Outcome change_or_tell(const Invocation& invocation, storage::OperatorStore& store, const Work& work) {
    Outcome outcome;
    try {
        change(invocation, store, work, outcome);
    } catch (const std::exception&) {
        const auto changed = outcome.answer.changed;
        if (changed > 0) invocation.console.err << fmt::format("{}: {}, and then:\n", work.verb, jobs_text(changed));
        throw;
    }
    return outcome;
}

void print(const Invocation& invocation, const Work& work, const Outcome& outcome, bool is_certain) {
    auto& console = invocation.console;
    const auto& answer = outcome.answer;
    if (invocation.arguments.has("json")) {
        Table table{{{"matched"}, {"changed"}, {"skipped"}, {"more"}}};
        table.add({Cell::of(std::int64_t{answer.matched}), Cell::of(std::int64_t{answer.changed}),
                   Cell::of(std::int64_t{answer.skipped}), Cell::json(answer.has_more ? "true" : "false")});
        table.print_json_record(console.out);
    } else if (answer.matched == 0) {
        console.err << "no job matches\n" << guess_for_filter(invocation);
    } else if (is_certain) {
        console.out << fmt::format("{}: {}\n", work.verb, jobs_text(answer.changed));
    }
    if (is_certain && answer.skipped > 0) {
        console.err << fmt::format("skipped {}{}, which have moved meanwhile, or whose unique key is taken\n",
                                   outcome.is_stuck ? "more than " : "", jobs_text(answer.skipped));
    }
    if (!is_certain && answer.matched > 0) {
        const bool is_all = answer.matched == work.most || !answer.has_more;
        console.err << fmt::format("would {} {}{}; --yes does it\n", work.verb, is_all ? "" : "more than ",
                                   jobs_text(answer.matched));
    }
    if (outcome.was_interrupted) {
        console.err << "interrupted: the others are as they were\n";
    } else if (answer.has_more && !outcome.is_stuck && (is_certain || answer.matched == work.most)) {
        console.err << "there are more: once again, or with a higher --max\n";
    }
}

}  // namespace

bool has_filter(const Arguments& arguments) {
    return std::any_of(choices.begin(), choices.end(), [&](std::string_view flag) { return arguments.has(flag); });
}

// An empty value would be no filter at all: `cancel --queue work --kind "$UNSET" --yes` must not cancel every job.
std::string filter_text(const Arguments& arguments, std::string_view flag) {
    const auto text = arguments.value(flag);
    if (text && text->empty()) throw UsageError{fmt::format("--{} is empty; name one, or leave the flag out", flag)};
    return text.value_or("");
}

Exit change_many(const Invocation& invocation, storage::OperatorStore& store, const std::string& verb,
                 storage::ManyAction action, std::span<const core::JobId> ids) {
    const auto& arguments = invocation.arguments;
    const Work work{.verb = verb,
                    .action = action,
                    .queue = filter_text(arguments, "queue"),
                    .filter = filter_of(arguments, ids),
                    .older_than = arguments.duration("older-than"),
                    .newer_than = arguments.duration("newer-than"),
                    .most = arguments.number("max", 1, most_jobs).value_or(jobs_at_once)};
    if (work.queue.empty() || work.filter.empty()) {
        throw UsageError{
            fmt::format("jobs {} by filter needs --queue, and one of --kind, --error, --older-than, "
                        "--newer-than, or --all",
                        verb)};
    }
    const bool is_certain = arguments.has("yes") && !arguments.has("dry-run");
    const auto outcome =
        is_certain
            ? change_or_tell(invocation, store, work)
            : Outcome{ask(store, work, work.filter, std::min(work.most, most_counted), storage::ManyMode::dry_run)};
    print(invocation, work, outcome, is_certain);
    if (outcome.was_interrupted) return Exit::failed;
    return outcome.answer.matched == 0 ? Exit::nothing : Exit::done;
}

}  // namespace millrace::cli
