#pragma once
// The pipeline's stores in memory, for unit tests of the stages: what tests/storage/pipeline_contract_test.cpp states
// holds here as it does in PostgreSQL. There are no transactions: what is written stays.
//
// Projects, searches for a culprit, repeated builds and hooks are functions of the server; here there are none.
//
// Thread rule: one thread.

#include "storage/pipeline_stores.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace millrace::testing {

class MemoryStores {
public:
    MemoryStores();
    ~MemoryStores();
    MemoryStores(const MemoryStores&) = delete;
    MemoryStores& operator=(const MemoryStores&) = delete;

    void add_queue(storage::pipeline::Queue queue);
    [[nodiscard]] storage::pipeline::Stores stores();
    [[nodiscard]] const std::vector<storage::pipeline::Fact>& announced() const;

    // What somebody else does just before a pipeline queue is locked next.
    void before_lock(std::function<void()> act);
    // As an operator who does not believe the verdict.
    void want_again(const storage::pipeline::RequestKey& request);
    // The end of a command.
    void finish(const storage::pipeline::BuildKey& build, storage::pipeline::BuildStatus status);

private:
    struct All;
    std::unique_ptr<All> all_;
};

}  // namespace millrace::testing
