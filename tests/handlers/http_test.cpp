// Requests over HTTP, to a server on this host that says what the test wants: HTTP or not.

#include "adapters/http.hpp"
#include "support/web_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <optional>

namespace millrace::adapters {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::web_reply;
using testing::WebReply;
using testing::WebRequest;
using testing::WebServer;
using Reason = HttpError::Reason;
using Then = WebReply::Then;

// Why there is no answer; nothing when there is one.
std::optional<Reason> reason_of(const HttpRequest& request, const std::stop_token& stop = {}) {
    Http http{{}};
    try {
        static_cast<void>(http.send(request, stop));
        return std::nullopt;
    } catch (const HttpError& error) {
        EXPECT_THAT(error.what(), Not(HasSubstr("canary")));
        return error.reason();
    }
}

std::optional<Reason> reason_of(const WebReply& reply, const HttpLimits& limits = {}) {
    WebServer server{[&](const auto&) { return reply; }};
    return reason_of({.url = server.url() + "/canary", .headers = {{"X-Secret", "canary"}}, .limits = limits});
}

TEST(HttpRequests, arrive_as_they_are_written) {
    WebServer server{[](const auto&) {
        return web_reply(201, "made", {{"X-One", " 1 "}, {"x-two", "a"}, {"X-Two", "b"}});
    }};
    Http http{{.user_agent = "a test"}};
    const auto answer = http.send({.method = "PUT",
                                   .url = server.url() + "/a/b?c=%20",
                                   .headers = {{"Content-Type", "text/plain"}, {"X-Empty", ""}},
                                   .body = std::string("x\0y", 3)},
                                  {});
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.body, "made");
    EXPECT_EQ(answer.header("x-one"), "1");
    EXPECT_EQ(answer.header("x-two"), "a, b");
    EXPECT_EQ(answer.header("x-three"), "");
    const auto seen = server.seen().at(0);
    EXPECT_EQ(seen.method + " " + seen.target, "PUT /a/b?c=%20");
    EXPECT_EQ(seen.body, std::string("x\0y", 3));
    EXPECT_EQ(seen.header("User-Agent"), "a test");
    EXPECT_EQ(seen.header("Content-Type"), "text/plain");
    EXPECT_THAT(seen.head, HasSubstr("\r\nX-Empty:"));
    EXPECT_THAT(seen.head, Not(HasSubstr("Expect")));
}

TEST(HttpRequests, without_a_body_say_so) {
    WebServer server{[](const auto&) { return web_reply(200, ""); }};
    Http http{{}};
    for (const auto* method : {"POST", "GET", "DELETE"})
        EXPECT_EQ(http.send({.method = method, .url = server.url()}, {}).status, 200) << method;
    EXPECT_EQ(server.seen().at(0).header("Content-Length"), "0");
    EXPECT_EQ(server.seen().at(0).header("Content-Type"), "");
    EXPECT_EQ(server.seen().at(1).header("Content-Length"), "");
    EXPECT_EQ(server.connections(), 1) << "which is kept";
}

TEST(HttpRequests, do_not_share_anything_but_the_connection) {
    WebServer server{[](const auto&) { return web_reply(200, "", {{"Set-Cookie", "a=b"}}); }};
    Http http{{}};
    static_cast<void>(http.send({.method = "POST", .url = server.url(), .headers = {{"X-A", "1"}}, .body = "b"}, {}));
    static_cast<void>(http.send({.url = server.url()}, {}));
    const auto second = server.seen().at(1);
    EXPECT_EQ(second.method + second.body, "GET");
    EXPECT_THAT(second.head, Not(HasSubstr("Cookie")));
    EXPECT_THAT(second.head, Not(HasSubstr("X-A")));
}

