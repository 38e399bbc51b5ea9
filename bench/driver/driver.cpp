// A driver that does nothing but run statements: the limit that a worker, or a client, may come near to.
//
//     bench_driver work connections=2 open=SQL claim=SQL [settle=SQL]
//         prints `ready`, waits for a line on its standard input, then on each connection claims a batch and, while it
//         claims the next, settles it, until its standard input ends. `open` returns what `claim` takes as $1; claim's
//         first two columns are what settle takes as arrays $1 and $2. Prints `first EPOCH_MS`, and `count N EPOCH_MS`
//         of jobs that are settled, or claimed where there is no settle.
//     bench_driver enqueue clients=8 jobs=N batch=1 payload=JSON sql=SQL
//         $1 is the payload, or with a batch of more than one an array of so many
//     bench_driver copy clients=2 jobs=N batch=1000 payload=JSON open=SQL copy=SQL then=SQL
//         `open` once on each connection; a transaction of COPY and `then` for each batch
//         Both print one line of JSON: jobs, seconds, and percentiles of the milliseconds that each call took.
//     bench_driver rouse jobs=N every=10 listen=SQL send=SQL take=SQL [open=SQL]
//         each `every` ms one thread runs `send`; another, on a second connection, hears of it, and takes on a third.
//         `open` returns what `take` takes as $1. Prints one line of JSON: percentiles of the milliseconds from the
//         call that sends until it has returned (sent), until it was heard, and until it was taken; and of the take.

#include "connection.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <map>
#include <mutex>
#include <semaphore>
#include <thread>

