#include "handlers/email/send.hpp"

#include "core/html.hpp"
#include "handlers/email/payload.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <stdexcept>
#include <utility>

namespace millrace::handlers::email {
namespace {

using Verdict = adapters::Delivery::Verdict;

// Everything of a Message-ID that does not come from the job. Its domain is the default sender's: the same on every
// worker, whatever the host.
std::string message_id_end(const std::string& installation, const std::string& address) {
    const auto sender = adapters::ascii_address(address);
    auto id = fmt::format(".{}{}", installation, sender.substr(sender.rfind('@')));
    if (adapters::address_problem("millrace" + id)) {
        throw std::invalid_argument{
            fmt::format("\"{}\" cannot be part of a Message-ID; an installation is named by "
                        "letters, digits and hyphens",
                        installation)};
    }
    return id;
}

std::string result_of(const std::string& message_id, const std::string& reply, const std::string& redirected_to) {
    nlohmann::json result{{"message_id", message_id}, {"reply", reply}};
    if (!redirected_to.empty()) result["redirected_to"] = redirected_to;
    return result.dump();
}

}  // namespace

adapters::Mail redirected(adapters::Mail mail, const std::string& address) {
    const auto note = fmt::format("This mail was for {}.", mail.to.address);
    mail.to = {.address = address, .name = ""};
    if (!mail.text.empty() || mail.html.empty()) mail.text = fmt::format("{}\n\n{}", note, mail.text);
    if (!mail.html.empty()) mail.html = fmt::format("<p>{}</p>\n{}", core::html_escaped(note), mail.html);
    return mail;
}

Send::Send(adapters::Smtp& smtp, const Settings& settings, ops::Log& log)
    : smtp_{smtp},
      message_id_end_{message_id_end(settings.installation, smtp.default_sender().address)},
      redirect_all_{settings.redirect_all},
      pause_{settings.pause},
      log_{log} {}

core::Outcome Send::run(const core::Job& job, std::stop_token stop) {
    auto read = read_mail(job.payload, smtp_.default_sender());
    if (auto* problem = std::get_if<PayloadProblem>(&read)) return core::Discarded{std::move(problem->text)};
    auto sent = deliver(job, std::move(std::get<adapters::Mail>(read)), stop);
    if (auto* completed = std::get_if<core::Completed>(&sent.outcome)) {
        completed->result = result_of(sent.message_id, sent.reply, redirect_all_);
    }
    return std::move(sent.outcome);
}

Send::Sent Send::deliver(const core::Job& job, adapters::Mail mail, const std::stop_token& stop) {
    mail.message_id = fmt::format("<millrace.{}{}>", job.id.value, message_id_end_);
    mail.date = std::chrono::system_clock::now();
    if (!redirect_all_.empty()) mail = redirected(std::move(mail), redirect_all_);
    const auto ended = [&mail](core::Outcome outcome) { return Sent{std::move(outcome), mail.message_id, ""}; };

    const auto began = ProviderPause::Clock::now();
    if (const auto wait = pause_.remaining(began); wait > ProviderPause::Duration::zero()) {
        return ended(core::Snoozed{wait});
    }
    auto delivery = smtp_.deliver(mail, stop);
    switch (delivery.verdict) {
        case Verdict::unserved:
            return ended(pause(job, began, delivery));
        case Verdict::ambiguous:
        case Verdict::broken_off:
        case Verdict::stopped:
            return ended(core::Failed{std::move(delivery.error), std::nullopt});
        default:
            break;
    }
    // The server spoke of this mail: whatever it said, it serves us.
    if (pause_.lift() == ProviderPause::State::paused) log_.write(ops::Level::info, "mail server serves again");
    if (delivery.verdict == Verdict::rejected) return ended(core::Discarded{std::move(delivery.error)});
    if (delivery.verdict == Verdict::deferred) return ended(core::Failed{std::move(delivery.error), std::nullopt});
    return {core::Completed{}, mail.message_id, std::move(delivery.reply)};
}

core::Outcome Send::pause(const core::Job& job, ProviderPause::Clock::time_point began,
                          const adapters::Delivery& delivery) {
    const auto wait = pause_.extend(began, ProviderPause::Clock::now());
    log_.write(ops::Level::warning, "mail deliveries pause",
               {{"job", job.id.value},
                {"queue", job.queue},
                {"kind", job.kind},
                {"attempt", std::int64_t{job.attempt}},
                {"reason", delivery.error},
                {"wait_ms", std::int64_t{wait.count()}}});
    return core::Snoozed{wait};
}

}  // namespace millrace::handlers::email
