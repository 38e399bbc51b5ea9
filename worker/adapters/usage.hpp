#pragma once
// What programs use of this host, as the system tells: looked up, not limited. What is gone by the time it is looked at
// counts as nothing.
//
// Thread rule: any thread.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace millrace::adapters {

// Bytes of memory that belong to the processes of a group. Files that are mapped, and memory that is reserved but not
// used, do not count: sanitizers and virtual machines reserve terabytes.
[[nodiscard]] std::uint64_t memory_of_group(pid_t group);

// Bytes on disk of the files below a directory. One that has other names too (a hard link) is somebody else's as well,
// and does not count.
[[nodiscard]] std::uint64_t disk_of(const std::filesystem::path& directory);

}  // namespace millrace::adapters
