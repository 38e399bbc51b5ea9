#pragma once
// A proxy before the server that passes everything on, until it is told to steal an answer: the statement reaches the
// server and is carried out, and the connection breaks before its client hears so.
//
// Thread rule: owns its threads; `steal`, `stolen` and `heard` by any thread.

#include "support/database.hpp"

#include <atomic>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace millrace::testing {

class AnswerThief {
public:
    explicit AnswerThief(Database& database);
    ~AnswerThief();
    AnswerThief(const AnswerThief&) = delete;
    AnswerThief& operator=(const AnswerThief&) = delete;

    // As a worker, through this proxy.
    [[nodiscard]] const storage::SessionFactory& sessions() const noexcept { return sessions_; }

    // Steals the answer to the next statement that contains this text, once.
    void steal(std::string text);
    [[nodiscard]] int stolen() const noexcept { return stolen_; }
    // Which functions of this schema were called so far, as "schema.name(", each once and in their order.
    [[nodiscard]] std::vector<std::string> heard(const std::string& schema);

private:
    void accept(const std::stop_token& stop);
    void serve(int client, const std::stop_token& stop);
    [[nodiscard]] bool is_wanted(std::string_view request);

    int listener_;
    int port_;
    int server_port_;
    storage::SessionFactory sessions_;
    std::atomic<int> stolen_{0};

    std::mutex mutex_;  // protects both
    std::string wanted_;
    std::string requests_;  // as they were sent

    std::vector<std::jthread> connections_;  // touched by the accepting thread only, until that has ended
    std::jthread acceptor_;
};

}  // namespace millrace::testing
