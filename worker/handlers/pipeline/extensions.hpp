#pragma once
// The source controls and build runners there are, by the names that pipeline queues use for them.
//
// Thread rule: any thread.

#include "adapters/source_control.hpp"
#include "handlers/pipeline/build_runner.hpp"
#include "handlers/pipeline/secrets.hpp"
#include "handlers/pipeline/service_client.hpp"
#include "storage/pipeline_stores.hpp"

#include <nlohmann/json_fwd.hpp>

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
        Secrets secrets = {};                  // of the build services
    };

    explicit Extensions(Settings settings);

    // Both throw std::runtime_error for a name that this program does not know: another worker may be newer.
    [[nodiscard]] std::unique_ptr<adapters::SourceControl> source_control(const storage::pipeline::Queue& queue) const;
    [[nodiscard]] std::unique_ptr<BuildRunner> build_runner(const storage::pipeline::Queue& queue,
                                                            const storage::pipeline::Stores& stores,
                                                            const std::string& traceparent) const;

    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }

private:
    [[nodiscard]] ServiceClient service(const std::string& name, const nlohmann::json& settings,
                                        const std::string& traceparent) const;

    const Settings settings_;
    const std::unique_ptr<adapters::Http> http_;
};

}  // namespace millrace::handlers::pipeline
