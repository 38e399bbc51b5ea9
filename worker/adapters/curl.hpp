#pragma once
// Setting libcurl's options, for the sources that use it. Thread rule: that of the handle.

#include <curl/curl.h>

namespace millrace::adapters {

// Throws what a libcurl function complains of.
void require(CURLcode code);

template <class Value>
void set(CURL* curl, CURLoption option, Value value) {
    require(curl_easy_setopt(curl, option, value));
}

}  // namespace millrace::adapters
