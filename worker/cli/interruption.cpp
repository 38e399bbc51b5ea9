#include "cli/interruption.hpp"

#include <unistd.h>

namespace millrace::cli {

Interruption::Interruption()
    : thread_{[this] {
          if (!signals_.wait_for_end()) return;
          has_come_ = true;
          if (const auto second = signals_.wait_for_end()) _exit(128 + *second);
      }} {}

Interruption::~Interruption() {
    signals_.finish();
}

}  // namespace millrace::cli
