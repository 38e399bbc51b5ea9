#include "cli/top_picture.hpp"

#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <sstream>

namespace millrace::cli {

namespace {

using For = Column::For;

constexpr std::size_t head_lines = 2;
constexpr std::size_t lines_around_table = 3;  // a blank line, its name, its titles

Tone tone_of(std::int64_t number, Tone unless_zero) {
    return number == 0 ? Tone::faint : unless_zero;
}

Cell counted(std::int64_t count, Tone unless_zero) {
    return Cell::of(count, tone_of(count, unless_zero));
}

Cell decimal(double value) {
    return Cell::json(fmt::format("{:.3f}", value));
}

// The busiest first: those of which somebody wants to know may be many, and the screen small.
Table table_of_queues(const Snapshot& snapshot, std::size_t most) {
    Table table{{{"queue"},
                 {"available"},
                 {"scheduled"},
                 {"blocked"},
                 {"running"},
                 {"dead"},
                 {"completed", For::programs},
                 {"per_second", For::people},
                 {"oldest", For::people},
                 {"oldest_age_seconds", For::programs},
                 {"paused", For::people},
                 {"paused_at", For::programs}}};
    auto queues = snapshot.queues;
    std::stable_sort(queues.begin(), queues.end(), [](const auto& one, const auto& other) {
        return one.available + one.running > other.available + other.running;
    });
    queues.resize(std::min(queues.size(), most));
    for (const auto& queue : queues) {
        const auto rate = snapshot.completed_per_second.find(queue.name);
        const auto age = queue.oldest_age_seconds;
        table.add({Cell::of(queue.name, Tone::strong), counted(queue.available, Tone::plain),
                   counted(queue.scheduled, Tone::plain), counted(queue.blocked, Tone::plain),
                   counted(queue.running, Tone::busy), counted(queue.dead, Tone::bad), Cell::of(queue.completed),
                   rate == snapshot.completed_per_second.end()
                       ? Cell{}
                       : Cell::of(static_cast<std::int64_t>(std::max(0.0, rate->second + 0.5)), Tone::good),
                   age ? Cell::of(rough_age(*age)) : Cell{}, age ? decimal(*age) : Cell{},
                   queue.paused_at ? Cell::of("paused", Tone::bad) : Cell{}, Cell::maybe(queue.paused_at)});
    }
    return table;
}

std::string progress_of(const storage::RunningRow& job) {
    const auto percent = job.percent ? fmt::format("{} %", *job.percent) : std::string{};
    return percent + (job.message ? (percent.empty() ? "" : " ") + *job.message : "");
}

Table table_of_running(const Snapshot& snapshot, std::size_t most) {
    Table table{{{"id"},
                 {"queue"},
                 {"kind"},
                 {"worker"},
                 {"tries", For::people},
                 {"attempt", For::programs},
                 {"for", For::people},
                 {"seconds", For::programs},
                 {"progress", For::people},
                 {"percent", For::programs},
                 {"message", For::programs},
                 {"cancelling", For::programs}}};
    for (const auto& job : snapshot.live.running) {
        if (table.rows() == most) break;
        const auto progress = job.is_cancelling ? "cancelling" : progress_of(job);
        table.add({Cell::of(job.id.value), Cell::of(job.queue), Cell::of(job.kind), Cell::of(job.worker),
                   Cell::of(fmt::format("{}/{}", job.attempt, job.max_attempts)), Cell::of(std::int64_t{job.attempt}),
                   Cell::of(rough_age(job.seconds)), decimal(job.seconds),
                   progress.empty() ? Cell{} : Cell::of(progress, job.is_cancelling ? Tone::busy : Tone::plain),
                   job.percent ? Cell::of(std::int64_t{*job.percent}) : Cell{}, Cell::maybe(job.message),
                   Cell::json(job.is_cancelling ? "true" : "false")});
    }
    return table;
}

Tone tone_of_worker(const std::string& state) {
    if (state == "alive") return Tone::good;
    return state == "draining" ? Tone::busy : Tone::bad;
}

Table table_of_workers(const Snapshot& snapshot, std::size_t most) {
    Table table{{{"worker"},
                 {"state"},
                 {"seen", For::people},
                 {"heartbeat_age_seconds", For::programs},
                 {"up", For::people},
                 {"age_seconds", For::programs},
                 {"version"},
                 {"queues"}}};
    for (const auto& worker : snapshot.live.workers) {
        if (table.rows() == most) break;
        table.add({Cell::of(worker.name, Tone::strong), Cell::of(worker.state, tone_of_worker(worker.state)),
                   Cell::of(rough_age(worker.heartbeat_age_seconds) + " ago"), decimal(worker.heartbeat_age_seconds),
                   Cell::of(rough_age(worker.age_seconds)), decimal(worker.age_seconds), Cell::of(worker.version),
                   Cell::of(worker.queues)});
    }
    return table;
}

Table table_of_alarms(const Snapshot& snapshot, std::size_t most) {
    Table table{{{"severity"}, {"finding"}, {"about"}, {"detail"}, {"remedy", For::programs}}};
    for (const auto& each : snapshot.alarms) {
        if (table.rows() == most) break;
        const auto tone = each.severity == "critical"  ? Tone::bad
                          : each.severity == "warning" ? Tone::busy
                                                       : Tone::faint;
        table.add({Cell::of(each.severity, tone), Cell::of(each.finding, Tone::strong), Cell::of(each.about),
                   Cell::of(each.detail), Cell::of(each.remedy)});
    }
    return table;
}

struct Section {
    std::string_view name;
    std::string_view when_empty;
    Table (*table)(const Snapshot& snapshot, std::size_t most);
    std::size_t rows;
};

std::array<Section, 4> sections_of(const Snapshot& snapshot) {
    return {Section{"Alarms", "none: the doctor has found nothing", &table_of_alarms, snapshot.alarms.size()},
            Section{"Queues", "none yet: millrace queues create NAME", &table_of_queues, snapshot.queues.size()},
            Section{"Running longest", "nothing", &table_of_running, snapshot.live.running.size()},
            Section{"Workers", "none", &table_of_workers, snapshot.live.workers.size()}};
}

// How many rows of each: a row to each in turn, for as long as there are lines left.
std::array<std::size_t, 4> shares_of(const std::array<Section, 4>& sections, std::size_t height) {
    std::array<std::size_t, 4> shares{};
    const auto taken = head_lines + sections.size() * lines_around_table;
    std::size_t left = height > taken ? height - taken : 0;
    if (height == 0) left = std::string::npos;
    for (bool gave = true; gave && left > 0;) {
        gave = false;
        for (std::size_t at = 0; at < sections.size() && left > 0; ++at) {
            if (shares.at(at) == sections.at(at).rows) continue;
            ++shares.at(at);
            --left;
            gave = true;
        }
    }
    return shares;
}

std::string head_of(const Snapshot& snapshot, const Frame& frame) {
    const auto age = fmt::format("data {} old", rough_age(frame.age_seconds));
    const auto head = fmt::format("millrace top  {}  ", harmless(snapshot.live.database));
    return frame.screen.toned(head, Tone::strong) + frame.screen.toned(age, frame.is_late ? Tone::bad : Tone::plain) +
           frame.screen.toned("  q quits", Tone::faint) + '\n' +
           frame.screen.toned(cut(harmless(frame.problem), frame.screen.width), Tone::bad) + '\n';
}

// At most so many lines.
std::string cut_lines(const std::string& text, std::size_t most) {
    std::size_t end = 0;
    for (std::size_t lines = 0; lines < most && end < text.size(); ++lines)
        end = std::min(text.find('\n', end), text.size() - 1) + 1;
    return text.substr(0, end);
}

}  // namespace

std::string picture_of(const Snapshot& snapshot, const Frame& frame) {
    const auto sections = sections_of(snapshot);
    const auto shares = shares_of(sections, frame.height);
    std::ostringstream out;
    if (frame.height > 0) out << head_of(snapshot, frame);
    for (std::size_t at = 0; at < sections.size(); ++at) {
        const auto& section = sections.at(at);
        const auto shown = shares.at(at);
        const auto part = shown < section.rows ? fmt::format(" ({} of {})", shown, section.rows) : "";
        if (at > 0 || frame.height > 0) out << '\n';
        out << frame.screen.toned(fmt::format("{}{}", section.name, part), Tone::strong) << '\n';
        if (section.rows == 0) {
            out << section.when_empty << '\n';
        } else {
            section.table(snapshot, shown).print(out, frame.screen);
        }
    }
    return frame.height == 0 ? out.str() : cut_lines(out.str(), frame.height);
}

void print_json(std::ostream& out, const Snapshot& snapshot) {
    constexpr std::array keys{"alarms", "queues", "running", "workers"};
    const auto sections = sections_of(snapshot);
    for (std::size_t at = 0; at < sections.size(); ++at) {
        out << (at == 0 ? "{" : ",") << '"' << keys.at(at) << "\":";
        sections.at(at).table(snapshot, sections.at(at).rows).print_json(out);
    }
    out << "}\n";
}

}  // namespace millrace::cli
