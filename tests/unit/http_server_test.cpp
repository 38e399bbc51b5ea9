#include "ops/http_server.hpp"

#include "engine/pause.hpp"
#include "support/log_watch.hpp"
#include "support/web.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace millrace::ops {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::web_request;
using testing::web_send;

const Address anywhere{"127.0.0.1", 0};

class HttpServerTest : public ::testing::Test {
protected:
    static HttpServer::Routes routes() {
        return {{"/hello", [] { return Reply{.body = "hello\n"}; }},
                {"/busy", [] { return Reply{.status = 503, .type = "application/json", .body = "{}"}; }},
                {"/broken", []() -> Reply { throw std::runtime_error{"no such luck"}; }}};
    }
    static int answers_in(const std::string& text) {
        int answers = 0;
        for (auto at = text.find("HTTP/1.1 "); at != std::string::npos; at = text.find("HTTP/1.1 ", at + 1))
            ++answers;
        return answers;
    }
    [[nodiscard]] bool is_well() const { return web_request(server.port(), "/hello").status == 200; }

    testing::LogWatch log;
    HttpServer server{anywhere, routes(), log.log()};
};

TEST_F(HttpServerTest, answers_with_what_the_route_says) {
    const auto hello = web_request(server.port(), "/hello");
    EXPECT_EQ(hello.status, 200);
    EXPECT_EQ(hello.body, "hello\n");
    EXPECT_THAT(hello.headers, AllOf(HasSubstr("Content-Type: text/plain; charset=utf-8"),
                                     HasSubstr("Cache-Control: no-store"), HasSubstr("Content-Length: 6")));
    const auto busy = web_request(server.port(), "/busy");
    EXPECT_EQ(busy.status, 503);
    EXPECT_EQ(busy.body, "{}");
    EXPECT_THAT(busy.headers, HasSubstr("Content-Type: application/json"));
}

TEST_F(HttpServerTest, answers_the_same_whatever_the_query_asks) {
    EXPECT_EQ(web_request(server.port(), "/hello?verbose=1").body, "hello\n");
}

TEST_F(HttpServerTest, answers_a_head_request_without_a_body) {
    const auto head = web_request(server.port(), "/hello", "HEAD");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, "");
    EXPECT_THAT(head.headers, HasSubstr("Content-Length: 6"));
}

TEST_F(HttpServerTest, knows_no_other_paths) {
    for (const auto* path : {"/", "/hello/", "/hello/x", "/Hello", "//hello", "/../etc/passwd", "/%2e%2e/etc/passwd"}) {
        EXPECT_EQ(web_request(server.port(), path).status, 404) << path;
    }
}

TEST_F(HttpServerTest, does_nothing_but_tell_and_says_so) {
    for (const auto* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
        const auto answer = web_request(server.port(), "/hello", method);
        EXPECT_EQ(answer.status, 405) << method;
        EXPECT_THAT(answer.headers, HasSubstr("Allow: GET, HEAD")) << method;
    }
    EXPECT_THAT(web_request(server.port(), "/hello").headers, Not(HasSubstr("Allow")));
}

TEST_F(HttpServerTest, tells_the_log_and_not_the_client_why_it_has_no_answer) {
    const auto answer = web_request(server.port(), "/broken");
    EXPECT_EQ(answer.status, 500);
    EXPECT_THAT(answer.headers + answer.body, Not(HasSubstr("luck")));
    EXPECT_THAT(log.text(), HasSubstr("no answer to a request path=/broken reason=no such luck"));
    EXPECT_TRUE(is_well());
}

