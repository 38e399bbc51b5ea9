#pragma once
// Each setting's rule: what it is called, what it accepts, and where its value goes.
//
// Pure but for the files that a setting names: a secret is read here, and refused when others could read it too.

#include "options.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace {

// One value and where it was given; `origin` is what a person would look for.
struct Given {
    enum class Source { file, environment, command_line };
    enum class Secrecy { shared, owner_only };

    std::string value;
    std::string origin;
    Source source = Source::environment;
    Secrecy secrecy = Secrecy::owner_only;  // of the file it stands in
    std::string file;                       // empty unless it stands in one
};

// Options under construction, with what can only be decided when everything is known.
struct Draft {
    Options options;
    std::size_t prefetch = engine::QueueSettings{}.max_prefetch;
    adapters::SmtpSettings smtp;
    adapters::GithubSettings github;
    std::optional<adapters::SmtpSecurity> smtp_security;
    bool smtp_is_tls = false;       // by its address
    std::string first_smtp_origin;  // of any smtp setting but the address and the password
};

struct Rule {
    Setting setting;
    void (*apply)(Draft&, const Given&);  // throws OptionError
};

// In the order of config/millrace.conf.
[[nodiscard]] std::span<const Rule> rules();

// Settles what depends on several settings. Throws OptionError.
void complete(Draft& draft);

// The whole text of a settings file or a secret. Throws OptionError.
[[nodiscard]] std::string read_file(const std::string& path, const std::string& origin);
[[nodiscard]] Given::Secrecy secrecy_of(const std::string& path);

}  // namespace millrace
