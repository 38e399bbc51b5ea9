#include "cli/answer.hpp"

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

}  // namespace millrace::cli