TEST_F(HttpServerTest, survives_what_is_not_http) {
    const auto garbage = [&](const std::string& bytes) { return web_send(server.port(), bytes); };
    EXPECT_THAT(garbage("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(garbage("BREW /hello HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(garbage("GET /hello HTTP/9.9\r\n\r\n"), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(garbage(std::string("\x16\x03\x01\x00\xFF\r\n\r\n", 9)), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(garbage("GET /" + std::string(100'000, 'x') + " HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 4"));
    EXPECT_THAT(garbage("GET /hello HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n"),
                StartsWith("HTTP/1.1 4"));
    EXPECT_TRUE(is_well());
}

TEST_F(HttpServerTest, never_takes_the_body_of_a_request_for_the_next_request) {
    std::string body;
    for (int i = 0; i < 500; ++i)
        body += "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    for (const std::string method : {"GET", "POST"}) {
        const auto answer = web_send(
            server.port(),
            fmt::format("{} /hello HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", method, body.size(), body));
        EXPECT_THAT(answer, StartsWith(method == "GET" ? "HTTP/1.1 200" : "HTTP/1.1 405"));
        EXPECT_EQ(answers_in(answer), 1) << answer;
    }
}

TEST_F(HttpServerTest, hangs_up_after_its_answer) {
    const auto answer = web_send(server.port(), "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Connection: close")))
        << "others wait for a thread";
}

TEST_F(HttpServerTest, reads_no_body_however_large_it_is_said_to_be) {
    for (const auto* size : {"Content-Length: 1000000000000", "Content-Length: 99999999999999999999999",
                             "Content-Length: -1", "Transfer-Encoding: chunked"}) {
        const auto answer =
            web_send(server.port(), std::string{"POST /hello HTTP/1.1\r\nHost: x\r\n"} + size + "\r\n\r\nx");
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 4")) << size;
        EXPECT_EQ(answers_in(answer), 1) << size;
    }
    EXPECT_TRUE(is_well());
}

TEST_F(HttpServerTest, takes_no_line_without_an_end) {
    const testing::WebConnection endless{server.port()};
    const std::string part(std::size_t{64} * 1024, 'x');
    constexpr std::size_t most = std::size_t{20} << 20U;
    std::size_t sent = 0;
    while (sent < most && endless.send(part) > 0)
        sent += part.size();
    EXPECT_LT(sent, most / 2) << "what it had not read yet stood in the kernel";
    EXPECT_TRUE(is_well());
}

TEST_F(HttpServerTest, says_that_a_head_is_too_large) {
    EXPECT_THAT(web_send(server.port(), "GET /" + std::string(20'000, 'x')), StartsWith("HTTP/1.1 431"));
}

// As many as it has threads, each with a byte now and then.
class SlowClients {
public:
    explicit SlowClients(int port) {
        for (int i = 0; i < 8; ++i)
            clients_.push_back(std::make_unique<testing::WebConnection>(port));
        send();
        thread_ = std::jthread{[this](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
                engine::pause(stop, 500ms);
                send();
            }
        }};
    }

private:
    void send() {
        for (const auto& client : clients_)
            client->send("x");
    }

    std::vector<std::unique_ptr<testing::WebConnection>> clients_;
    std::jthread thread_;  // last: it uses the others
};

TEST_F(HttpServerTest, waits_for_no_client_for_ever) {
    const SlowClients slow{server.port()};
    EXPECT_TRUE(is_well() || is_well()) << "within twice ten seconds";
}

TEST_F(HttpServerTest, ends_while_it_waits_for_its_clients) {
    auto other = std::make_unique<HttpServer>(anywhere, routes(), log.log());
    std::optional<SlowClients> slow{std::in_place, other->port()};
    const auto end = std::async(std::launch::async, [&] { other.reset(); });
    EXPECT_EQ(end.wait_for(8s), std::future_status::ready) << "it has ten seconds for each";
    slow.reset();
}

TEST_F(HttpServerTest, answers_in_full_whatever_ranges_are_asked) {
    std::string ranges{"Range: bytes=0-"};
    for (int i = 0; i < 1000; ++i)
        ranges += ",0-";
    for (const auto& range : {std::string{"Range: bytes=0-0"}, ranges}) {
        const auto answer = web_send(server.port(), "GET /hello HTTP/1.1\r\nHost: x\r\n" + range + "\r\n\r\n");
        EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200"), EndsWith("\r\n\r\nhello\n"))) << answer.size();
    }
}

TEST_F(HttpServerTest, refuses_a_port_that_is_taken_and_says_which) {
    const Address same{"127.0.0.1", server.port()};
    try {
        const HttpServer second{same, routes(), log.log()};
        FAIL() << "two servers on one port";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("cannot listen on 127.0.0.1:" + std::to_string(server.port())),
                                        HasSubstr("http.listen")));
    }
    EXPECT_TRUE(is_well());
}

TEST_F(HttpServerTest, refuses_an_address_that_is_not_this_hosts) {
    EXPECT_THROW((HttpServer{{"192.0.2.1", 0}, routes(), log.log()}), std::runtime_error);
}

TEST_F(HttpServerTest, frees_its_port_when_it_ends) {
    int port = 0;
    {
        const HttpServer other{anywhere, routes(), log.log()};
        port = other.port();
        EXPECT_EQ(web_request(port, "/hello").status, 200);
    }
    EXPECT_EQ(web_request(port, "/hello").status, 0);
    const HttpServer again{{"127.0.0.1", port}, routes(), log.log()};
    EXPECT_EQ(web_request(port, "/hello").status, 200);
}

}  // namespace
}  // namespace millrace::ops
