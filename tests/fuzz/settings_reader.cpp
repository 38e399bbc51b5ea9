#include "fuzz/settings_reader.hpp"

#include "cli/console.hpp"
#include "fuzz/input.hpp"
#include "fuzz/text.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <sstream>

namespace millrace::fuzz {

Reading read_settings(const std::vector<std::string>& words, const Environment& environment) {
    try {
        return read_options(words, environment);
    } catch (const OptionError& error) {
        return Refused{error.what()};
    }
}

std::string text_of(const Options& options) {
    auto text = fmt::format(
        "url {}\nname {}\nlease {}\npoll {}\ndrain {}\nlistening {}\ncache {}\nformat {}\nlevel {}\n",
        options.database_url, options.worker.name, options.worker.lease.count(), options.worker.poll_interval.count(),
        options.worker.drain_timeout.count(), static_cast<int>(options.worker.listening), options.cache_directory,
        options.log_format ? static_cast<int>(*options.log_format) : -1, static_cast<int>(options.log_level));
    for (const auto& [name, url] : options.databases)
        text += fmt::format("database {} {}\n", name, url);
    text += fmt::format("listen_url {}\n", options.worker.listen_url);
    for (const auto& queue : options.worker.queues)
        text += fmt::format("queue {} {} {}\n", queue.name, queue.slots, queue.max_prefetch);
    if (options.http) text += fmt::format("http {}\n", options.http->text());
    for (const auto& one : options.unsubscribe_secrets)
        text += fmt::format("unsubscribe {}\n", one);
    if (options.smtp) {
        const auto& smtp = *options.smtp;
        text += fmt::format("smtp {} {} {} {} {} {} {} {} {} {} {} {}\n", smtp.host, smtp.port,
                            static_cast<int>(smtp.security), static_cast<int>(smtp.auth), smtp.username, smtp.password,
                            smtp.ca_file, smtp.from, smtp.helo, smtp.connect_timeout.count(),
                            smtp.total_timeout.count(), smtp.reply_timeout.count());
    }
    return text;
}

void require_sound(const Options& options) {
    using namespace std::chrono_literals;
    const auto& worker = options.worker;
    require(worker.lease >= 1s && worker.lease <= 1h, "a lease has limits");
    require(worker.poll_interval >= 10ms && worker.poll_interval <= 1h, "the poll interval has limits");
    require(worker.drain_timeout >= 0s && worker.drain_timeout <= 24h, "the drain timeout has limits");
    require(worker.stop_grace >= 100ms && worker.stop_grace <= 5min, "the grace has limits");
    require(!worker.name.empty() && worker.name.size() <= 400 && is_utf8(worker.name), "a worker has a name",
            worker.name);
    std::set<std::string> names;
    for (const auto& queue : worker.queues) {
        require(queue.slots >= 1 && queue.slots <= 1000 && queue.max_prefetch <= 10'000, "a queue's slots have limits");
        require(!queue.name.empty() && queue.name.size() <= 48 && names.insert(queue.name).second,
                "a queue is named, and once", queue.name);
    }
    for (const auto& [name, url] : options.databases) {
        require(!name.empty() && name.size() <= 40 && !url.empty() && names.insert(name + "=").second,
                "a database is named, and once", name);
    }
    if (options.http) require(options.http->port >= 1 && options.http->port <= 65535, "a port is a port");
    if (!options.smtp) return;
    const auto& smtp = *options.smtp;
    require(!smtp.host.empty() && smtp.port != 0, "a mail server has a host and a port");
    try {
        adapters::check(smtp);
    } catch (const std::invalid_argument& problem) {
        require_fit_complaint(problem.what());
        return;
    }
    const auto url = adapters::url_of(smtp);
    require(is_harmless(url) && url.find_first_of(" \\\"<>@#?") == url.npos, "an address is one word", url);
}

namespace {

// A keyword whose letters are written in percent signs is hidden on purpose.
void require_no_password_in(const std::string& url) {
    if (url.find('%') != url.npos) return;
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> known{PQconninfoParse(url.c_str(), nullptr),
                                                                               &PQconninfoFree};
    for (const auto* option = known.get(); option != nullptr && option->keyword != nullptr; ++option) {
        const bool is_password = option->keyword == std::string_view{"password"};
        const bool is_given = option->val != nullptr && *option->val != '\0';
        require(!is_password || !is_given, "a password that others can see is refused", url);
    }
}

}  // namespace

void require_no_password(const Options& options) {
    require_no_password_in(options.database_url);
    for (const auto& database : options.databases)
        require_no_password_in(database.url);
    require_no_password_in(options.worker.listen_url);
}

void require_fit_complaint(std::string_view problem) {
    require(!problem.empty(), "a refusal has a text");
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    const cli::Console console{.in = in, .out = out, .err = err, .out_screen = {}, .err_screen = {}};
    console.complain(problem, "");
    const auto said = err.str();
    require(said.starts_with("error: ") && said.find('\n') == said.size() - 1, "a complaint is one line", said);
    require(is_utf8(said) && is_harmless(std::string_view{said}.substr(0, said.size() - 1)),
            "a terminal obeys nothing in a complaint", said);
    require(out.str().empty(), "complaints go to the standard error");
}

SettingsFile::SettingsFile(std::string_view text, unsigned mode) : descriptor_{memfd_create("settings", MFD_CLOEXEC)} {
    require(descriptor_ >= 0 && write(descriptor_, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                fchmod(descriptor_, mode) == 0,
            "there is room for a file");
}

SettingsFile::~SettingsFile() {
    close(descriptor_);
}

std::string SettingsFile::path() const {
    return fmt::format("/proc/self/fd/{}", descriptor_);
}

bool names_no_device(std::string_view text) {
    for (const std::string_view directory : {"dev", "proc", "sys"})
        if (text.find(directory) != text.npos) return false;
    return true;
}

}  // namespace millrace::fuzz
