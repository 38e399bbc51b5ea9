#include "connection.hpp"

#include <poll.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace millrace::bench {

namespace {

std::vector<const char*> values_of(const Parameters& parameters) {
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& parameter : parameters)
        values.push_back(parameter.c_str());
    return values;
}

}  // namespace

void fail(const std::string& reason) {
    (void)std::fprintf(stderr, "bench_driver: %s\n", reason.c_str());
    std::_Exit(EXIT_FAILURE);
}

Connection::Connection() : connection_{PQconnectdb("application_name=bench_driver")} {
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail(PQerrorMessage(connection_.get()));
}

Result Connection::checked(PGresult* result) {
    const auto status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_COPY_IN) {
        fail(PQerrorMessage(connection_.get()));
    }
    return Result{result};
}

Result Connection::execute(const std::string& sql) {
    return checked(PQexec(connection_.get(), sql.c_str()));
}

void Connection::prepare(const std::string& name, const std::string& sql) {
    checked(PQprepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr));
}

Result Connection::run(const std::string& name, const Parameters& parameters) {
    const auto values = values_of(parameters);
    return checked(PQexecPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()), values.data(),
                                  nullptr, nullptr, 0));
}

void Connection::copy(const std::string& sql, const std::string& lines) {
    checked(PQexec(connection_.get(), sql.c_str()));
    if (PQputCopyData(connection_.get(), lines.data(), static_cast<int>(lines.size())) != 1 ||
        PQputCopyEnd(connection_.get(), nullptr) != 1) {
        fail(PQerrorMessage(connection_.get()));
    }
    while (PGresult* result = PQgetResult(connection_.get()))
        checked(result);
}

void Connection::await_notification() {
    while (true) {
        if (PGnotify* notification = PQnotifies(connection_.get())) {
            PQfreemem(notification);
            return;
        }
        pollfd waiting{PQsocket(connection_.get()), POLLIN, 0};
        if (poll(&waiting, 1, -1) < 0 && errno != EINTR) fail(std::strerror(errno));
        if (PQconsumeInput(connection_.get()) != 1) fail(PQerrorMessage(connection_.get()));
    }
}

void Connection::begin_pipeline() {
    if (PQenterPipelineMode(connection_.get()) != 1) fail(PQerrorMessage(connection_.get()));
}

void Connection::send(const std::string& name, const Parameters& parameters) {
    const auto values = values_of(parameters);
    if (PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()), values.data(), nullptr,
                            nullptr, 0) != 1 ||
        PQpipelineSync(connection_.get()) != 1) {  // which also ends the statement's transaction
        fail(PQerrorMessage(connection_.get()));
    }
}

Result Connection::receive() {
    auto answer = checked(PQgetResult(connection_.get()));
    if (PQgetResult(connection_.get()) != nullptr) fail("more than one answer to a statement");
    const Result sync{PQgetResult(connection_.get())};
    if (PQresultStatus(sync.held.get()) != PGRES_PIPELINE_SYNC) fail(PQerrorMessage(connection_.get()));
    return answer;
}

}  // namespace millrace::bench
