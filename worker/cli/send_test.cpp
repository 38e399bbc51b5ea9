#include "cli/send_test.hpp"

#include "adapters/smtp.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <ostream>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

namespace millrace::cli {

namespace {

using adapters::Delivery;
using adapters::SmtpSettings;

SmtpSettings settings_of(const Options& options) {
    if (!options.smtp) throw UsageError{"no mail server is configured: set smtp.url"};
    try {
        adapters::check(*options.smtp);
    } catch (const std::invalid_argument& error) {
        throw UsageError{error.what()};
    }
    return *options.smtp;
}

adapters::Mail test_mail(const adapters::Mailbox& sender, std::string recipient) {
    adapters::Mail mail;
    mail.from = sender;
    mail.to = {std::move(recipient), ""};
    mail.subject = "A test of millrace ✓";
    mail.text = "Somebody ran `millrace notify send-test`. The mail server works as configured.\n";
    mail.date = std::chrono::system_clock::now();
    const auto address = adapters::ascii_address(sender.address);
    mail.message_id = fmt::format("<millrace.test.{:x}.{:08x}{}>", std::chrono::system_clock::to_time_t(mail.date),
                                  std::random_device{}(), address.substr(address.rfind('@')));
    return mail;
}

struct Told {
    const SmtpSettings& settings;
    const adapters::SmtpSteps& steps;
    const Delivery& delivery;
    const adapters::Mail& mail;
};

void print(const Console& console, const Told& told) {
    const auto& [settings, steps, delivery, mail] = told;
    const auto step = [&](std::string_view name, const std::string& what, Tone tone = Tone::plain) {
        console.out << fmt::format("{:<14} {}\n", name, console.out_screen.toned(what, tone));
    };
    step("server", fmt::format("{} port {}", settings.host, settings.port));
    if (!steps.address.empty()) step("connected", fmt::format("{}: {}", steps.address, steps.greeting));
    if (!steps.tls.empty()) step("encrypted", steps.tls);
    if (!steps.login.empty()) step("authenticated", fmt::format("{} as {}", steps.login, harmless(settings.username)));
    if (delivery.verdict == Delivery::Verdict::accepted) {
        if (steps.tls.empty()) step("encrypted", "no", Tone::bad);
        if (steps.login.empty()) step("authenticated", "no: the server has not asked for it");
        step("accepted", delivery.reply, Tone::good);
        step("message id", mail.message_id);
    } else {
        console.complain(delivery.error, "`millrace help settings` lists what smtp.* settings there are");
    }
}

void print_json(const Console& console, const Told& told) {
    const auto& [settings, steps, delivery, mail] = told;
    const auto maybe = [](const std::string& text) { return text.empty() ? nlohmann::json{} : nlohmann::json(text); };
    console.out << nlohmann::ordered_json{{"server", fmt::format("{}:{}", settings.host, settings.port)},
                                          {"connected", maybe(steps.address)},
                                          {"greeting", maybe(steps.greeting)},
                                          {"tls", maybe(steps.tls)},
                                          {"login", maybe(steps.login)},
                                          {"verdict", adapters::name_of(delivery.verdict)},
                                          {"code", delivery.code},
                                          {"reply", maybe(delivery.reply)},
                                          {"error", maybe(delivery.error)},
                                          {"message_id", mail.message_id}}
                       .dump(2)
                << "\n";
}

}  // namespace

Exit send_test(const Invocation& invocation) {
    const auto to = invocation.arguments.value("to");
    if (!to) throw UsageError{"notify send-test needs --to ADDRESS"};
    if (const auto problem = adapters::address_problem(*to)) throw UsageError{"--to: the address " + *problem};
    const auto settings = settings_of(invocation.options);
    adapters::Smtp smtp{settings};
    const auto mail = test_mail(smtp.default_sender(), *to);
    adapters::SmtpSteps steps;
    const auto delivery = smtp.deliver(mail, {}, steps);
    const Told told{settings, steps, delivery, mail};
    if (invocation.arguments.has("json")) {
        print_json(invocation.console, told);
    } else {
        print(invocation.console, told);
    }
    return delivery.verdict == Delivery::Verdict::accepted ? Exit::done : Exit::failed;
}

}  // namespace millrace::cli
