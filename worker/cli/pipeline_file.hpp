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
// What a key may hold is the server's business, but for numbers. Whatever is wrong is reported with the line on which
// it stands.

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace millrace::cli {

// "LINE: what is wrong", or without a line.
class BadPipelineFile : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class PipelineFile {
public:
    // Throws BadPipelineFile.
    explicit PipelineFile(const std::string& text);

    [[nodiscard]] const std::string& document() const noexcept { return document_; }  // JSON

    // Where `queues[3].remote` stands, counted from 1; where `queues[3]` does when it has no such key; 0 when unknown.
    [[nodiscard]] int line_of(const std::string& path) const;

private:
    std::string document_;
    std::map<std::string, int> lines_;
};

// A document as such a file.
[[nodiscard]] std::string write_pipeline_file(std::string_view document);

}  // namespace millrace::cli
