#include "cli/many_jobs.hpp"

#include "cli/guess.hpp"
#include "cli/table.hpp"
#include "storage/interval.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ostream>

namespace millrace::cli {

namespace {

constexpr int most_jobs = 10'000;
constexpr std::array<std::string_view, 7> choices{"kind", "state", "error", "older-than", "newer-than", "all", "queue"};

// As operate_many.sql reads it, where the limits of each value are known.
std::string filter_of(const Arguments& arguments, std::span<const core::JobId> ids) {
    auto filter = nlohmann::json::object();
    if (arguments.has("all")) filter["all"] = true;
    for (const auto& key : {"kind", "state", "error"}) {
        if (const auto text = filter_text(arguments, key); !text.empty()) filter[key] = text;
    }
    if (const auto age = arguments.duration("older-than")) filter["older_than"] = storage::interval_text(*age);
    if (const auto age = arguments.duration("newer-than")) filter["newer_than"] = storage::interval_text(*age);
    for (const auto id : ids)
        filter["jobs"].push_back(id.value);
    return filter.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string jobs_text(int amount) {
    return fmt::format("{} {}", grouped(static_cast<std::size_t>(amount)), amount == 1 ? "job" : "jobs");
}

void print(const Invocation& invocation, const std::string& verb, const storage::ManyAnswer& answer, bool is_certain) {
    auto& console = invocation.console;
    if (invocation.arguments.has("json")) {
        Table table{{{"matched"}, {"changed"}, {"skipped"}, {"more"}}};
        table.add({Cell::of(std::int64_t{answer.matched}), Cell::of(std::int64_t{answer.changed}),
                   Cell::of(std::int64_t{answer.skipped}), Cell::json(answer.has_more ? "true" : "false")});
        table.print_json_record(console.out);
    } else if (answer.matched == 0) {
        console.err << "no job matches\n" << guess_for_filter(invocation);
    } else if (is_certain) {
        console.out << fmt::format("{}: {}\n", verb, jobs_text(answer.changed));
    }
    if (is_certain && answer.skipped > 0) {
        console.err << fmt::format("skipped {}, which have moved meanwhile, or whose unique key is taken\n",
                                   jobs_text(answer.skipped));
    }
    if (!is_certain && answer.matched > 0) {
        console.err << fmt::format("would {} {}; --yes does it\n", verb, jobs_text(answer.matched));
    }
    if (answer.has_more) console.err << "there are more: once again, or with a higher --max\n";
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
    const auto filter = filter_of(arguments, ids);
    const auto queue = filter_text(arguments, "queue");
    if (queue.empty() || filter == "{}") {
        throw UsageError{
            fmt::format("jobs {} by filter needs --queue, and one of --kind, --error, --older-than, "
                        "--newer-than, or --all",
                        verb)};
    }
    const auto most = arguments.number("max", 1, most_jobs).value_or(1000);
    const bool is_certain = arguments.has("yes") && !arguments.has("dry-run");
    const auto answer = store.act_on_many(action, queue, filter, most,
                                          is_certain ? storage::ManyMode::change : storage::ManyMode::dry_run);
    print(invocation, verb, answer, is_certain);
    return answer.matched == 0 ? Exit::nothing : Exit::done;
}

}  // namespace millrace::cli
