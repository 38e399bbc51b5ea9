#include "support/smtp_server.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace millrace::testing {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds start_deadline{30};

const auto support = std::filesystem::path{MILLRACE_SOURCE_DIR} / "tests/support";

// The pinned one; the system's where `./dev setup` has not been.
std::string node() {
    std::error_code nothing_installed;
    for (const auto& package : std::filesystem::directory_iterator{support / "npm/node_modules", nothing_installed}) {
        if (package.path().filename().string().starts_with("node-linux-")) return package.path() / "bin/node";
    }
    return "node";
}

struct Pipe {
    int read_end = -1;
    int write_end = -1;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
    return {ends[0], ends[1]};
}

pid_t spawn(std::vector<std::string> command, int standard_input, int standard_output) {
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (auto& word : command)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, standard_input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, standard_output, STDOUT_FILENO);
    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::system_error{error, std::generic_category(), command[0]};
    return pid;
}

std::string read_line(int file) {
    const auto deadline = Clock::now() + start_deadline;
    std::string line;
    for (char c = 0; c != '\n';) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd readable{file, POLLIN, 0};
        if (::poll(&readable, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) != 1 ||
            ::read(file, &c, 1) != 1) {
            throw std::runtime_error{"the SMTP test server did not start; `./dev setup` installs what it needs"};
        }
        line += c;
    }
    return line;
}

std::size_t append(char* data, std::size_t size, std::size_t count, void* out) {
    static_cast<std::string*>(out)->append(data, size * count);
    return size * count;
}

std::vector<ReceivedMail::Address> addresses(const json& list) {
    std::vector<ReceivedMail::Address> out;
    for (const auto& one : list)
        out.push_back({one.at("address"), one.at("name")});
    return out;
}

ReceivedMail received(const json& mail) {
    ReceivedMail out;
    out.from = addresses(mail.at("from"));
    out.to = addresses(mail.at("to"));
    out.reply_to = addresses(mail.at("replyTo"));
    out.subject = mail.at("subject");
    out.text = mail.at("text");
    out.html = mail.at("html");
    for (const auto& file : mail.at("attachments")) {
        out.attachments.push_back({file.at("name"), file.at("type"), file.at("disposition"), file.at("content")});
    }
    out.message_id = mail.at("messageId");
    out.date = mail.at("date");
    out.helo = mail.at("helo");
    out.user = mail.at("user");
    out.connection = mail.at("connection");
    out.envelope_from = mail.at("envelope").at("from");
    out.envelope_to = mail.at("envelope").at("to").get<std::vector<std::string>>();
    out.headers = mail.at("headers").get<std::vector<std::string>>();
    out.raw = mail.at("raw");
    out.secure = mail.at("secure");
    return out;
}

const char* word(adapters::SmtpSecurity security) {
    switch (security) {
        case adapters::SmtpSecurity::starttls:
            return "starttls";
        case adapters::SmtpSecurity::tls:
            return "tls";
        case adapters::SmtpSecurity::none:
            return "none";
    }
    return "";
}

}  // namespace

SmtpServer::SmtpServer(adapters::SmtpSecurity security, Authentication authentication,
                       std::vector<std::string> peculiarities) {
    std::vector<std::string> command = {node(), support / "smtp/server.mjs", "--until-stdin-closes", "--security",
                                        word(security)};
    settings_.host = "localhost";
    settings_.security = security;
    settings_.from = "Millrace <queue@example.com>";
    settings_.helo = "worker.example.com";
    if (authentication == Authentication::required) {
        settings_.username = username;
        settings_.password = password;
        command.insert(command.end(), {"--user", settings_.username, "--password", settings_.password});
    }

    command.insert(command.end(), peculiarities.begin(), peculiarities.end());

    const auto input = make_pipe();
    const auto output = make_pipe();
    pid_ = spawn(command, input.read_end, output.write_end);
    ::close(input.read_end);
    ::close(output.write_end);
    stdin_ = input.write_end;
    const auto ready = json::parse(read_line(output.read_end));
    ::close(output.read_end);

    settings_.port = ready.at("port").get<std::uint16_t>();
    settings_.ca_file = ready.value("ca_file", "");
    control_url_ = fmt::format("http://127.0.0.1:{}", ready.at("http_port").get<int>());
}

SmtpServer::~SmtpServer() {
    ::close(stdin_);
    resume();
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
}

std::string SmtpServer::request(const char* method, const char* path, std::string_view body) const {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl{curl_easy_init(), &curl_easy_cleanup};
    std::string answer;
    curl_easy_setopt(curl.get(), CURLOPT_URL, (control_url_ + path).c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, method);
    if (!body.empty()) {
        curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
        curl_easy_setopt(curl.get(), CURLOPT_COPYPOSTFIELDS, body.data());
    }
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &append);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
    long status = 0;
    const auto result = curl_easy_perform(curl.get());
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    if (result != CURLE_OK || status != 200) {
        throw std::runtime_error{fmt::format("{} {}: {} {}", method, path, curl_easy_strerror(result), answer)};
    }
    return answer;
}

void SmtpServer::script(std::string_view faults) {
    static_cast<void>(request("PUT", "/script", faults));
}

bool SmtpServer::has_played_script() const {
    return json::parse(request("GET", "/script", "")).empty();
}

std::vector<ReceivedMail> SmtpServer::messages() const {
    std::vector<ReceivedMail> out;
    for (const auto& mail : json::parse(request("GET", "/messages", "")))
        out.push_back(received(mail));
    return out;
}

void SmtpServer::forget_messages() {
    static_cast<void>(request("DELETE", "/messages", ""));
}

void SmtpServer::suspend() {
    ::kill(pid_, SIGSTOP);
}

void SmtpServer::resume() {
    ::kill(pid_, SIGCONT);
}

}  // namespace millrace::testing
