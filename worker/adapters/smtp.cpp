#include "adapters/smtp.hpp"

#include "adapters/smtp_login.hpp"
#include "adapters/smtp_transfer.hpp"

#include <utility>
#include <vector>

namespace millrace::adapters {
namespace {

SmtpSettings checked(SmtpSettings settings) {
    check(settings);
    return settings;
}

}  // namespace

// One configuration, and the connections that were opened by it. It lives until the last mail under way has ended.
struct Smtp::Server {
    explicit Server(SmtpSettings checked) : settings{std::move(checked)}, logins{settings} {}

    const SmtpSettings settings;
    SmtpLogins logins;
    core::Guarded<std::vector<std::unique_ptr<SmtpTransfer>>> idle;
};

Smtp::Smtp(SmtpSettings settings)
    : server_{std::make_shared<Server>(checked(std::move(settings)))}, sender_{server_.with([](const auto& server) {
          return parse_mailbox(server->settings.from);
      })} {}

Smtp::~Smtp() = default;

bool Smtp::adjust(SmtpSettings settings) {
    const bool is_same = server_.with([&](const auto& server) { return server->settings == settings; });
    if (is_same) return false;  // its connections may be used on
    auto server = std::make_shared<Server>(checked(std::move(settings)));
    server_.with([&](auto& current) { current.swap(server); });
    return true;
}

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
    const auto server = server_.with([](const auto& current) { return current; });
    std::shared_ptr<const SmtpLogin> login;
    try {
        login = server->logins.current();
    } catch (const SmtpLoginProblem& problem) {
        return {.verdict = Delivery::Verdict::unserved, .code = 0, .reply = "", .error = problem.what()};
    }
    auto transfer = server->idle.with([](auto& idle) {
        std::unique_ptr<SmtpTransfer> taken;
        if (!idle.empty()) {
            taken = std::move(idle.back());  // the one used last: its connection is the least likely to be stale
            idle.pop_back();
        }
        return taken;
    });
    if (transfer == nullptr) transfer = std::make_unique<SmtpTransfer>(server->settings);

    const auto sender = mail.from.address == sender_.address ? Sender::configured : Sender::chosen;
    auto tried = transfer->send(mail, sender, *login, stop, SmtpTransfer::Connection::kept);
    const auto verdict = tried.delivery.verdict;
    const bool is_of_the_session =
        verdict == Delivery::Verdict::unserved || verdict == Delivery::Verdict::broken_off;  // nothing was delivered
    if (is_of_the_session && tried.connection == SmtpTransfer::Connection::kept) {
        tried = transfer->send(mail, sender, *login, stop, SmtpTransfer::Connection::fresh);
    }
    server->idle.with([&](auto& idle) { idle.push_back(std::move(transfer)); });
    steps = std::move(tried.steps);
    return std::move(tried.delivery);
}

}  // namespace millrace::adapters
