#include "storage/array_literal.hpp"

namespace millrace::storage {

void ArrayLiteral::add(std::int64_t element) {
    separate();
    text_ += std::to_string(element);
}

// Always quoted: an empty string, the word null and anything with a comma or brace would be read otherwise.
void ArrayLiteral::add(std::string_view element) {
    separate();
    text_ += '"';
    for (const char letter : element) {
        if (letter == '"' || letter == '\\') text_ += '\\';
        text_ += letter;
    }
    text_ += '"';
}

void ArrayLiteral::add_null() {
    separate();
    text_ += "NULL";
}

void ArrayLiteral::separate() {
    if (text_.size() > 1) text_ += ',';
}

}  // namespace millrace::storage