TEST(HttpRequests, with_a_body_are_sent_once_though_a_connection_that_was_kept_breaks) {
    for (const auto then : {Then::close, Then::reset}) {
        for (const auto* method : {"POST", "PUT"}) {
            WebServer server{[&](const WebRequest& request) {
                return request.target == "/kept" ? web_reply(200, "") : WebReply{"", then};
            }};
            Http http{{}};
            static_cast<void>(http.send({.method = method, .url = server.url() + "/kept", .body = "x"}, {}));
            try {
                static_cast<void>(http.send({.method = method, .url = server.url() + "/", .body = "canary"}, {}));
                ADD_FAILURE() << "an answer";
            } catch (const HttpError& error) {
                EXPECT_EQ(error.reason(), Reason::transport);
                EXPECT_STREQ(error.what(), "the connection broke before there was an answer");
            }
            EXPECT_EQ(server.seen().size(), 2U) << method;
        }
    }
}

TEST(HttpRequests, arrive_with_a_body_of_any_size) {
    WebServer server{[](const WebRequest& request) { return web_reply(200, std::to_string(request.body.size())); }};
    Http http{{}};
    for (const std::size_t size : {1U, 70'000U, 3'000'000U}) {
        const auto answer = http.send({.method = "POST", .url = server.url(), .body = std::string(size, 'x')}, {});
        EXPECT_EQ(answer.body, std::to_string(size));
    }
}

TEST(HttpRequests, that_would_smuggle_something_are_not_sent) {
    WebServer server{[](const auto&) { return web_reply(200, ""); }};
    const auto url = server.url();
    for (const auto* value : {"a\r\nX-B: c", "a\nb", "a\rb", "\x7f", "\x01"})
        EXPECT_EQ(reason_of({.url = url, .headers = {{"X-A", value}}}), Reason::unfit);
    EXPECT_EQ(reason_of({.url = url, .headers = {{"X-A", std::string("a\0b", 3)}}}), Reason::unfit);
    for (const auto* name : {"", "X A", "X:A", "X-A\r\nX-B", "ä"})
        EXPECT_EQ(reason_of({.url = url, .headers = {{name, "a"}}}), Reason::unfit);
    for (const auto* method : {"", "get", "GET / HTTP/1.1\r\nX-B: c"})
        EXPECT_EQ(reason_of({.method = method, .url = url}), Reason::unfit);
    for (const auto& end : {std::string{"/ HTTP/1.1\r\nX-B: c"}, std::string{"/a b"}, std::string("/a\0b", 4)})
        EXPECT_EQ(reason_of({.url = url + end}), Reason::unfit);
    for (const auto* other : {"", "file:///etc/passwd", "gopher://127.0.0.1/x", "ftp://127.0.0.1/"})
        EXPECT_EQ(reason_of({.url = other}), Reason::unfit) << other;
    EXPECT_TRUE(server.seen().empty());
}

TEST(HttpAnswers, of_any_status_are_answers) {
    for (const int status : {204, 301, 304, 404, 500, 599}) {
        WebServer elsewhere{[](const auto&) { return web_reply(200, ""); }};
        WebServer server{[&](const auto&) { return web_reply(status, "", {{"Location", elsewhere.url() + "/"}}); }};
        Http http{{}};
        EXPECT_EQ(http.send({.url = server.url(), .headers = {{"Authorization", "Bearer x"}}}, {}).status, status);
        EXPECT_TRUE(elsewhere.seen().empty()) << "a redirection is not followed";
    }
}

TEST(HttpAnswers, that_are_not_whole_are_errors_of_the_transport) {
    const auto head = std::string{"HTTP/1.1 200 OK\r\n"};
    EXPECT_EQ(reason_of(WebReply{"", Then::close}), Reason::transport);
    EXPECT_EQ(reason_of(WebReply{"", Then::reset}), Reason::transport);
    EXPECT_EQ(reason_of(WebReply{head + "Content-Length: 10\r\n\r\nfour", Then::close}), Reason::transport);
    EXPECT_EQ(reason_of(WebReply{head + "Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n", Then::close}),
              Reason::transport);
    EXPECT_EQ(reason_of(WebReply{head + "Transfer-Encoding: chunked\r\n\r\nzz\r\nfour\r\n0\r\n\r\n", Then::close}),
              Reason::transport);
    EXPECT_EQ(reason_of(WebReply{"SSH-2.0-OpenSSH_9.2\r\n", Then::close}), Reason::transport);
    EXPECT_EQ(reason_of({.url = "http://127.0.0.1:1/"}), Reason::transport);
    EXPECT_EQ(reason_of({.url = "http://nowhere.invalid/"}), Reason::transport);
}

TEST(HttpAnswers, that_are_too_large_are_errors) {
    const HttpLimits limits{.body = 1000};
    EXPECT_EQ(reason_of(web_reply(200, std::string(1000, 'x')), limits), std::nullopt);
    EXPECT_EQ(reason_of(web_reply(200, std::string(1001, 'x')), limits), Reason::too_large);
    EXPECT_EQ(reason_of(web_reply(200, "", {{"X-Long", std::string(70'000, 'x')}}), limits), Reason::too_large);
}

TEST(HttpAnswers, that_are_too_large_are_cut_off_where_that_is_wanted) {
    std::string body;
    WebServer server{[&](const auto&) { return web_reply(503, body, {{"X-One", "1"}}); }};
    Http http{{}};
    const HttpRequest request{.method = "POST",
                              .url = server.url(),
                              .body = "x",
                              .limits = {.body = 1000, .excess = HttpLimits::Excess::is_cut_off}};
    for (const std::size_t size : {std::size_t{1000}, std::size_t{1001}, std::size_t{4'000'000}, std::size_t{5}}) {
        body = std::string(size, 'x');
        const auto answer = http.send(request, {});
        EXPECT_EQ(answer.status, 503) << size;
        EXPECT_EQ(answer.header("x-one"), "1") << size;
        EXPECT_EQ(answer.body, std::string(std::min(size, std::size_t{1000}), 'x'));
    }
    EXPECT_EQ(server.seen().size(), 4U);
    EXPECT_EQ(server.connections(), 3) << "what is left of an answer is on no connection that is used again";
    EXPECT_EQ(reason_of(web_reply(200, "", {{"X-Long", std::string(70'000, 'x')}}), request.limits), Reason::too_large);
}

TEST(HttpAnswers, are_waited_for_as_long_as_the_limit_says) {
    const HttpLimits limits{.total = 50ms};
    EXPECT_EQ(reason_of(WebReply{"", Then::hang}, limits), Reason::timeout);
    EXPECT_EQ(reason_of(WebReply{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour", Then::hang}, limits),
              Reason::timeout);
}

TEST(HttpAnswers, are_no_longer_waited_for_when_asked_to_stop) {
    std::promise<void> arrived;
    WebServer server{[&](const auto&) {
        arrived.set_value();
        return WebReply{"", Then::hang};
    }};
    std::stop_source stop;
    auto waiting = std::async(std::launch::async, [&] { return reason_of({.url = server.url()}, stop.get_token()); });
    arrived.get_future().wait();
    stop.request_stop();
    EXPECT_EQ(waiting.get(), Reason::stopped);
    EXPECT_EQ(reason_of({.url = server.url()}, stop.get_token()), Reason::stopped) << "and none is begun";
}

TEST(HttpRequests, take_no_proxy_from_the_environment) {
    WebServer proxy{[](const auto&) { return web_reply(200, "proxied"); }};
    WebServer server{[](const auto&) { return web_reply(200, "direct"); }};
    ::setenv("http_proxy", proxy.url().c_str(), 1);
    Http http{{}};
    EXPECT_EQ(http.send({.url = server.url()}, {}).body, "direct");
    ::unsetenv("http_proxy");
}

TEST(PercentEncoding, leaves_only_what_needs_none) {
    EXPECT_EQ(percent_encoded("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encoded("a/b ä?#&%+"), "a%2Fb%20%C3%A4%3F%23%26%25%2B");
    EXPECT_EQ(percent_encoded(std::string("\0", 1)), "%00");
}

}  // namespace
}  // namespace millrace::adapters
