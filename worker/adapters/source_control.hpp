#pragma once
// What the pipeline asks of a repository. A URI names one commit; the source control that minted it is the only one
// that reads it.
//
// Thread rule: any thread, one object at a time.

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

namespace millrace::adapters {

class SourceControlError : public std::runtime_error {
public:
    enum class Kind {
        passing,  // the network, the remote, a commit that has not arrived yet: may succeed when repeated
        lasting,  // a URI that is not this source control's
    };
    SourceControlError(Kind kind, const std::string& text) : std::runtime_error{text}, kind_{kind} {}
    [[nodiscard]] Kind kind() const noexcept { return kind_; }

private:
    Kind kind_;
};

// All verbs throw SourceControlError.
class SourceControl {
public:
    SourceControl() = default;
    SourceControl(const SourceControl&) = delete;
    SourceControl& operator=(const SourceControl&) = delete;
    virtual ~SourceControl() = default;

    // The URI of the head.
    virtual std::string latest(const std::stop_token& stop) = 0;

    struct Range {
        std::string base;
        std::string head;
    };
    enum class Ancestry { ancestor, not_ancestor, unknown_base };
    // Whether the base is an ancestor of the head, or the head itself.
    virtual Ancestry ancestry(const Range& uris, const std::stop_token& stop) = 0;

    struct Change {
        std::string uri;
        std::chrono::sys_seconds committed;  // by the clock of whoever made the commit
    };
    [[nodiscard]] virtual Change change_info(const std::string& uri, const std::stop_token& stop) = 0;

    // What the ref has pointed to as far as the repository tells, the newest first: a merge is one change, and what it
    // brought is not listed. `limit` is at most `most_changes`.
    struct History {
        std::vector<Change> changes;
        std::string next;  // the cursor of the next page; empty: there is none
    };
    static constexpr int most_changes = 1000;
    // From the cursor on; from the head when it is empty.
    virtual History history(const std::string& cursor, int limit, const std::stop_token& stop) = 0;

    // Moves another ref of the repository to this commit, wherever it was. `vanished`: the commit is part of the ref
    // no longer, or the ref is gone, and nothing was moved. When somebody else moves the ref at the same time, one of
    // both wins, and the other has an error that is passing.
    enum class Promotion { moved, was_there, vanished };
    virtual Promotion promote(const std::string& uri, const std::string& ref, const std::stop_token& stop) = 0;

    // What the repository's own tools call the commit.
    [[nodiscard]] virtual std::string commit_of(const std::string& uri) const = 0;

    // Puts the files of the commit into a directory that does not exist yet.
    virtual void check_out(const std::string& uri, const std::filesystem::path& directory,
                           const std::stop_token& stop) = 0;
};

}  // namespace millrace::adapters
