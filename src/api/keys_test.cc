#include "api/keys.h"

#include <fstream>

#include "api/test_app.h"

namespace attune {
namespace {

using KeysTest = AppTest;
constexpr const char* kEvent = R"({"userId":"ann","event":"click"})";

// The text of "NAME":"..." in a JSON answer.
std::string text_of(const std::string& body, const std::string& name) {
  const auto at = body.find("\"" + name + "\":\"") + name.size() + 4;
  return body.substr(at, body.find('"', at) - at);
}

TEST_F(KeysTest, AreMadeUsedListedAndRevoked) {
  const auto made =
      call("admin", "POST", "/api/v1/keys", R"({"name":"shop page","scopes":["write"]})");
  ASSERT_EQ(made.status, 200) << made.body;
  const std::string id = text_of(made.body, "id"), key = text_of(made.body, "key");
  EXPECT_EQ(key.size(), 46u);
  EXPECT_EQ(call(key, "POST", "/v1/track", kEvent).status, 200);
  EXPECT_EQ(call(key, "POST", "/api/v1/decide", R"({"person":"ann"})").status, 403);
  const auto list = call("admin", "GET", "/api/v1/keys").body;
  EXPECT_TRUE(has(list, "\"name\":\"shop page\",\"scopes\":[\"write\"]")) << list;
  EXPECT_FALSE(has(list, "hash") || has(list, "salt") || has(list, key)) << list;

  EXPECT_EQ(call("admin", "DELETE", "/api/v1/keys/" + id).status, 200);
  const auto refused = call(key, "POST", "/v1/track", kEvent);
  EXPECT_EQ(refused.status, 401);
  EXPECT_TRUE(has(refused.body, "this key was revoked")) << refused.body;
  EXPECT_EQ(call("admin", "DELETE", "/api/v1/keys/k_none").status, 404);
}

TEST_F(KeysTest, SurviveARestartAndAreNowhereInTheWorkspace) {
  const auto kept = keys_->create("kept", bit(Scope::kRead));
  const auto gone = keys_->create("gone", bit(Scope::kRead));
  ASSERT_TRUE(kept.ok() && gone.ok());
  ASSERT_TRUE(keys_->revoke(gone->id).ok());
  const auto verified = engine_->verify(2);
  ASSERT_TRUE(verified.ok());
  EXPECT_TRUE(verified->is_equal);
  ASSERT_TRUE(engine_->checkpoint().ok());
  open();
  EXPECT_EQ(keys_->find(kept->key).scopes, bit(Scope::kRead));
  EXPECT_TRUE(keys_->find(gone->key).is_revoked);
  EXPECT_EQ(keys_->find("writer").id, "env_write");
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_)) {
    if (!file.is_regular_file()) continue;
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_FALSE(has(bytes, kept->key.substr(14))) << file.path();
  }
}

TEST_F(KeysTest, OfTheEnvironmentSeedOnlyANewWorkspace) {
  const auto again = keys_->seed([](const char* name) -> const char* {
    return std::string_view(name) == "ATTUNE_ADMIN_KEY" ? "other" : "writer";
  });
  ASSERT_TRUE(again.ok());
  // "writer" is the write key still, but no API key.
  EXPECT_EQ(*again, (std::vector<std::string>{"ATTUNE_API_KEY", "ATTUNE_ADMIN_KEY"}));
  EXPECT_EQ(call("other", "GET", "/api/v1/keys").status, 401);
  EXPECT_EQ(call("admin", "GET", "/api/v1/keys").status, 200);
}

TEST_F(KeysTest, ThatAreNearlyRightAreUnknown) {
  const auto made = keys_->create("near", bit(Scope::kRead));
  ASSERT_TRUE(made.ok());
  std::string last = made->key, cut = made->key;
  last.back() = last.back() == '0' ? '1' : '0';
  cut.pop_back();
  for (const std::string& key : {last, cut, made->key + "0", made->id, std::string("ak_")}) {
    EXPECT_EQ(keys_->find(key).id, "") << key;
  }
}

