#pragma once
// The pipeline with a real database and a real repository, one job at a time: a test says which stage runs next, runs
// it twice, or lets it lose its transaction.
//
// Thread rule: one thread.

#include "engine/registry.hpp"
#include "handlers/pipeline/extensions.hpp"
#include "storage/pipeline_counts.hpp"
#include "support/database.hpp"
#include "support/git_remote.hpp"

#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>

namespace millrace::testing {

class PipelineStages {
public:
    // A pipeline queue "shop/main" of a repository with one commit. The command is green unless the head has a file
    // named "broken"; `options` go to pipeline.create_queue, as in "max_concurrent => 2".
    // `secrets` are the variables that the worker has for build services.
    explicit PipelineStages(const std::string& options = "", std::map<std::string, std::string> secrets = {});

    [[nodiscard]] Database& database() noexcept { return database_; }
    [[nodiscard]] GitRemote& remote() noexcept { return remote_; }
    [[nodiscard]] const std::filesystem::path& cache() const noexcept { return cache_.path(); }
    [[nodiscard]] engine::Registry registry() { return registry(database_.sessions()); }  // of all kinds

    [[nodiscard]] std::string uri(const std::string& commit) const;
    // A new commit; the number of the request that it became.
    int push(const std::map<std::string, std::string>& files);
    int ingest(const std::string& uri);
    void configure(const std::string& settings);

    // Runs the oldest available job of this kind as the engine does, and settles it in its transaction. What became of
    // it: "completed", "snoozed", "failed: …", "discarded: …"; "none" when there is no such job.
    std::string step(const std::string& kind);
    // One after the other, by their names without "pipeline."; throws unless each is completed.
    void steps(std::initializer_list<const char*> stages);
    // From process to analyze; the runner's job goes before buildsignal, so that nothing is snoozed.
    void validate();
    // The same, but the worker dies before it commits; the job stays.
    void lose(const std::string& kind);
    // The same, but on another way to the server, which breaks: true when it did, and the job stays with its fence.
    bool breaks(const std::string& kind, const storage::SessionFactory& way);
    // Everything that is left, snoozed jobs too. Throws when that takes more than a hundred jobs.
    void finish();
    // Available and snoozed jobs by kind, as "build process".
    [[nodiscard]] std::string waiting();

    [[nodiscard]] std::string state(int request);                 // with its strategy, as "processing full"
    [[nodiscard]] std::string degree(const std::string& commit);  // "" without a fact
    [[nodiscard]] std::string bookmark();                         // the number of the request that holds it
    [[nodiscard]] std::string count(const std::string& table);
    // Of all requests, in their order; and the verdict on one of them that stands, "" without one.
    [[nodiscard]] std::string states();
    [[nodiscard]] std::string verdict(int request, const std::string& project = "");

private:
    enum class Fate { committed, lost };
    std::string run(const core::Job& job, Fate fate) { return run(job, fate, registry_, *session_); }
    static std::string run(const core::Job& job, Fate fate, const engine::Registry& registry,
                           storage::Session& session);
    [[nodiscard]] engine::Registry registry(const storage::SessionFactory& sessions);
    void claim();
    [[nodiscard]] core::Job take(const std::string& kind);

    Database database_;
    GitRemote remote_;
    TemporaryDirectory cache_;
    handlers::pipeline::Extensions extensions_;
    storage::pipeline::StoreCounts counts_;  // of the stages
    engine::Registry registry_;
    std::unique_ptr<storage::Session> session_;
    core::WorkerId worker_;
    std::deque<core::Job> claimed_;
};

}  // namespace millrace::testing
