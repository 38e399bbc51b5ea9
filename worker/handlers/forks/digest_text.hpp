#pragma once
// Writes a digest: subject, text and HTML of what forks.digest_content() found.
//
//     Acme digest 2026-01-31 — ⚠️ 2 sync fail — ⚠️ 1 diverged        parts that count nothing are left out
//
// Sections, each only when there is something in it: counts, earlier runs that came to no end, sync failures,
// diverged, distribution failures, rebase failures, search failures, synced, distributed, rebased, migrations, moved
// repositories, and a footer of the branches that differ by managed commits alone. Diverged is a warning and no
// failure; the failures that count are those of synchronisation and distribution.
//
// Whatever came from outside is one line of valid UTF-8, and in HTML escaped. Where a section is too long for a mail it
// ends with the number of what was left out.
//
// Pure.

#include "storage/forks_store.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace millrace::handlers::forks {

inline constexpr std::size_t most_digest_bytes = 200000;  // each of text and HTML: escaped, both fit a job's 1 MiB

// Throws std::invalid_argument for what is not such a content.
[[nodiscard]] storage::DigestText write_digest(std::string_view content);

}  // namespace millrace::handlers::forks
