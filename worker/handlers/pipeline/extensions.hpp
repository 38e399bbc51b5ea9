#pragma once
// The source controls and build runners there are, by the names that pipeline queues use for them.
//
// Thread rule: any thread.

#include "adapters/source_control.hpp"
#include "handlers/pipeline/build_runner.hpp"
#include "storage/pipeline_stores.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace millrace::handlers::pipeline {

class Extensions {
public:
    struct Settings {
        std::filesystem::path cache;           // mirrors and work trees; disposable
        std::vector<std::string> environment;  // NAME=value: what git and the builds' commands see
    };

    explicit Extensions(Settings settings) : settings_{std::move(settings)} {}

    // Both throw std::runtime_error for a name that this program does not know: another worker may be newer.
    [[nodiscard]] std::unique_ptr<adapters::SourceControl> source_control(const storage::pipeline::Queue& queue) const;
    [[nodiscard]] std::unique_ptr<BuildRunner> build_runner(const storage::pipeline::Queue& queue,
                                                            storage::pipeline::Stores& stores) const;

    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }

private:
    const Settings settings_;
};

}  // namespace millrace::handlers::pipeline