namespace {

using namespace millrace::bench;
using Clock = std::chrono::steady_clock;
using std::chrono::duration;
using std::chrono::milliseconds;

constexpr milliseconds idle_wait{5};  // between claims that found nothing
constexpr milliseconds report_every{20};

std::map<std::string, std::string> settings;

std::size_t number(const std::string& name) {
    return std::stoul(settings.at(name));
}

double epoch_ms() {
    return duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// As members of a JSON object.
std::string percentiles(std::vector<double> all) {
    std::sort(all.begin(), all.end());
    const auto part = [&](double share) {
        return all[std::min(all.size() - 1, static_cast<std::size_t>(share * static_cast<double>(all.size())))];
    };
    std::array<char, 200> text{};
    (void)std::snprintf(text.data(), text.size(), R"("p50": %.4f, "p95": %.4f, "p99": %.4f, "max": %.4f)", part(0.5),
                        part(0.95), part(0.99), all.back());
    return text.data();
}

class Work {
public:
    void run() {
        std::vector<Connection> connections(number("connections"));
        for (auto& connection : connections) {
            connection.prepare("claim", settings.at("claim"));
            if (settings.contains("settle")) connection.prepare("settle", settings.at("settle"));
        }
        say("ready");
        std::string line;
        if (!std::getline(std::cin, line)) return;
        std::vector<std::jthread> threads;
        threads.reserve(connections.size());
        for (auto& connection : connections)
            threads.emplace_back([&](const std::stop_token& stop) { serve(connection, stop); });
        std::jthread reporter{[&](const std::stop_token& stop) { report(stop); }};
        while (std::getline(std::cin, line)) {
        }
    }

private:
    void serve(Connection& connection, const std::stop_token& stop) {
        const auto session = connection.execute(settings.at("open")).at(0, 0);
        const bool settles = settings.contains("settle");
        connection.begin_pipeline();
        std::size_t held = 0;
        std::string ids;
        std::string fences;
        while (!stop.stop_requested() || held > 0) {
            if (held > 0 && settles) connection.send("settle", {"{" + ids + "}", "{" + fences + "}"});
            connection.send("claim", {session});
            if (held > 0 && settles) {
                connection.receive();
                done_ += held;
            }
            const auto claimed = connection.receive();
            held = static_cast<std::size_t>(claimed.rows());
            if (held == 0) {
                wait(stop, idle_wait);
                continue;
            }
            if (first_.exchange(true) == false) say("first " + std::to_string(epoch_ms()));
            if (!settles) {
                done_ += held;
                continue;
            }
            ids.clear();
            fences.clear();
            for (int row = 0; row < claimed.rows(); ++row) {
                ids.append(row > 0 ? "," : "").append(claimed.at(row, 0));
                fences.append(row > 0 ? "," : "").append(claimed.at(row, 1));
            }
        }
    }

    void report(const std::stop_token& stop) {
        std::size_t said = 0;
        while (!stop.stop_requested()) {
            wait(stop, report_every);
            const auto done = done_.load();
            if (done != said) say("count " + std::to_string(done) + " " + std::to_string(epoch_ms()));
            said = done;
        }
    }

    void wait(const std::stop_token& stop, milliseconds time) {
        std::mutex mutex;
        std::unique_lock lock{mutex};
        std::condition_variable_any{}.wait_for(lock, stop, time, [] { return false; });
    }

    void say(const std::string& line) {
        const std::scoped_lock lock{output_};
        std::puts(line.c_str());
        (void)std::fflush(stdout);
    }

    std::atomic<std::size_t> done_{0};
    std::atomic<bool> first_{false};
    std::mutex output_;
};

// So many times what `call` does, spread over connections; each call is timed.
template <class Prepare, class Call>
void measure(Prepare prepare, Call call) {
    const auto clients = number("clients");
    const auto calls = number("jobs") / number("batch") / clients;
    std::vector<Connection> connections(clients);
    for (auto& connection : connections)
        prepare(connection);
    std::vector<std::vector<double>> times(clients);
    const auto began = Clock::now();
    {
        std::vector<std::jthread> threads;
        for (std::size_t client = 0; client < clients; ++client) {
            threads.emplace_back([&, client] {
                for (std::size_t turn = 0; turn < calls; ++turn) {
                    const auto start = Clock::now();
                    call(connections[client]);
                    times[client].push_back(duration<double, std::milli>(Clock::now() - start).count());
                }
            });
        }
    }
    const auto seconds = duration<double>(Clock::now() - began).count();
    std::vector<double> all;
    for (const auto& some : times)
        all.insert(all.end(), some.begin(), some.end());
    if (all.empty()) fail("fewer jobs than clients");
    const auto jobs = all.size() * number("batch");
    std::printf("{\"jobs\": %zu, \"seconds\": %.6f, %s}\n", jobs, seconds, percentiles(std::move(all)).c_str());
}

void enqueue() {
    const auto payload = settings.at("payload");
    Parameters parameters{payload};
    if (const auto batch = number("batch"); batch > 1) {
        std::string quoted;
        for (const char letter : payload)
            quoted.append(letter == '"' || letter == '\\' ? "\\" : "").push_back(letter);
        std::string array = "{";
        for (std::size_t place = 0; place < batch; ++place)
            array.append(place > 0 ? ",\"" : "\"").append(quoted).append("\"");
        parameters = {array + "}"};
    }
    measure([&](Connection& connection) { connection.prepare("enqueue", settings.at("sql")); },
            [&](Connection& connection) { connection.run("enqueue", parameters); });
}

void copy() {
    std::string lines;
    for (std::size_t place = 0; place < number("batch"); ++place)
        lines += settings.at("payload") + "\n";
    measure(
        [&](Connection& connection) {
            connection.execute(settings.at("open"));
            connection.prepare("then", settings.at("then"));
        },
        [&](Connection& connection) {
            connection.execute("begin");
            connection.copy(settings.at("copy"), lines);
            connection.run("then", {});
            connection.execute("commit");
        });
}

double since(Clock::time_point begin) {
    return duration<double, std::milli>(Clock::now() - begin).count();
}

void rouse() {
    Connection sender;
    Connection hearer;
    Connection taker;
    sender.prepare("send", settings.at("send"));
    taker.prepare("take", settings.at("take"));
    const auto parameters =
        settings.contains("open") ? Parameters{taker.execute(settings.at("open")).at(0, 0)} : Parameters{};
    hearer.execute(settings.at("listen"));
    std::map<std::string, std::vector<double>> times;
    Clock::time_point begin;
    std::binary_semaphore is_sent{0};
    std::binary_semaphore is_taken{0};
    const auto jobs = number("jobs");
    const std::jthread taking{[&] {
        for (std::size_t job = 0; job < jobs; ++job) {
            hearer.await_notification();
            const auto heard = Clock::now();
            taker.run("take", parameters);
            const auto taken = Clock::now();
            is_sent.acquire();  // from here on `times` is this thread's
            times["heard"].push_back(duration<double, std::milli>(heard - begin).count());
            times["take"].push_back(duration<double, std::milli>(taken - heard).count());
            times["taken"].push_back(duration<double, std::milli>(taken - begin).count());
            is_taken.release();
        }
    }};
    auto next = Clock::now();
    for (std::size_t job = 0; job < jobs; ++job) {
        std::this_thread::sleep_until(next += milliseconds{number("every")});
        begin = Clock::now();
        sender.run("send", {});
        times["sent"].push_back(since(begin));
        is_sent.release();
        is_taken.acquire();
    }
    std::string line;
    for (const auto& [step, all] : times)
        line += (line.empty() ? "{\"" : ", \"") + step + "\": {" + percentiles(all) + "}";
    std::puts((line + "}").c_str());
}

}  // namespace

int main(int argc, char** argv) {
    const std::string role = argc > 1 ? argv[1] : "";
    for (int place = 2; place < argc; ++place) {
        const std::string word = argv[place];
        const auto equals = word.find('=');
        if (equals == std::string::npos) fail("not a setting: " + word);
        settings[word.substr(0, equals)] = word.substr(equals + 1);
    }
    if (role == "work") {
        Work{}.run();
    } else if (role == "enqueue") {
        enqueue();
    } else if (role == "copy") {
        copy();
    } else if (role == "rouse") {
        rouse();
    } else {
        fail("the first word is work, enqueue, copy or rouse");
    }
    return 0;
}
