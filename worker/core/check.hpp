#pragma once
// A defect of this program, found while it runs: say where, and stop. The lease gives the jobs to another worker,
// which is better than going on with state that nobody has thought about.

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                                                          \
    do {                                                                                                          \
        if (!(condition)) [[unlikely]] {                                                                          \
            static_cast<void>(std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition)); \
            std::abort();                                                                                         \
        }                                                                                                         \
    } while (false)
