#pragma once
// Rows for a person, in columns that fit the terminal; or the same rows for a program, as JSON.

#include "cli/console.hpp"

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

struct Column {
    enum class For { both, people, programs };
    std::string_view name;  // as in JSON
    For reader = For::both;
};

struct Cell {
    enum class Type { none, text, number, json };
    Type type = Type::none;
    std::string text;
    Tone tone = Tone::plain;

    static Cell of(std::string text, Tone tone = Tone::plain) { return {Type::text, std::move(text), tone}; }
    static Cell maybe(const std::optional<std::string>& text) { return text ? of(*text) : Cell{}; }
    static Cell of(std::int64_t number, Tone tone = Tone::plain) {
        return {Type::number, std::to_string(number), tone};
    }
    static Cell json(std::string text) { return {Type::json, std::move(text), Tone::plain}; }
};

class Table {
public:
    explicit Table(std::vector<Column> columns) : columns_{std::move(columns)} {}

    void add(std::vector<Cell> row);  // one cell for each column
    [[nodiscard]] std::size_t rows() const noexcept { return rows_.size(); }

    // With titles; the widest texts are cut until a line fits the screen.
    void print(std::ostream& out, const Screen& screen) const;
    // The first row, one line for each column.
    void print_record(std::ostream& out, const Screen& screen) const;
    // An array of objects, one a line; or the first row as an object.
    void print_json(std::ostream& out) const;
    void print_json_record(std::ostream& out) const;

private:
    [[nodiscard]] std::vector<std::size_t> shown_columns() const;
    [[nodiscard]] std::vector<std::size_t> widths(const std::vector<std::size_t>& shown, std::size_t limit) const;
    [[nodiscard]] std::string json_of(const std::vector<Cell>& row) const;

    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace millrace::cli
