#pragma once
// forks.yml: the registry of forks as people keep it, and the document that forks.import_forks() takes.
//
//     groups:
//       - name: default
//         recipients: [ops@example.org]
//     forks:
//       - repo: acme/widget
//         branches: [16.0, 17.0]
//
// A value is a list, true or false, or a text.

#include "cli/entries_file.hpp"

namespace millrace::cli {

extern const EntriesFormat forks_format;

}  // namespace millrace::cli
