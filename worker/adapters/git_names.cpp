#include "adapters/git_names.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace millrace::adapters {
namespace {

constexpr std::size_t max_branch_bytes = 200;
constexpr std::size_t max_remote_bytes = 2000;

bool is_control(char letter) {
    return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

bool is_component(std::string_view component) {
    return !component.empty() && !component.starts_with('.') && !component.ends_with(".lock");
}

bool has_components(std::string_view name) {
    for (std::size_t start = 0; start <= name.size();) {
        const auto end = std::min(name.find('/', start), name.size());
        if (!is_component(name.substr(start, end - start))) return false;
        start = end + 1;
    }
    return true;
}

}  // namespace

std::optional<std::string> branch_problem(std::string_view name) {
    if (name.empty()) return "is empty";
    if (name.size() > max_branch_bytes) return "is longer than 200 bytes";
    if (name.starts_with('-')) return "begins with a hyphen, like an option";
    if (name == "@" || name == "HEAD") return "is git's own name for what is checked out";
    if (std::any_of(name.begin(), name.end(), is_control)) return "holds a control character";
    if (name.find_first_of(" ~^:?*[\\") != name.npos) return "holds one of the characters space ~ ^ : ? * [ \\";
    if (contains(name, "..") || contains(name, "@{")) return "holds .. or @{";
    if (name.ends_with('.')) return "ends with a dot";
    if (!has_components(name)) return "has a part between slashes that is empty, begins with a dot or ends with .lock";
    return std::nullopt;
}

bool fits(std::string_view name, std::string_view glob) {
    std::size_t at = 0;
    std::size_t in_glob = 0;
    auto star = glob.npos;  // the last one that was passed, and what it has been given up to here
    std::size_t taken = 0;
    while (at < name.size()) {
        if (in_glob < glob.size() && glob[in_glob] == '*') {
            star = in_glob++;
            taken = at;
        } else if (in_glob < glob.size() && glob[in_glob] == name[at]) {
            ++in_glob;
            ++at;
        } else if (star != glob.npos) {
            in_glob = star + 1;
            at = ++taken;
        } else {
            return false;
        }
    }
    return glob.find_first_not_of('*', in_glob) == glob.npos;
}

std::optional<std::string> remote_problem(std::string_view url) {
    constexpr auto allowed = "is none of https://, http://, ssh://, git:// and file:// and no absolute path";
    if (url.size() > max_remote_bytes) return "is longer than 2000 bytes";
    if (std::any_of(url.begin(), url.end(), [](char c) { return is_control(c) || c == ' '; })) {
        return "holds a space or a control character";
    }
    if (url.starts_with('/')) return std::nullopt;
    for (const std::string_view scheme : {"https://", "http://", "ssh://", "git://", "file://"}) {
        if (!url.starts_with(scheme)) continue;
        const auto rest = url.substr(scheme.size());
        if (rest.empty() || rest.front() == '-' || contains(rest.substr(0, rest.find('/')), "@-")) {
            return "names a host that begins with a hyphen, or none";
        }
        return std::nullopt;
    }
    return allowed;
}

std::string without_credentials(std::string_view text) {
    constexpr std::string_view before_host{"://"};
    std::string masked;
    for (auto found = text.find(before_host); found != text.npos; found = text.find(before_host)) {
        masked += text.substr(0, found + before_host.size());
        text.remove_prefix(found + before_host.size());
        const auto host = text.substr(0, text.find_first_of("/ \t\r\n'\""));
        if (const auto at = host.rfind('@'); at != host.npos) {
            masked += "***";
            text.remove_prefix(at);
        }
    }
    return masked += text;
}

}  // namespace millrace::adapters
