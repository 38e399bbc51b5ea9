#pragma once
// The payloads of the pipeline's jobs: keys of entities, never the entities themselves.
//
//     pipeline.ingest        {"queue": "monorepo/main"}            the head; or with "uri", that commit
//     pipeline.process       {"queue": …, "request": 7}
//     pipeline.build         {"queue": …, "request": 7, "run": 1}  and "project"; of a search "uri", a commit
//     pipeline.buildsignal   {"queue": …, "request": 7, "build": "command/7"}
//     pipeline.record        {"queue": …, "request": 7, "build": "command/7"}
//     pipeline.analyze       {"queue": …, "request": 7, "build": "command/7"}  and, wanted by an operator, "run"
//     pipeline.bisect        {"queue": …, "request": 7}
//     pipeline.promote       {"queue": …}
//     pipeline.run           {"queue": …, "build": "command/7"}
//     pipeline.tell          {"event": "pipeline/validation.recorded/…", "sink": "owners"}
//     pipeline.calloff       {"queue": …, "request": 7, "build": "command/7"}

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
    std::string project;
    int run = 0;  // 0: as the stage before left it
    std::string event;
    std::string sink;
};

class BadPayload : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Throws BadPayload, naming the key, when one is missing, unknown or of another type. Keys that are not required may be
// left out.
[[nodiscard]] Payload read_payload(std::string_view payload, std::initializer_list<std::string_view> required);

// JSON text, without what is empty.
[[nodiscard]] std::string write_payload(const Payload& payload);

}  // namespace millrace::handlers::pipeline
