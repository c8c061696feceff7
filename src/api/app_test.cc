// The routes on a real engine; the HTTP layer has its own tests.
#include "api/app.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <future>

namespace attune {
namespace {

class AppTest : public testing::Test {
 protected:
  AppTest() {
    folder_ = std::filesystem::temp_directory_path() / "attune-test-XXXXXX";
    CHECK(::mkdtemp(folder_.data()) != nullptr);
    EngineOptions options;
    options.workspace = folder_ + "/w";
    options.is_ticking = false;
    auto engine = Engine::open(options);
    CHECK(engine.ok());
    engine_ = std::move(engine).value();
    ApiKeys keys;
    keys.add("writer", static_cast<std::uint8_t>(Scope::kWrite));
    keys.add("reader",
             static_cast<std::uint8_t>(Scope::kRead) | static_cast<std::uint8_t>(Scope::kDecide));
    keys.add("admin", static_cast<std::uint8_t>(Scope::kAdmin));
    app_ = std::make_unique<App>(*engine_, std::move(keys));
  }
  ~AppTest() override {
    app_.reset();
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }
  HttpResponse call(const std::string& key, const std::string& method, const std::string& path,
                    const std::string& body = "") {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    if (!key.empty()) request.headers.emplace_back("X-API-Key", key);
    std::promise<HttpResponse> answer;
    app_->handle(std::move(request), [&](HttpResponse r) { answer.set_value(std::move(r)); });
    return answer.get_future().get();
  }

  std::string folder_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<App> app_;
};

TEST_F(AppTest, AStoredEventCanBeReadBackAndErased) {
  const auto stored = call("writer", "POST", "/v1/track",
                           R"({"userId":"ann","event":"Product Clicked","messageId":"m1",)"
                           R"("properties":{"product_id":"p1"}})");
  EXPECT_EQ(stored.status, 200) << stored.body;
  EXPECT_EQ(stored.body, R"({"success":true})");
  const std::string path = "/v1/spaces/s/collections/users/profiles/user_id:ann/events";
  const auto events = call("reader", "GET", path);
  EXPECT_NE(events.body.find(R"("event":"Product Clicked","message_id":"m1")"), std::string::npos)
      << events.body;
  EXPECT_EQ(call("admin", "DELETE", "/api/v1/persons/user_id:ann").status, 200);
  EXPECT_EQ(call("reader", "GET", path).status, 404);
}

TEST_F(AppTest, ABatchKeepsTheGoodAndNamesTheBad) {
  const auto answer = call("writer", "POST", "/v1/batch",
                           R"({"batch":[{"type":"track","event":"click","userId":"ann"},)"
                           R"({"type":"track","event":"click"}]})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find(R"("rejected":[{"index":1,)"), std::string::npos) << answer.body;
  EXPECT_EQ(engine_->counts().events, 1u);
}

TEST_F(AppTest, KeysDoOnlyWhatTheyMay) {
  const std::string event = R"({"userId":"ann","event":"click"})";
  EXPECT_EQ(call("", "POST", "/v1/track", event).status, 401);
  EXPECT_EQ(call("guessed", "POST", "/v1/track", event).status, 401);
  EXPECT_EQ(call("reader", "POST", "/v1/track", event).status, 403);
  EXPECT_EQ(call("writer", "POST", "/api/v1/decide", R"({"person":"ann"})").status, 403);
  EXPECT_EQ(call("reader", "DELETE", "/api/v1/persons/ann").status, 403);
  EXPECT_EQ(engine_->counts().events, 0u);
}

TEST_F(AppTest, AKeyMayComeInTheBody) {
  const auto answer = call("", "POST", "/v1/batch",
                           R"({"writeKey":"writer","batch":[{"type":"track","event":"click",)"
                           R"("userId":"ann"}]})");
  EXPECT_EQ(answer.status, 200) << answer.body;
}

TEST_F(AppTest, ADecisionIsExplained) {
  ASSERT_EQ(call("admin", "PUT", "/api/v1/items/p1", R"({"category":"shoes"})").status, 200);
  ASSERT_EQ(call("admin", "POST", "/api/v1/items", R"([{"id":"p2"},{"id":"p3"}])").status, 200);
  const auto decision = call("reader", "POST", "/api/v1/decide", R"({"person":"ann","n":2})");
  ASSERT_EQ(decision.status, 200) << decision.body;
  const auto at = decision.body.find("d_");
  ASSERT_NE(at, std::string::npos);
  const auto why = call("reader", "GET", "/api/v1/decisions/" + decision.body.substr(at, 28));
  EXPECT_EQ(why.status, 200);
  EXPECT_NE(why.body.find("sum_of_parts"), std::string::npos) << why.body;
}

TEST_F(AppTest, SaysWhatIsWrongWithARequest) {
  struct Case {
    const char *method, *path, *body;
    int status;
    const char* says;
  };
  const Case cases[] = {
      {"POST", "/v1/track", "{", 400, "\"invalid\""},
      {"POST", "/api/v1/decide", "[]", 400, "body: must be a JSON object"},
      {"POST", "/api/v1/decide", "{}", 400, "person: missing"},
      {"POST", "/api/v1/decide", R"({"person":"ann","n":"two"})", 400, "n: must be a whole number"},
      {"POST", "/api/v1/decide", R"({"person":"ann","n":0})", 400, "[1, 100]"},
      {"POST", "/api/v1/decide", R"({"person":"ann","candidates":7})", 400, "array of item ids"},
      {"GET", "/api/v1/decisions/d_1", "", 404, "no decision"},
      {"GET", "/api/v1/items/none", "", 404, "no item none"},
      {"PUT", "/api/v1/placements/feed", R"({"epsilon":1.5})", 400, "epsilon is 1.5"},
      {"PUT", "/api/v1/placements/feed", R"({"epsilom":0.5})", 400, "epsilon"},
      {"GET", "/v1/track", "", 405, "not possible"},
      {"GET", "/nowhere", "", 404, "no such route"},
  };
  for (const Case& c : cases) {
    const auto answer = call("admin", c.method, c.path, c.body);
    EXPECT_EQ(answer.status, c.status) << c.method << " " << c.path << " " << c.body;
    EXPECT_NE(answer.body.find(c.says), std::string::npos) << answer.body;
  }
}

TEST_F(AppTest, BrowsersMaySendEvents) {
  const auto preflight = call("", "OPTIONS", "/v1/track");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.headers.back().first, "Access-Control-Allow-Origin");
}

TEST_F(AppTest, DescribesItselfAndCounts) {
  EXPECT_NE(call("", "GET", "/openapi.json").body.find("/api/v1/decide"), std::string::npos);
  EXPECT_NE(call("", "GET", "/metrics").body.find("# TYPE attune_events_total counter"),
            std::string::npos);
  EXPECT_EQ(call("", "GET", "/healthz").status, 200);
}

}  // namespace
}  // namespace attune
