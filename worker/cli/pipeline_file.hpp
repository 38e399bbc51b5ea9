#pragma once
// pipeline.yml: pipeline queues as people keep them, and the document that pipeline.apply() takes.
//
//     queues:
//       - name: shop/main
//         remote: /srv/git/shop.git
//         ref: main
//         command: [make, check]
//         projects:
//           - {name: web, rules: [{path: "web/**"}]}
//
// A value is a text, a list, a map, and for some keys a number.

#include "cli/entries_file.hpp"

namespace millrace::cli {

extern const EntriesFormat pipeline_format;

}  // namespace millrace::cli
