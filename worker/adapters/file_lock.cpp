#include "adapters/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace millrace::adapters {

namespace {

// Not so when whoever had the lock removed the file after we had opened it: others would lock another one.
bool is_still_there(int descriptor, const std::filesystem::path& file) {
    struct stat locked {};
    struct stat named {};
    return fstat(descriptor, &locked) == 0 && lstat(file.c_str(), &named) == 0 && locked.st_dev == named.st_dev &&
           locked.st_ino == named.st_ino;
}

}  // namespace

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& file) {
    constexpr int most_tries = 1000;
    for (int tries = 0; tries < most_tries; ++tries) {
        const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (descriptor < 0) throw std::system_error{errno, std::generic_category(), "cannot open " + file.string()};
        FileLock lock{descriptor};
        if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK) return std::nullopt;
            throw std::system_error{errno, std::generic_category(), "cannot lock " + file.string()};
        }
        if (is_still_there(descriptor, file)) return lock;
    }
    return std::nullopt;  // it changes hands all the time
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}

FileLock::~FileLock() {
    if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace millrace::adapters
