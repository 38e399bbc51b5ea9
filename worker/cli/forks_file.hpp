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
// What a key may hold is the server's business, but for its shape: a list, true or false, or a text. Whatever is wrong
// is reported with the line on which it stands.

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace millrace::cli {

// "LINE: what is wrong", or without a line.
class BadForksFile : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class ForksFile {
public:
    // Throws BadForksFile.
    explicit ForksFile(const std::string& text);

    [[nodiscard]] const std::string& document() const noexcept { return document_; }  // JSON

    // Where `forks[3].branches` stands, counted from 1; where `forks[3]` does when it has no such key; 0 when unknown.
    [[nodiscard]] int line_of(const std::string& path) const;

private:
    std::string document_;
    std::map<std::string, int> lines_;
};

// A document as such a file.
[[nodiscard]] std::string write_forks_file(std::string_view document);

}  // namespace millrace::cli
