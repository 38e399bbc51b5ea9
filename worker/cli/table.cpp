#include "cli/table.hpp"

#include "core/check.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <ostream>
#include <sstream>

namespace millrace::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t gap = 2;
constexpr std::size_t least_width = 8;  // below that, a cut text says nothing

std::string title_of(const Column& column) {
    std::string title{column.name};
    for (char& letter : title) {
        letter = letter == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    }
    return title;
}

std::string shown_text(const Cell& cell) {
    return cell.type == Cell::Type::none ? "–" : harmless(cell.text);
}

Json value_of(const Cell& cell) {
    switch (cell.type) {
        case Cell::Type::none:
            return nullptr;
        case Cell::Type::text:
            return cell.text;
        case Cell::Type::number:
        case Cell::Type::json: {
            auto value = Json::parse(cell.text, nullptr, false);
            return value.is_discarded() ? Json(cell.text) : value;  // a number may be too large for this parser
        }
    }
    return nullptr;
}

std::string dumped(const Json& json, int indent) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json object_of(const std::vector<Column>& columns, const std::vector<Cell>& row) {
    auto object = Json::object();
    for (std::size_t at = 0; at < columns.size(); ++at) {
        if (columns[at].reader != Column::For::people) object[std::string{columns[at].name}] = value_of(row[at]);
    }
    return object;
}

}  // namespace

void Table::add(std::vector<Cell> row) {
    CHECK(row.size() == columns_.size());
    rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::shown_columns() const {
    std::vector<std::size_t> shown;
    for (std::size_t at = 0; at < columns_.size(); ++at) {
        if (columns_[at].reader != Column::For::programs) shown.push_back(at);
    }
    return shown;
}

std::vector<std::size_t> Table::widths(const std::vector<std::size_t>& shown, std::size_t limit) const {
    std::vector<std::size_t> widths;
    std::size_t total = 0;
    for (const auto at : shown) {
        auto width = columns_of(title_of(columns_[at]));
        for (const auto& row : rows_)
            width = std::max(width, columns_of(shown_text(row[at])));
        widths.push_back(width);
        total += width + (widths.size() > 1 ? gap : 0);
    }
    while (limit != 0 && total > limit) {
        const auto widest = std::max_element(widths.begin(), widths.end());
        if (widest == widths.end() || *widest <= least_width) break;
        --*widest;
        --total;
    }
    return widths;
}

void Table::print(std::ostream& out, const Screen& screen) const {
    const auto shown = shown_columns();
    const auto widths = this->widths(shown, screen.width);
    const auto write_line = [&](auto&& text_of, auto&& tone_of, auto&& is_number) {
        for (std::size_t at = 0; at < shown.size(); ++at) {
            const auto text = cut(text_of(shown[at]), widths[at]);
            const std::string padding(widths[at] - columns_of(text), ' ');
            const bool is_last = at + 1 == shown.size();
            if (is_number(shown[at])) out << padding;
            out << screen.toned(text, tone_of(shown[at]));
            if (!is_number(shown[at]) && !is_last) out << padding;
            if (!is_last) out << std::string(gap, ' ');
        }
        out << '\n';
    };
    const auto is_number_column = [&](std::size_t at) {
        return std::any_of(rows_.begin(), rows_.end(),
                           [&](const std::vector<Cell>& row) { return row[at].type == Cell::Type::number; });
    };
    write_line([&](std::size_t at) { return title_of(columns_[at]); }, [](std::size_t) { return Tone::faint; },
               is_number_column);
    for (const auto& row : rows_) {
        write_line([&](std::size_t at) { return shown_text(row[at]); }, [&](std::size_t at) { return row[at].tone; },
                   is_number_column);
    }
}

void Table::print_record(std::ostream& out, const Screen& screen) const {
    CHECK(!rows_.empty());
    std::size_t width = 0;
    for (const auto at : shown_columns())
        width = std::max(width, columns_of(columns_[at].name));
    for (const auto at : shown_columns()) {
        const auto& cell = rows_.front()[at];
        if (cell.type == Cell::Type::none) continue;
        const std::string padding(width + gap - columns_of(columns_[at].name), ' ');
        out << screen.toned(columns_[at].name, Tone::faint) << padding;
        if (cell.type == Cell::Type::json) {
            // JSON escapes the control characters of ASCII only.
            std::istringstream lines{dumped(value_of(cell), 2)};
            std::string line;
            for (bool is_first = true; std::getline(lines, line); is_first = false)
                out << (is_first ? "" : std::string(width + gap, ' ')) << harmless(line) << '\n';
        } else {
            out << screen.toned(shown_text(cell), cell.tone) << '\n';
        }
    }
}

std::string Table::json_of(const std::vector<Cell>& row) const {
    return dumped(object_of(columns_, row), -1);
}

void Table::print_json(std::ostream& out) const {
    out << "[";
    for (std::size_t at = 0; at < rows_.size(); ++at)
        out << (at == 0 ? "\n" : ",\n") << json_of(rows_[at]);
    out << (rows_.empty() ? "]\n" : "\n]\n");
}

void Table::print_json_record(std::ostream& out) const {
    CHECK(!rows_.empty());
    out << json_of(rows_.front()) << '\n';
}

}  // namespace millrace::cli
