// The payloads of the pipeline's jobs: JSON from any producer, and from the stages themselves.
//
// Property: what is accepted is what the JSON says, has what the stage needs, and is the same when it is written out
// and read again; a refusal says where it is wrong.

#include "fuzz/input.hpp"
#include "fuzz/json_reader.hpp"
#include "fuzz/text.hpp"
#include "handlers/pipeline/payload.hpp"

namespace millrace::fuzz {
namespace {

using handlers::pipeline::Payload;

bool are_same(const Payload& one, const Payload& other) {
    return one.queue == other.queue && one.request == other.request && one.build == other.build &&
           one.uri == other.uri && one.project == other.project && one.run == other.run && one.event == other.event &&
           one.sink == other.sink;
}

void require_sound(std::string_view bytes, std::initializer_list<std::string_view> needed) {
    Payload payload;
    try {
        payload = handlers::pipeline::read_payload(bytes, needed);
    } catch (const handlers::pipeline::BadPayload& error) {
        const std::string_view text{error.what()};
        require(text.starts_with("payload key \"") || text.starts_with("the payload "), "a refusal names the key",
                text);
        require(is_utf8(text) && is_harmless(text), "a refusal is one harmless line", text);
        return;
    }
    for (const auto key : needed)
        require(json_member(bytes, std::string{key}).has_value(), "what is needed is there", key);
    require(json_string(bytes, "queue").value_or("") == payload.queue, "the queue is the one in the JSON");
    require(json_string(bytes, "build").value_or("") == payload.build, "the build is the one in the JSON");
    require(json_member(bytes, "request").value_or("0") == std::to_string(payload.request.value),
            "the request is the number in the JSON");
    const auto written = handlers::pipeline::write_payload(payload);
    if (!payload.queue.empty()) {
        require(are_same(handlers::pipeline::read_payload(written, {"queue"}), payload), "it is read as the same again",
                written);
    }
}

}  // namespace

void try_input(std::string_view bytes) {
    require_sound(bytes, {});
    require_sound(bytes, {"queue"});
    require_sound(bytes, {"queue", "request", "build"});
}

}  // namespace millrace::fuzz
