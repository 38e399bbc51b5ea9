#include "cli/answer.hpp"

#include "core/finally.hpp"

#include <ostream>

namespace millrace::cli {

Exit show_rows(const Invocation& invocation, const Table& table, std::string_view nothing) {
    if (invocation.arguments.has("json")) {
        table.print_json(invocation.console.out);
    } else if (table.rows() == 0) {
        invocation.console.err << nothing << '\n';
    } else {
        table.print(invocation.console.out, invocation.console.out_screen);
    }
    return table.rows() == 0 ? Exit::nothing : Exit::done;
}

Exit change_each(const Invocation& invocation, std::span<const std::string> names,
                 const std::function<std::string(const std::string& name)>& change) {
    auto& out = invocation.console.out;
    const bool is_json = invocation.arguments.has("json");
    Table table{{{"name"}, {"outcome"}}};
    const core::Finally print{[&] {
        if (is_json) table.print_json(out);
    }};
    for (const auto& name : names) {
        const auto outcome = change(name);
        table.add({Cell::of(name), Cell::of(outcome)});
        if (!is_json) out << outcome << ' ' << name << '\n';
    }
    return Exit::done;
}

}  // namespace millrace::cli
