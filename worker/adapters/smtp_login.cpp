#include "adapters/smtp_login.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace millrace::adapters {
namespace {

constexpr std::size_t max_token_bytes = std::size_t{16} * 1024;

std::shared_ptr<const SmtpLogin> login_with(const SmtpSettings& settings, std::string token) {
    auto with_token = settings;
    with_token.token = std::move(token);
    auto forms = secrets_of(with_token);
    return std::make_shared<const SmtpLogin>(
        SmtpLogin{std::move(with_token.password), std::move(with_token.token), std::move(forms)});
}

}  // namespace

std::string read_token(const std::string& path) {
    const auto refuse = [&path](const char* reason) {
        throw SmtpLoginProblem{fmt::format("smtp.token_file: {} {}", path, reason)};
    };
    struct stat status {};
    std::ifstream file{path, std::ios::binary};
    if (!file || ::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
        refuse("cannot be read. Check its path and who may read it.");
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) refuse("can be read by others. Run chmod 600 on it.");
    std::string token(max_token_bytes + 1, '\0');
    file.read(token.data(), static_cast<std::streamsize>(token.size()));
    token.resize(static_cast<std::size_t>(file.gcount()));
    if (token.size() > max_token_bytes) refuse("is larger than a token. It should hold the token alone.");
    token.erase(std::min(token.find_first_of("\r\n"), token.size()));
    if (token.empty()) refuse("holds no token. Write it on the first line.");
    return token;
}

SmtpLogins::SmtpLogins(const SmtpSettings& settings)
    : settings_{settings}, latest_{login_with(settings, settings.token)} {}

std::shared_ptr<const SmtpLogin> SmtpLogins::current() {
    auto latest = latest_.with([](const auto& login) { return login; });
    if (settings_.token_file.empty()) return latest;
    auto token = read_token(settings_.token_file);
    if (token == latest->token) return latest;
    auto renewed = login_with(settings_, std::move(token));
    latest_.with([&renewed](auto& login) { login = renewed; });
    return renewed;
}

}  // namespace millrace::adapters
