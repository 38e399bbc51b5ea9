#include "storage/listener.hpp"

#include "storage/conninfo.hpp"
#include "storage/error.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>

namespace millrace::storage {
namespace {

constexpr std::string_view channel_prefix{"millrace/"};
constexpr std::string_view cancel_channel{"millrace:cancel"};  // no queue's: their names follow a slash
constexpr std::string_view chores_channel{"millrace:chores"};  // likewise

struct Finish {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
struct Clear {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};
struct FreeMemory {
    void operator()(void* memory) const noexcept { PQfreemem(memory); }
};
using Connection = std::unique_ptr<PGconn, Finish>;
using Result = std::unique_ptr<PGresult, Clear>;

// Readable once signalled, and for ever after: an event is used for one wait.
class Event {
public:
    Event() : descriptor_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
        if (descriptor_ < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
    }
    ~Event() { close(descriptor_); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    void signal() const noexcept { eventfd_write(descriptor_, 1); }
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

void listen_to(PGconn* connection, const std::string& channel) {
    const std::unique_ptr<char, FreeMemory> quoted{PQescapeIdentifier(connection, channel.data(), channel.size())};
    if (!quoted) throw ConnectionLost{PQerrorMessage(connection)};
    const Result result{PQexec(connection, ("listen " + std::string{quoted.get()}).c_str())};
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw ConnectionLost{PQerrorMessage(connection)};
}

}  // namespace

struct Listener::State {
    Connection connection;

    [[nodiscard]] std::vector<Announcement> notified() const {
        std::vector<Announcement> heard;
        while (const std::unique_ptr<PGnotify, FreeMemory> notification{PQnotifies(connection.get())}) {
            const std::string_view channel{notification->relname};
            const std::string_view payload{notification->extra};
            if (channel == cancel_channel) {
                core::WorkerId session;
                std::from_chars(payload.data(), payload.data() + payload.size(), session.value);  // else nobody's
                heard.push_back({"", Announcement::News::cancelling, session});
            }
            if (channel == chores_channel) {
                if (payload == "scheduled") heard.push_back({"", Announcement::News::scheduled});
                if (payload == "schedules") heard.push_back({"", Announcement::News::schedules});
                if (payload == "schemas") heard.push_back({"", Announcement::News::schemas});
            }
            if (!channel.starts_with(channel_prefix)) continue;
            const bool is_lowered = payload == "lowered";
            heard.push_back({std::string{channel.substr(channel_prefix.size())},
                             is_lowered ? Announcement::News::lowered : Announcement::News::jobs});
        }
        std::sort(heard.begin(), heard.end());
        heard.erase(std::unique(heard.begin(), heard.end()), heard.end());
        return heard;
    }
};

Listener::Listener(const std::string& conninfo, const std::vector<std::string>& queues)
    : state_{std::make_unique<State>()} {
    state_->connection.reset(PQconnectdb(completed_conninfo(conninfo, "listener").c_str()));
    auto* connection = state_->connection.get();
    if (PQstatus(connection) != CONNECTION_OK) throw ConnectionLost{PQerrorMessage(connection)};
    PQsetNoticeProcessor(
        connection, [](void*, const char*) {}, nullptr);
    for (const auto& queue : queues)
        listen_to(connection, std::string{channel_prefix} + queue);
    listen_to(connection, std::string{cancel_channel});
    listen_to(connection, std::string{chores_channel});
}

Listener::~Listener() = default;

std::vector<Announcement> Listener::wait(const std::stop_token& stop, std::chrono::milliseconds timeout) {
    auto heard = state_->notified();  // some may have come with the answer to LISTEN
    if (!heard.empty() || stop.stop_requested()) return heard;

    const Event stopped;
    const std::stop_callback on_stop{stop, [&stopped] { stopped.signal(); }};
    std::array<pollfd, 2> watched{pollfd{PQsocket(state_->connection.get()), POLLIN, 0},
                                  pollfd{stopped.descriptor(), POLLIN, 0}};
    if (poll(watched.data(), watched.size(), static_cast<int>(timeout.count())) < 0 && errno != EINTR) {
        throw std::system_error{errno, std::generic_category(), "poll"};
    }
    if (watched[0].revents != 0 && PQconsumeInput(state_->connection.get()) == 0) {
        throw ConnectionLost{PQerrorMessage(state_->connection.get())};
    }
    return state_->notified();
}

}  // namespace millrace::storage
