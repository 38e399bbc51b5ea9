#pragma once
// Builds the text form of a PostgreSQL array, element by element: {1,NULL,"a \"quoted\" text"}.

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::storage {

class ArrayLiteral {
public:
    void add(std::int64_t element);
    void add(std::string_view element);
    void add_null();

    [[nodiscard]] std::string text() const { return text_ + "}"; }

private:
    void separate();

    std::string text_{"{"};
};

}  // namespace millrace::storage
