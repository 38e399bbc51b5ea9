#pragma once
// `email.send`: hands one mail to the mail server, and settles the job by what the server said.
//
//     accepted                                → completed, with the Message-ID and the reply
//     refused for good, or a bad payload      → dead letter
//     put off, broken off in the middle, or
//     lost after it was sent                  → failed: retried with the queue's backoff
//     the server or its configuration is bad  → snoozed: no attempt is burned, and all deliveries pause
//
// A mail may arrive twice when its final reply, or the worker, is lost. Both copies then bear the same Message-ID,
// which is made of the job's id and the installation, so that mailboxes show one.
//
// Thread rule: that of Handler.

#include "adapters/smtp.hpp"
#include "engine/handler.hpp"
#include "handlers/email/provider_pause.hpp"
#include "ops/log.hpp"

#include <stop_token>
#include <string>
#include <tuple>

namespace millrace::handlers::email {

// The same for somebody else, with a note whom it was for.
[[nodiscard]] adapters::Mail redirected(adapters::Mail mail, const std::string& address);

class Send final : public engine::Handler {
public:
    struct Settings {
        // What tells this database's mails from those of another one with the same job ids, for ever; letters,
        // digits, dots and hyphens. The database's system identifier serves.
        std::string installation;
        ProviderPause::Limits pause{};
        std::string redirect_all{};  // an address that gets every mail instead, for staging; empty: none
    };

    // The references outlive the handler.
    Send(adapters::Smtp& smtp, const Settings& settings, ops::Log& log);

    core::Outcome run(const core::Job& job, std::stop_token stop) override;

    // A sound mail, which gets the Message-ID of this job. The outcome is Completed when the server has taken it; the
    // notifications are settled by it, too.
    struct Sent {
        core::Outcome outcome;
        std::string message_id;
        std::string reply;
    };
    [[nodiscard]] Sent deliver(const core::Job& job, adapters::Mail mail, const std::stop_token& stop);
    // The mail server has been configured anew: what was found out about the old one does not count.
    void resume() { std::ignore = pause_.lift(); }
    [[nodiscard]] const std::string& redirect_all() const noexcept { return redirect_all_; }
    [[nodiscard]] const adapters::Mailbox& default_sender() const noexcept { return smtp_.default_sender(); }

private:
    core::Outcome pause(const core::Job& job, ProviderPause::Clock::time_point began,
                        const adapters::Delivery& delivery);

    adapters::Smtp& smtp_;
    const std::string message_id_end_;
    const std::string redirect_all_;
    ProviderPause pause_;
    ops::Log& log_;
};

}  // namespace millrace::handlers::email
