#include "cli/queue_limits.hpp"

#include "cli/answer.hpp"
#include "cli/table.hpp"
#include "storage/limit_store.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <ostream>
#include <string>

namespace millrace::cli {

namespace {

constexpr int most_at_one_time = 1'000'000;
constexpr int most_burst = 100'000;

std::optional<int> limit_of(const std::string& word) {
    if (word == "none") return std::nullopt;
    int limit = 0;
    const char* const end = word.data() + word.size();
    const auto [rest, failure] = std::from_chars(word.data(), end, limit);
    if (failure != std::errc{} || rest != end || limit < 1 || limit > most_at_one_time) {
        throw UsageError{
            fmt::format("\"{}\": write a whole number from 1 to {}, or none for the queue's", word, most_at_one_time)};
    }
    return limit;
}

template <class Number>
Cell maybe_number(const std::optional<Number>& number) {
    return number ? Cell::of(std::int64_t{*number}) : Cell{};
}

std::string shown(const storage::KeyLimit& limit) {
    if (!limit.most && !limit.rate) return "as its queue has it";
    auto text =
        limit.most ? fmt::format("{} at a time", *limit.most) : std::string{"as many at a time as its queue has"};
    if (limit.rate) text += ", " + *limit.rate;
    if (limit.burst) text += fmt::format(", {} at once", *limit.burst);
    return text;
}

}  // namespace

Exit show_limits(const Invocation& invocation, storage::Session& session) {
    const auto& words = invocation.arguments.words();
    const auto queue = words.size() > 1 ? std::optional{words[1]} : std::nullopt;
    using For = Column::For;
    Table table{{{"queue"},
                 {"scope"},
                 {"key"},
                 {"limit"},
                 {"rate"},
                 {"burst"},
                 {"running"},
                 {"waiting"},
                 {"next_token_at"},
                 {"is_own", For::programs}}};
    for (const auto& row : storage::LimitStore{session}.limits(queue)) {
        const bool is_full = row.limit && row.running && *row.running >= *row.limit;
        table.add({Cell::of(row.queue, Tone::strong), Cell::of(row.scope), Cell::maybe(row.key),
                   maybe_number(row.limit), Cell::maybe(row.rate), maybe_number(row.burst),
                   row.running ? Cell::of(*row.running, is_full ? Tone::busy : Tone::plain) : Cell{},
                   maybe_number(row.waiting), Cell::maybe(row.next_token_at),
                   Cell::json(row.is_own ? "true" : "false")});
    }
    return show_rows(
        invocation, table,
        queue ? "no such queue: millrace queues has their names" : "no queues yet: millrace queues create NAME");
}

Exit limit_key(const Invocation& invocation, storage::Session& session) {
    const auto& arguments = invocation.arguments;
    const auto& queue = arguments.words()[1];
    const auto& key = arguments.words()[2];
    const storage::KeyLimit limit{.most = limit_of(arguments.words()[3]),
                                  .rate = arguments.value("rate"),
                                  .burst = arguments.number("burst", 1, most_burst)};
    storage::LimitStore{session}.limit_key(queue, key, limit);
    if (invocation.arguments.has("json")) {
        Table table{{{"queue"}, {"key"}, {"limit"}, {"rate"}, {"burst"}}};
        table.add({Cell::of(queue), Cell::of(key), maybe_number(limit.most), Cell::maybe(limit.rate),
                   maybe_number(limit.burst)});
        table.print_json_record(invocation.console.out);
    } else {
        invocation.console.out << fmt::format("{} {}: {}\n", harmless(queue), harmless(key), shown(limit));
    }
    return Exit::done;
}

}  // namespace millrace::cli
