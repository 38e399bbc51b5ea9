#include "support/prism.hpp"

#include "adapters/process.hpp"
#include "support/git_server.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace millrace::testing {
namespace {

const auto modules = std::filesystem::path{MILLRACE_SOURCE_DIR} / "tests/support/npm/node_modules";

// The pinned one; the system's where `./dev setup` has not been.
std::string node() {
    std::error_code nothing_installed;
    for (const auto& package : std::filesystem::directory_iterator{modules, nothing_installed}) {
        if (package.path().filename().string().starts_with("node-linux-")) return package.path() / "bin/node";
    }
    return "node";
}

}  // namespace

Prism::Prism(const std::string& description, const std::string& upstream) : port_{free_port()} {
    proxy_ = serve({node(), modules / "@stoplight/prism-cli/dist/index.js", "proxy", description, upstream, "--errors",
                    "-h", "127.0.0.1", "-p", std::to_string(port_)},
                   port_);
}

std::string Prism::url() const {
    return fmt::format("http://127.0.0.1:{}", port_);
}

}  // namespace millrace::testing