TEST_F(KeysTest, CannotRevokeThemselves) {
  EXPECT_EQ(call("admin", "DELETE", "/api/v1/keys/env_admin").status, 409);
  EXPECT_EQ(call("admin", "GET", "/api/v1/keys").status, 200);
}

TEST_F(KeysTest, MayComeInEachOfTheWaysClientsSendThem) {
  const auto with = [&](const std::string& name, const std::string& value) {
    HttpRequest request;
    request.method = "POST";
    request.path = "/v1/track";
    request.body = kEvent;
    request.headers.emplace_back(name, value);
    return call(std::move(request)).status;
  };
  EXPECT_EQ(with("authorization", "Basic d3JpdGVyOg=="), 200);  // writer:
  EXPECT_EQ(with("Authorization", "Bearer writer"), 200);
  EXPECT_EQ(with("x-api-key", "writer"), 200);
  EXPECT_EQ(with("Authorization", "Basic !!!"), 401);
  EXPECT_EQ(call("", "POST", "/v1/track", R"({"writeKey":"writer","userId":"ann","event":"click"})")
                .status,
            200);
  // A key in the body needs the scope as well.
  EXPECT_EQ(call("", "POST", "/v1/track", R"({"writeKey":"reader","userId":"ann","event":"click"})")
                .status,
            403);
}

HttpRequest from_page(const std::string& method, const std::string& path, const std::string& key,
                      const std::string& origin = "https://shop.example") {
  HttpRequest request;
  request.method = method;
  request.path = path;
  request.body = R"({"writeKey":")" + key + R"(","userId":"ann","event":"click"})";
  request.headers = {
      {"Origin", origin}, {"Host", "attune.example"}, {"Content-Type", "text/plain;charset=UTF-8"}};
  return request;
}

TEST_F(KeysTest, ToWriteMayStandInAPage) {
  const auto preflight = call(from_page("OPTIONS", "/v1/track", ""));
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(header(preflight, "Access-Control-Allow-Origin"), "*");
  EXPECT_TRUE(has(header(preflight, "Access-Control-Allow-Headers"), "content-type"));
  const auto beacon = call(from_page("POST", "/v1/track", "writer"));
  EXPECT_EQ(beacon.status, 200) << beacon.body;
  EXPECT_EQ(header(beacon, "Access-Control-Allow-Origin"), "*");
  const auto refused = call(from_page("POST", "/v1/track", "guess"));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(header(refused, "Access-Control-Allow-Origin"), "*");  // so that the page can read why
}

TEST_F(KeysTest, ThatMayDoMoreMustNotStandInAPage) {
  const auto answer = call(from_page("POST", "/v1/track", "admin"));
  EXPECT_EQ(answer.status, 403);
  EXPECT_TRUE(has(answer.body, "not_for_browsers")) << answer.body;
  EXPECT_EQ(call(from_page("POST", "/v1/track", "admin", "https://attune.example")).status, 200);
  EXPECT_EQ(call(from_page("OPTIONS", "/api/v1/decide", "")).status, 405);
}

TEST_F(KeysTest, OnlyAllowedOriginsMaySend) {
  ApiOptions options;
  options.cors_origins = "https://shop.example https://blog.example";
  open(options);
  const auto allowed = call(from_page("POST", "/v1/track", "writer", "https://blog.example"));
  EXPECT_EQ(allowed.status, 200);
  EXPECT_EQ(header(allowed, "Access-Control-Allow-Origin"), "https://blog.example");
  EXPECT_EQ(header(allowed, "Vary"), "Origin");
  for (const char* method : {"POST", "OPTIONS"}) {
    const auto refused = call(from_page(method, "/v1/track", "writer", "https://shop.exampl"));
    EXPECT_EQ(refused.status, 403);
    EXPECT_TRUE(has(refused.body, "origin_not_allowed"));
    EXPECT_EQ(header(refused, "Access-Control-Allow-Origin"), "");
  }
  EXPECT_EQ(call("writer", "POST", "/v1/track", kEvent).status, 200);  // no page
}

}  // namespace
}  // namespace attune
