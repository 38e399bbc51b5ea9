#include "ops/log.hpp"

#include "core/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <ctime>
#include <utility>
#include <vector>

namespace millrace::ops {
namespace {

constexpr std::size_t longest_value = 2000;

std::string_view name_of(Level level) {
    constexpr std::array<std::string_view, 4> names{"debug", "info", "warning", "error"};
    return names.at(static_cast<std::size_t>(level));
}

// UTC with milliseconds, RFC 3339.
std::string timestamp() {
    const auto now = std::chrono::system_clock::now();
    const auto seconds = std::chrono::system_clock::to_time_t(now);
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    return fmt::format("{}.{:03}Z", std::string_view{text.data(), length}, millis);
}

std::string json_line(Level level, std::string_view message, std::span<const Field> fields) {
    nlohmann::ordered_json line;
    line["time"] = timestamp();
    line["level"] = name_of(level);
    line["message"] = message;
    for (const auto& field : fields) {
        auto& value = line[std::string{field.name}];
        if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
            value = *number;
        } else {
            value = core::printable(std::get<std::string_view>(field.value), longest_value);
        }
    }
    return line.dump();
}

// A terminal obeys control characters, so none of a field's gets there: not those of ASCII, and not U+0080 … U+009F,
// which are 0xC2 and one more byte in UTF-8.
std::string without_controls(std::string_view utf8) {
    std::string text;
    for (std::size_t at = 0; at < utf8.size(); ++at) {
        const auto byte = static_cast<unsigned char>(utf8[at]);
        const bool is_pair = byte == 0xC2 && at + 1 < utf8.size() && static_cast<unsigned char>(utf8[at + 1]) < 0xA0;
        text += is_pair || byte < 0x20 || byte == 0x7F ? ' ' : utf8[at];
        if (is_pair) ++at;
    }
    return text;
}

std::string human_line(Level level, std::string_view message, std::span<const Field> fields) {
    auto line = timestamp().substr(11, 12) + " ";
    if (level != Level::info) line.append(name_of(level)).append(": ");
    line += message;
    for (const auto& field : fields) {
        line.append("  ").append(field.name).append("=");
        if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
            line += std::to_string(*number);
        } else {
            line += without_controls(core::printable(std::get<std::string_view>(field.value), longest_value));
        }
    }
    return line;
}

}  // namespace

Log::Log(Format format, std::FILE* out, Level least) : format_{format}, out_{out}, least_{least} {}

Log::Log(Log& whole, std::string database)
    : whole_{&whole}, database_{std::move(database)}, format_{whole.format_}, out_{whole.out_}, least_{whole.least()} {}

void Log::write(Level level, std::string_view message, std::span<const Field> fields) {
    if (whole_ != nullptr) {
        if (level < whole_->least() && !whole_->observer_) return;  // most lines are of jobs, and for nobody
        std::vector<Field> all{{"database", database_}};
        all.insert(all.end(), fields.begin(), fields.end());
        return whole_->write(level, message, all);
    }
    if (observer_) observer_(level, message, fields);
    if (level < least_) return;
    auto line = format_ == Format::json ? json_line(level, message, fields) : human_line(level, message, fields);
    line += '\n';
    const std::lock_guard lock{mutex_};
    // A log that cannot be written has nowhere to say so.
    static_cast<void>(std::fwrite(line.data(), 1, line.size(), out_));
    static_cast<void>(std::fflush(out_));
}

void Log::observe(Observer observer) {
    observer_ = std::move(observer);
}

}  // namespace millrace::ops
