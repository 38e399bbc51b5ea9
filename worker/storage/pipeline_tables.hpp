#pragma once
// The pipeline's stores in PostgreSQL, as part of one transaction. Each operation is timed and counted.
//
//     Tables tables{transaction, counts};
//     tables.stores().requests.get(key);
//
// Thread rule: as the Session of the transaction.

#include "storage/pipeline_counts.hpp"
#include "storage/pipeline_stores.hpp"
#include "storage/session.hpp"

#include <memory>

namespace millrace::storage::pipeline {

class Tables {
public:
    Tables(Transaction& transaction, StoreCounts& counts);  // which outlive it
    ~Tables();
    Tables(const Tables&) = delete;
    Tables& operator=(const Tables&) = delete;

    [[nodiscard]] Stores stores();  // as long as this lives

private:
    struct All;
    std::unique_ptr<All> all_;
};

}  // namespace millrace::storage::pipeline
