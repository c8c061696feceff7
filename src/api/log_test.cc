// The log of requests names routes, codes and request ids, and nobody.
#include <algorithm>
#include <fstream>

#include "api/test_app.h"

namespace attune {
namespace {

class RequestLogTest : public AppTest {
 protected:
  // A request takes so long by the clock of the test.
  std::string lines_of(const std::string& level, double request_s,
                       const std::function<void()>& work) {
    LogOptions options;
    options.level = level;
    options.file = folder_ + "/log";
    auto log = Log::open(options, [] { return Time{}; });
    CHECK(log.ok());
    ApiOptions api;
    double now_s = 0;
    api.clock_s = [&now_s, request_s] { return now_s += request_s; };
    open(api, log->get());
    work();
    close();
    std::ifstream in(options.file);
    return std::string((std::istreambuf_iterator<char>(in)), {});
  }
};

TEST_F(RequestLogTest, NamesWhatFailedByItsRouteAndRequestId) {
  const std::string lines = lines_of("info", 0.1, [&] {
    const auto answer = call("reader", "DELETE", "/api/v1/items/secret-item");
    EXPECT_TRUE(has(answer.body, "\"request_id\":\"req_test\"")) << answer.body;
    call("reader", "GET", "/api/v1/learning");
  });
  EXPECT_TRUE(has(lines,
                  "info request_refused request_id=req_test method=GET "
                  "route=/api/v1/items/{id} status=403 code=forbidden ms="))
      << lines;
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1) << lines;
}

TEST_F(RequestLogTest, NamesWhatIsSlow) {
  const std::string lines =
      lines_of("info", 0.6, [&] { call("admin", "GET", "/api/v1/learning"); });
  EXPECT_TRUE(has(lines,
                  "warn request_slow request_id=req_test method=GET "
                  "route=/api/v1/learning status=200 code=ok ms="))
      << lines;
}

TEST_F(RequestLogTest, NeverHoldsAnIdATextOrAKey) {
  const std::string lines = lines_of("debug", 1, [&] {
    for (const char* key : {"", "writer", "reader", "admin", "secret-key"}) {
      for (const char* method : {"GET", "PUT", "POST", "DELETE", "OPTIONS"}) {
        for (const char* path :
             {"/v1/track", "/v1/batch", "/api/v1/decide", "/api/v1/persons/secret-person",
              "/api/v1/persons/secret-person/export", "/api/v1/persons/secret-person/unlink",
              "/api/v1/items/secret-item", "/api/v1/decisions/secret-decision",
              "/secret-path/secret-person", "/api/v1/keys/secret-id", "/api/v1/keys",
              "/v1/spaces/secret-space/collections/users/profiles/secret-person/secret-part"}) {
          call(key, method, path,
               R"({"person":"secret-person","userId":"secret-person","event":"secret-event",)"
               R"("secret-field":7,"writeKey":"secret-key"})");
        }
      }
    }
  });
  EXPECT_GT(std::count(lines.begin(), lines.end(), '\n'), 100);
  EXPECT_FALSE(has(lines, "secret")) << lines.substr(lines.find("secret") - 200, 300);
}

TEST_F(RequestLogTest, HoldsWhatTheServerRefusedItself) {
  const std::string lines = lines_of("info", 0.1, [&] { app_->note_refused(413, "req_1"); });
  EXPECT_TRUE(has(lines, "info request_refused request_id=req_1 route=none status=413")) << lines;
}

}  // namespace
}  // namespace attune
