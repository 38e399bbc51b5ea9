#include "cli/schemas.hpp"

#include "cli/answer.hpp"
#include "cli/input.hpp"
#include "cli/table.hpp"
#include "core/nearest.hpp"
#include "engine/payload_schema.hpp"
#include "storage/schema_store.hpp"

#include <fmt/format.h>

#include <array>
#include <ostream>

namespace millrace::cli {

namespace {

constexpr std::size_t most_file_mib = 1;  // far more than the server takes

constexpr std::array flags{json_flag};

// Nothing when this program understands it.
std::optional<std::string> problem_of(const std::string& schema) {
    try {
        const engine::PayloadSchema read{schema};
        return std::nullopt;
    } catch (const engine::BadSchema& error) {
        return error.what();
    }
}

Exit list_schemas(const Invocation& invocation, storage::SchemaStore& store) {
    Table table{{{"kind"}, {"bytes"}, {"problem"}}};
    for (const auto& [kind, schema] : store.all()) {
        const auto problem = problem_of(schema);
        table.add({Cell::of(kind, Tone::strong), Cell::of(static_cast<std::int64_t>(schema.size())),
                   problem ? Cell::of(*problem, Tone::bad) : Cell{}});
    }
    return show_rows(invocation, table, "no schemas yet: millrace schemas set KIND FILE");
}

// For a kind that has none: one that is like it and has one.
std::string remedy_for(storage::SchemaStore& store, const std::string& kind) {
    std::vector<std::string> kinds;
    for (const auto& [known, schema] : store.all())
        kinds.push_back(known);
    const auto meant = core::nearest(kind, kinds);
    return meant ? fmt::format("Did you mean \"{}\"?", *meant) : "millrace schemas lists the kinds that have one.";
}

Exit show_schema(const Invocation& invocation, storage::SchemaStore& store) {
    const auto& words = invocation.arguments.words();
    const auto schema = store.schema(words[1]);
    if (!schema) {
        invocation.console.complain(fmt::format("no schema for kind \"{}\"", words[1]), remedy_for(store, words[1]));
        return Exit::nothing;
    }
    invocation.console.out << *schema << '\n';
    return Exit::done;
}

// Printed either way; for programs as a row.
Exit check_schema(const Invocation& invocation) {
    const auto& words = invocation.arguments.words();
    const auto problem = problem_of(read_file(invocation, words[1], most_file_mib));
    if (invocation.arguments.has("json")) {
        Table table{{{"file"}, {"problem"}}};
        table.add({Cell::of(words[1]), Cell::maybe(problem)});
        table.print_json_record(invocation.console.out);
    } else if (problem) {
        invocation.console.complain(*problem, "docs/schemas.md lists the keywords.");
    } else {
        invocation.console.out << "understood\n";
    }
    return problem ? Exit::failed : Exit::done;
}

Exit report(const Invocation& invocation, const std::string& kind, const std::string& outcome) {
    if (invocation.arguments.has("json")) {
        Table table{{{"kind"}, {"outcome"}}};
        table.add({Cell::of(kind), Cell::of(outcome)});
        table.print_json_record(invocation.console.out);
    } else {
        invocation.console.out << outcome << ' ' << kind << '\n';
    }
    return Exit::done;
}

Exit set_schema(const Invocation& invocation, storage::SchemaStore& store, const std::string& schema) {
    if (const auto problem = problem_of(schema)) {
        invocation.console.complain(*problem, "Nothing was changed; docs/schemas.md lists the keywords.");
        return Exit::failed;
    }
    const auto& kind = invocation.arguments.words()[1];
    return report(invocation, kind, store.register_schema(kind, schema));
}

Exit remove_schema(const Invocation& invocation, storage::SchemaStore& store) {
    const auto& words = invocation.arguments.words();
    const auto outcome = store.register_schema(words[1], std::nullopt);
    if (outcome == "removed") return report(invocation, words[1], outcome);
    invocation.console.complain(fmt::format("no schema for kind \"{}\"", words[1]), remedy_for(store, words[1]));
    return Exit::nothing;
}

constexpr std::array verbs{
    Verb{"list", 0, 0, "takes no kinds: schemas show KIND", "json"},
    Verb{"show", 1, 1, "needs one kind", "json"},
    Verb{"check", 1, 1, "needs one file, or - for standard input", "json"},
    Verb{"set", 2, 2, "needs a kind and a file, or - for standard input", "json"},
    Verb{"remove", 1, 1, "needs one kind", "json"},
};

Exit run(const Invocation& invocation) {
    const auto verb = verb_of("schemas", invocation.arguments, verbs).name;
    if (verb == "check") return check_schema(invocation);
    std::string schema;
    if (verb == "set") schema = read_file(invocation, invocation.arguments.words()[2], most_file_mib);
    const storage::SessionFactory sessions{invocation.options.database_url};
    const auto session = sessions.open("schemas");
    storage::SchemaStore store{*session};
    if (verb == "list") return list_schemas(invocation, store);
    if (verb == "show") return show_schema(invocation, store);
    return verb == "set" ? set_schema(invocation, store, schema) : remove_schema(invocation, store);
}

}  // namespace

Command schemas_command() {
    return {.name = "schemas",
            .summary = "lists and shows the JSON Schemas of payloads; checks, sets and removes them",
            .usage =
                "millrace schemas [list] [--json]\n"
                "millrace schemas show KIND [--json]\n"
                "millrace schemas check FILE|- [--json]\n"
                "millrace schemas set KIND FILE|- [--json]\n"
                "millrace schemas remove KIND [--json]",
            .details =
                "Workers discard a job whose payload is not as the schema of its kind wants it, before its handler\n"
                "runs; they hear of a change within seconds. check needs no database. A schema that this program\n"
                "does not understand is not set. millrace enqueue --check looks at payloads before it enqueues them.",
            .flags = flags,
            .run = run};
}

}  // namespace millrace::cli
