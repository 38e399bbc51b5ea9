#include "adapters/usage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace millrace::adapters {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t stat_block = 512;  // stat(2): whatever the file system's own blocks are

// A file of /proc that is one short line; empty when the process has gone.
std::string first_bytes(const std::string& path) {
    constexpr std::size_t enough = 1024;
    std::string text(enough, '\0');
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return {};
    const auto amount = read(file, text.data(), text.size());
    close(file);
    text.resize(amount > 0 ? static_cast<std::size_t>(amount) : 0);
    return text;
}

// The number that follows `skipped` spaces; 0 when there is none.
std::uint64_t field(std::string_view text, int skipped) {
    for (; skipped > 0; --skipped) {
        const auto space = text.find(' ');
        if (space == text.npos) return 0;
        text.remove_prefix(space + 1);
    }
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

// proc(5): the name of the program, in brackets, may hold anything; behind it come state, parent and group.
bool is_in_group(const std::string& process, pid_t group) {
    const auto status = first_bytes(process + "/stat");
    const auto name_end = status.rfind(") ");
    return name_end != status.npos &&
           field(std::string_view{status}.substr(name_end + 2), 2) == static_cast<std::uint64_t>(group);
}

}  // namespace

std::uint64_t memory_of_group(pid_t group) {
    const std::unique_ptr<DIR, int (*)(DIR*)> processes{opendir("/proc"), closedir};
    std::uint64_t pages = 0;
    while (processes) {
        const auto* entry = readdir(processes.get());
        if (entry == nullptr) break;
        const std::string process = std::string{"/proc/"} + static_cast<const char*>(entry->d_name);
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !is_in_group(process, group)) continue;
        const auto memory = first_bytes(process + "/statm");  // size, resident, of which files and shared memory
        const auto resident = field(memory, 1);
        const auto shared = field(memory, 2);
        if (resident > shared) pages += resident - shared;
    }
    return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t disk_of(const fs::path& directory) {
    std::uint64_t blocks = 0;
    std::error_code gone;
    fs::recursive_directory_iterator entries{directory, fs::directory_options::skip_permission_denied, gone};
    while (!gone && entries != fs::recursive_directory_iterator{}) {
        struct stat status {};
        if (lstat(entries->path().c_str(), &status) == 0 && (S_ISDIR(status.st_mode) || status.st_nlink == 1)) {
            blocks += static_cast<std::uint64_t>(status.st_blocks);
        }
        entries.increment(gone);
    }
    return blocks * stat_block;
}

}  // namespace millrace::adapters
