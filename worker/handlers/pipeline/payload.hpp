#pragma once
// The payloads of the pipeline's jobs: keys of entities, never the entities themselves.
//
//     pipeline.ingest        {"queue": "monorepo/main"}            the head; or with "uri", that commit
//     pipeline.process       {"queue": …, "request": 7}
//     pipeline.build         {"queue": …, "request": 7}
//     pipeline.buildsignal   {"queue": …, "request": 7, "build": "command/7"}
//     pipeline.record        {"queue": …, "request": 7, "build": "command/7"}
//     pipeline.run           {"queue": …, "build": "command/7"}

#include "storage/pipeline_entities.hpp"

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace millrace::handlers::pipeline {

using storage::pipeline::RequestNumber;

struct Payload {
    std::string queue;
    RequestNumber request;
    std::string build;
    std::string uri;
};

class BadPayload : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Throws BadPayload, naming the key, when one is missing, unknown or of another type. "uri" may always be left out.
[[nodiscard]] Payload read_payload(std::string_view json, std::initializer_list<std::string_view> required);

// JSON text, without what is empty.
[[nodiscard]] std::string write_payload(const Payload& payload);

}  // namespace millrace::handlers::pipeline
