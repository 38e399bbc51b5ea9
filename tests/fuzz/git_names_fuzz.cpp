// Names of branches, addresses of repositories and commits, from payloads, from the registry and from the pipeline's
// queues; and what git says about them.
//
// Property: what is accepted cannot be an option, a command or a second word to git, and is a name by the rules of
// git-check-ref-format; what is repeated of git's words holds no password; only a full commit of the own branch is one.

#include "adapters/git_names.hpp"
#include "adapters/git_source.hpp"
#include "fuzz/input.hpp"

#include <algorithm>
#include <string>

namespace millrace::fuzz {
namespace {

constexpr std::string_view secret{"s3cr3t"};

bool holds_blank_or_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

// The rules of git-check-ref-format, one by one as its page has them, for refs/heads/NAME.
bool is_ref_name(std::string_view name) {
    for (const auto component : split(name, '/')) {
        if (component.empty() || component.front() == '.' || component.ends_with(".lock")) return false;
    }
    for (const std::string_view part : {"..", "~", "^", ":", "?", "*", "[", "\\", "@{"}) {
        if (name.find(part) != name.npos) return false;
    }
    return !holds_blank_or_control(name) && name.back() != '.' && name != "@";
}

void require_safe_branch(std::string_view name) {
    const auto problem = adapters::branch_problem(name);
    if (!problem) {
        require(!name.empty() && name.size() <= 200 && name.front() != '-' && is_ref_name(name),
                "a branch is a ref's name and no option", name);
    } else if (!name.empty() && name.size() <= 200 && name.front() != '-' && name != "HEAD") {
        require(!is_ref_name(name), "what git takes for a branch is one", name);
    }
}

void require_safe_remote(std::string_view url) {
    if (adapters::remote_problem(url)) return;
    require(!holds_blank_or_control(url), "an address is one word", url);
    require(url.starts_with('/') || url.find("://") != url.npos, "an address is a path or has a scheme", url);
    const auto scheme = url.substr(0, url.find(':'));
    require(url.starts_with('/') || scheme == "https" || scheme == "http" || scheme == "ssh" || scheme == "git" ||
                scheme == "file",
            "no other transport is asked for", url);
    const auto host = url.substr(std::min(scheme.size() + 3, url.size()));
    require(url.starts_with('/') || !host.starts_with('-'), "no host is an option", url);
}

void require_discretion(std::string_view said) {
    const auto shown = adapters::without_credentials(said);
    require(adapters::without_credentials(shown) == shown, "what was masked stays as it is", shown);
    if (said.find("://") == said.npos) require(shown == said, "text without an address stays as it is", shown);
    // As a password it ends with the @ before the host; blanks, quotation marks and slashes do not stand in one.
    std::string user{said.substr(0, said.find_first_of("/ \t\r\n'\""))};
    for (auto at = user.find(secret); at != user.npos; at = user.find(secret))
        user.erase(at, secret.size());
    const auto url = "fatal: cannot read 'https://" + user + ":" + std::string{secret} + "@git.example.org/shop.git'";
    const auto masked = adapters::without_credentials(url);
    require(masked.find(secret) == masked.npos, "no password is repeated", masked);
    require(masked.ends_with("***@git.example.org/shop.git'"), "the host is", masked);
}

void require_own_commit(const std::string& uri) {
    const adapters::GitSource source{{.remote = {"ssh://git@git.example.org/shop.git"},
                                      .branch = {"main"},
                                      .cache = "cache",
                                      .git = {.environment = {}}}};
    constexpr std::string_view prefix{"git://git.example.org/shop/ref/main/"};
    try {
        const auto commit = source.commit_of(uri);
        require(
            (commit.size() == 40 || commit.size() == 64) && commit.find_first_not_of("0123456789abcdef") == commit.npos,
            "a commit is named in full", commit);
        require(uri == std::string{prefix} + commit, "a commit is one of the own branch", uri);
    } catch (const adapters::SourceControlError& error) {
        require(error.kind() == adapters::SourceControlError::Kind::lasting, "a wrong name stays wrong");
    }
}

}  // namespace

void try_input(std::string_view bytes) {
    require_safe_branch(bytes);
    require_safe_remote(bytes);
    require_discretion(bytes);
    require_own_commit(std::string{bytes});
    require_own_commit("git://git.example.org/shop/ref/main/" + std::string{bytes});
}

}  // namespace millrace::fuzz
