#include "adapters/curl.hpp"

#include <fmt/format.h>

#include <new>
#include <stdexcept>

namespace millrace::adapters {

void require(CURLcode code) {
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc{};
    if (code != CURLE_OK) throw std::runtime_error{fmt::format("libcurl: {}", curl_easy_strerror(code))};
}

}  // namespace millrace::adapters
