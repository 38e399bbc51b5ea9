#include "adapters/smtp.hpp"

#include "adapters/smtp_transfer.hpp"

#include <utility>

namespace millrace::adapters {
namespace {

SmtpSettings checked(SmtpSettings settings) {
    check(settings);
    return settings;
}

}  // namespace

Smtp::Smtp(SmtpSettings settings)
    : settings_{checked(std::move(settings))}, sender_{parse_mailbox(settings_.from)}, logins_{settings_} {}

Smtp::~Smtp() = default;

Delivery Smtp::deliver(const Mail& mail, const std::stop_token& stop) {
    SmtpSteps nobody_looks;
    return deliver(mail, stop, nobody_looks);
}

Delivery Smtp::deliver(const Mail& mail, const std::stop_token& stop, SmtpSteps& steps) {
    auto delivery = try_to_deliver(mail, stop, steps);
    counts_.at(static_cast<std::size_t>(delivery.verdict)).fetch_add(1, std::memory_order_relaxed);
    return delivery;
}

Delivery Smtp::try_to_deliver(const Mail& mail, const std::stop_token& stop, SmtpSteps& steps) {
    std::shared_ptr<const SmtpLogin> login;
    try {
        login = logins_.current();
    } catch (const SmtpLoginProblem& problem) {
        return {.verdict = Delivery::Verdict::unserved, .code = 0, .reply = "", .error = problem.what()};
    }
    auto transfer = idle_.with([](auto& idle) {
        std::unique_ptr<SmtpTransfer> taken;
        if (!idle.empty()) {
            taken = std::move(idle.back());  // the one used last: its connection is the least likely to be stale
            idle.pop_back();
        }
        return taken;
    });
    if (transfer == nullptr) transfer = std::make_unique<SmtpTransfer>(settings_);

    const auto sender = mail.from.address == sender_.address ? Sender::configured : Sender::chosen;
    auto tried = transfer->send(mail, sender, *login, stop, SmtpTransfer::Connection::kept);
    if (tried.delivery.verdict == Delivery::Verdict::unserved && tried.connection == SmtpTransfer::Connection::kept) {
        tried = transfer->send(mail, sender, *login, stop, SmtpTransfer::Connection::fresh);
    }
    idle_.with([&](auto& idle) { idle.push_back(std::move(transfer)); });
    steps = std::move(tried.steps);
    return std::move(tried.delivery);
}

}  // namespace millrace::adapters
