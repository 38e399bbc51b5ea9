#include "cli/candidates.hpp"
#include "cli/forks.hpp"
#include "cli/jobs.hpp"
#include "cli/pipeline.hpp"
#include "cli/queues.hpp"
#include "cli/schedules.hpp"
#include "cli/usage.hpp"
#include "cli/worker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace millrace::cli {
namespace {

using storage::Named;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

using Words = std::vector<std::string>;

Candidates after(const Words& typed) {
    const std::array commands{jobs_command(),  queues_command(),   schedules_command(),
                              forks_command(), pipeline_command(), worker_command()};
    return candidates_for(typed, commands);
}

Words fitting_after(const Words& typed, const Words& names = {}) {
    return fitting(after(typed), names);
}

TEST(Usage, names_the_verbs_and_what_follows_each) {
    EXPECT_THAT(verbs_of(queues_command()), ElementsAre("list", "limits", "limit", "create", "set", "pause", "resume"));
    EXPECT_THAT(verbs_of(worker_command()), IsEmpty());
    const auto gate = forms_of(pipeline_command()).at(3);
    EXPECT_THAT(gate.verbs, ElementsAre("gate"));
    EXPECT_THAT(gate.places, ElementsAre("QUEUE", "URI|COMMIT"));
    EXPECT_FALSE(gate.repeats);
    const auto pause = forms_of(queues_command()).at(5);
    EXPECT_THAT(pause.places, ElementsAre("NAME"));
    EXPECT_TRUE(pause.repeats);
}

TEST(Candidates, are_commands_then_verbs_then_names) {
    EXPECT_THAT(fitting_after({"que"}), ElementsAre("queues"));
    EXPECT_THAT(fitting_after({"queues", "p"}), ElementsAre("pause"));
    EXPECT_EQ(after({"queues", "pause", ""}).names, Named::queue);
    EXPECT_EQ(after({"queues", "pause", "mail", "w"}).names, Named::queue);
    EXPECT_FALSE(after({"queues", "create", ""}).names);
    EXPECT_EQ(after({"queues", "limit", ""}).names, Named::queue);
    EXPECT_FALSE(after({"queues", "limit", "mail", ""}).names);
    EXPECT_EQ(after({"schedules", "show", ""}).names, Named::schedule);
    EXPECT_EQ(after({"schedules", "create", "x", "@daily", ""}).names, Named::queue);
    EXPECT_EQ(after({"forks", "sync", ""}).names, Named::fork);
    EXPECT_EQ(after({"pipeline", "gate", ""}).names, Named::pipeline_queue);
    EXPECT_FALSE(after({"pipeline", "gate", "main", ""}).names);
    EXPECT_TRUE(after({"forks", "import", ""}).is_file);
    EXPECT_THAT(fitting_after({"help", "sett"}), ElementsAre("settings"));
    EXPECT_THAT(fitting_after({"no-such-command", ""}), IsEmpty());
}

TEST(Candidates, are_flags_of_the_verb_and_their_values) {
    EXPECT_THAT(fitting_after({"queues", "create", "--"}), IsSupersetOf({"--max-attempts", "--json", "--help"}));
    EXPECT_THAT(fitting_after({"queues", "pause", "--"}), Not(Contains("--max-attempts")));
    EXPECT_THAT(fitting_after({"queues", "limit", "--"}), IsSupersetOf({"--rate", "--burst"}));
    EXPECT_THAT(fitting_after({"queues", "--"}), Not(Contains("--smtp-url")));
    EXPECT_THAT(fitting_after({"queues", "--database-u"}), ElementsAre("--database-url"));
    EXPECT_THAT(fitting_after({"worker", "--"}), IsSupersetOf({"--lease", "--queue", "--check", "--smtp-url"}));
    EXPECT_THAT(fitting_after({"jobs", "--state", "run"}), ElementsAre("running"));
    EXPECT_THAT(fitting_after({"worker", "--listen", ""}), ElementsAre("on", "off"));
    EXPECT_EQ(after({"jobs", "--kind", ""}).names, Named::kind);
    EXPECT_EQ(after({"worker", "--queue", ""}).names, Named::queue);
    EXPECT_TRUE(after({"worker", "--config", ""}).is_file);
    EXPECT_EQ(after({"--database-url", "dbname=x", "queues", "pause", ""}).database_url, "dbname=x");
}

TEST(Candidates, continue_a_word_with_an_equals_sign_as_the_shell_splits_it) {
    const Words names{"mail", "work"};
    EXPECT_THAT(fitting_after({"jobs", "--queue=ma"}, names), ElementsAre("--queue=mail"));
    EXPECT_THAT(fitting_after({"jobs", "--queue", "=", "ma"}, names), ElementsAre("mail"));
    EXPECT_THAT(fitting_after({"jobs", "--queue", "="}, names), ElementsAre("mail", "work"));
    EXPECT_EQ(after({"--database-url", "postgresql", ":", "//host/x", "queues", "pause", ""}).database_url,
              "postgresql://host/x");
}

TEST(Candidates, are_never_what_a_shell_would_run) {
    const Words kinds{"email.send", "$(touch x)", "`id`", "a b", "x;y", "-rf", "a\nb", "a'b", "\x1b[2J", ""};
    EXPECT_THAT(fitting_after({"jobs", "--kind", ""}, kinds), ElementsAre("email.send"));
}

TEST(Candidates, end_with_the_flags_after_two_dashes) {
    EXPECT_EQ(after({"queues", "pause", "--", ""}).names, Named::queue);
    EXPECT_THAT(fitting_after({"queues", "pause", "--", "--js"}), IsEmpty());
    EXPECT_NO_THROW(after({}));
}

}  // namespace
}  // namespace millrace::cli
