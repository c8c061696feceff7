// Everything that may be wrong with a request, what is answered, and in which words. What the HTTP
// layer refuses by itself is in http_server_test.cc; fields of events in collect/segment_test.cc.
#include <simdjson.h>

#include <algorithm>

#include "api/test_app.h"

namespace attune {
namespace {

struct BadRow {
  std::string key, method, path, body;
  int status;
  std::string code, field, message;
  std::string hint = "";          // a part of it; "" = not looked at
  std::string content_type = "";  // "" = none sent
};

std::string repeat(std::string_view text, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += text;
  return out;
}
std::string track(const std::string& more) { return R"({"userId":"u","event":"e",)" + more + "}"; }
const std::string kNested = repeat("[", 40) + repeat("]", 40);
const std::string kDecide = R"({"person":"ann"})";
const std::string kEvent = R"({"userId":"u","event":"e"})";

const std::vector<BadRow>& event_rows() {
  static const std::vector<BadRow> rows = {
      {"writer", "POST", "/v1/track", "{", 400, "invalid", "body",
       "body is not valid JSON: cut short or a number out of range, found at byte 1"},
      {"writer", "POST", "/v1/track", R"({"userId":"u",})", 400, "invalid", "body",
       "body is not valid JSON at byte 14"},
      {"writer", "POST", "/v1/track", track("\"properties\":{\"value\":NaN}"), 400, "invalid",
       "body", "body is not valid JSON at byte 48"},
      {"writer", "POST", "/v1/track", "", 400, "invalid", "body",
       "body is empty; a JSON object is expected"},
      {"writer", "POST", "/v1/track", "{\"userId\":\"\xff\"}", 400, "invalid", "body",
       "body is not valid UTF-8"},
      {"writer", "POST", "/v1/track", "[]", 400, "invalid", "body", "body must be a JSON object"},
      {"writer", "POST", "/v1/track", track("\"properties\":" + kNested), 400, "invalid", "body",
       "body is nested deeper than 32 levels"},
      {"writer", "POST", "/v1/track", std::string(512'001, ' '), 400, "invalid", "body",
       "body is 512001 bytes, the limit is 512000"},
      {"writer", "POST", "/v1/track", R"({"event":"e"})", 400, "invalid", "userId",
       "userId is required, or an anonymousId"},
      {"writer", "POST", "/v1/track", R"({"userId":"u"})", 400, "invalid", "event",
       "event is required in a track call"},
      {"writer", "POST", "/v1/track", R"({"userId":["u"],"event":"e"})", 400, "invalid", "userId",
       "userId must be a string or a number"},
      {"writer", "POST", "/v1/track", R"({"userId":"u","userId":"v","event":"e"})", 400, "invalid",
       "userId", "userId is given twice"},
      {"writer", "POST", "/v1/track",
       R"({"userId":")" + std::string(257, 'x') + R"(","event":"e"})", 400, "invalid", "userId",
       "userId must be 1 to 256 bytes, is 257"},
      {"writer", "POST", "/v1/track", R"({"userId":"a\u0007b","event":"e"})", 400, "invalid",
       "userId", "userId must be UTF-8 without control characters"},
      {"writer", "POST", "/v1/track", track(R"("timestamp":"1970-01-01T00:00:00Z")"), 400,
       "invalid", "timestamp", "timestamp is more than 10 years in the past"},
      {"writer", "POST", "/v1/track", track(R"("timestamp":"9999-12-31T00:00:00Z")"), 400,
       "invalid", "timestamp", "timestamp is more than 24 hours in the future"},
      {"writer", "POST", "/v1/track", track(R"("timestamp":"2026-13-45")"), 400, "invalid",
       "timestamp", "timestamp must be an ISO-8601 time such as 2026-11-02T10:11:12.345Z"},
      {"writer", "POST", "/v1/track", track(R"("properties":[])"), 400, "invalid", "properties",
       "properties must be an object"},
      {"writer", "POST", "/v1/track",
       track("\"properties\":{\"x\":\"" + std::string(33'000, 'x') + "\"}"), 400, "invalid",
       "message", "message is 33048 bytes, the limit is 32768"},
      {"writer", "POST", "/v1/alias", R"({"userId":"u"})", 400, "invalid", "previousId",
       "previousId is required in an alias call"},
      {"writer", "POST", "/v1/batch", R"({"batch":[]})", 400, "invalid", "batch",
       "batch must hold at least one message"},
      {"writer", "POST", "/v1/batch", R"({"batch":[)" + repeat("1,", 2500) + "1]}", 400, "invalid",
       "batch", "batch holds 2501 messages, the limit is 2500"},
      {"writer", "POST", "/v1/batch", R"({"writeKey":7,"batch":[1]})", 400, "invalid", "writeKey",
       "writeKey must be a string"},
      {"reader", "GET", "/v1/spaces/s/collections/users/profiles/user_id:nobody/events", "", 404,
       "not_found", "id", "no such person in this workspace"},
      {"reader", "GET", "/v1/spaces/s/collections/users/profiles/user_id:nobody/secrets", "", 404,
       "not_found", "part", "no part of this name", "events or traits"},
  };
  return rows;
}

const std::vector<BadRow>& decide_rows() {
  static const std::string path = "/api/v1/decide";
  static const std::vector<BadRow> rows = {
      {"reader", "POST", path, "", 400, "invalid", "person", "person is missing"},
      {"reader", "POST", path, "[]", 400, "invalid", "body", "body must be a JSON object"},
      {"reader", "POST", path, R"({"person":"ann")", 400, "invalid", "body",
       "body is not valid JSON: cut short or a number out of range, found at byte 15"},
      {"reader", "POST", path, R"({"person":)" + kNested + "}", 400, "invalid", "body",
       "body is nested deeper than 32 levels"},
      {"reader", "POST", path, R"({"persn":"ann"})", 400, "invalid", "persn",
       "unknown field \"persn\", nearest known is \"person\"", "known: person, placement"},
      {"reader", "POST", path, R"({"person":"ann","person":"bob"})", 400, "invalid", "person",
       "person is given twice"},
      {"reader", "POST", path, R"({"person":true})", 400, "invalid", "person",
       "person must be a string"},
      {"reader", "POST", path, R"({"person":""})", 400, "invalid", "person",
       "person must be 1-256 bytes of UTF-8 without control characters"},
      {"reader", "POST", path, R"({"person":"ann","n":"two"})", 400, "invalid", "n",
       "n must be a whole number"},
      {"reader", "POST", path, R"({"person":"ann","n":2.5})", 400, "invalid", "n",
       "n must be a whole number"},
      {"reader", "POST", path, R"({"person":"ann","n":0})", 400, "invalid", "n",
       "n is 0, must be in [1, 100]"},
      {"reader", "POST", path, R"({"person":"ann","n":101})", 400, "invalid", "n",
       "n is 101, must be in [1, 100]"},
      {"reader", "POST", path, R"({"person":"ann","candidates":7})", 400, "invalid", "candidates",
       "candidates must be an array of strings"},
      {"reader", "POST", path, R"({"person":"ann","candidates":["a",""]})", 400, "invalid",
       "candidates[1]", "candidates[1] must be 1-256 bytes of UTF-8 without control characters"},
      {"reader", "POST", path,
       R"({"person":"ann","candidates":[)" + repeat("\"a\",", 10'000) + "\"a\"]}", 400, "invalid",
       "candidates", "candidates holds 10001 ids, the limit is 10000"},
      {"reader", "POST", path, R"({"person":"ann","context":"DE"})", 400, "invalid", "context",
       "context must be an object"},
      {"reader", "POST", path,
       R"({"person":"ann","context":{"x":")" + std::string(4100, 'x') + "\"}}", 400, "invalid",
       "context", "context is 4108 bytes, the limit is 4096"},
      {"reader", "GET", "/api/v1/decisions/d_1", "", 404, "not_found", "id", "no decision d_1"},
  };
  return rows;
}

const std::vector<BadRow>& admin_rows() {
  static const std::vector<BadRow> rows = {
      {"reader", "GET", "/api/v1/items/none", "", 404, "not_found", "id", "no item none"},
      {"admin", "DELETE", "/api/v1/items/none", "", 404, "not_found", "id", "no item \"none\""},
      {"admin", "PUT", "/api/v1/items/p1", R"({"id":"p2"})", 400, "invalid", "id",
       "id in the body is not the one in the path"},
      {"admin", "PUT", "/api/v1/items/p1", R"({"price":"cheap"})", 400, "invalid", "item.price",
       "price must be a number"},
      {"admin", "PUT", "/api/v1/items/p1", R"({"created":"today"})", 400, "invalid", "item.created",
       "created must be an ISO-8601 time such as 2026-11-02T10:11:12Z"},
      {"admin", "POST", "/api/v1/items", "[]", 400, "invalid", "body",
       "body must hold at least one item"},
      {"admin", "POST", "/api/v1/items", R"({"id":"p1"})", 400, "invalid", "body",
       "body must be a JSON array"},
      {"admin", "PUT", "/api/v1/placements/feed", R"({"epsilon":1.5})", 400, "invalid",
       "placement.epsilon", "epsilon is 1.5, must be in [0, 1]"},
      {"admin", "PUT", "/api/v1/placements/feed", R"({"epsilom":0.5})", 400, "invalid",
       "placement.epsilom", "unknown placement field \"epsilom\", nearest known is \"epsilon\""},
      {"admin", "PUT", "/api/v1/placements/feed", R"({"rules":[{"kind":"pinn"}]})", 400, "invalid",
       "placement.rules[0].kind", "unknown rule kind \"pinn\", nearest known is \"pin\""},
      {"reader", "GET", "/api/v1/placements/none", "", 404, "not_found", "name",
       "no placement none"},
      {"admin", "DELETE", "/api/v1/persons/nobody", "", 404, "not_found", "id",
       "no such person in this workspace"},
      {"admin", "POST", "/api/v1/persons/nobody/unlink", "{}", 400, "invalid", "anonymous_id",
       "anonymous_id is missing"},
      {"admin", "POST", "/api/v1/persons/anonymous_id:a/unlink", R"({"anonymous_id":"a"})", 400,
       "invalid", "id", "id must be a user id"},
      {"admin", "POST", "/api/v1/keys", R"({"name":"x"})", 400, "invalid", "scopes",
       "scopes must be at least one of write, decide, read, admin"},
      {"admin", "POST", "/api/v1/keys", R"({"name":"x","scopes":["raed"]})", 400, "invalid",
       "scopes", "unknown scope \"raed\", nearest known is \"read\""},
      {"admin", "POST", "/api/v1/keys", R"({"name":"x","scope":["read"]})", 400, "invalid", "scope",
       "unknown field \"scope\", nearest known is \"scopes\""},
      {"admin", "DELETE", "/api/v1/keys/k_none", "", 404, "not_found", "id", "no key \"k_none\""},
      {"admin", "POST", "/api/v1/backup", "{}", 409, "conflict", "",
       "no folder for backups is configured", "set api.backup_folder"},
  };
  return rows;
}

const std::vector<BadRow>& door_rows() {
  static const std::vector<BadRow> rows = {
      {"", "POST", "/api/v1/decide", kDecide, 401, "unauthorized", "", "this route needs a key",
       "Basic user name, Bearer or X-API-Key"},
      {"", "POST", "/v1/track", kEvent, 401, "unauthorized", "", "this route needs a key"},
      {"guess", "POST", "/v1/track", kEvent, 401, "unauthorized", "", "this key is unknown"},
      {"", "POST", "/v1/track", track(R"("writeKey":"guess")"), 401, "unauthorized", "",
       "this key is unknown"},
      {"revoked", "POST", "/v1/track", kEvent, 401, "key_revoked", "", "this key was revoked",
       "use a key that is in force"},
      {"reader", "POST", "/v1/track", kEvent, 403, "forbidden", "",
       "this key may not do that: it has decide, read, this needs write"},
      {"writer", "POST", "/api/v1/decide", kDecide, 403, "forbidden", "",
       "this key may not do that: it has write, this needs decide"},
      {"reader", "GET", "/api/v1/keys", "", 403, "forbidden", "",
       "this key may not do that: it has decide, read, this needs admin"},
      {"admin", "GET", "/v1/track", "", 405, "method_not_allowed", "", "GET is not possible here",
       "possible: POST"},
      {"admin", "PATCH", "/api/v1/items/p1", "{}", 405, "method_not_allowed", "",
       "PATCH is not possible here", "possible: PUT, GET, DELETE"},
      {"admin", "POST", "/api/v1/decid", kDecide, 404, "not_found", "",
       "no such route: /api/v1/decid", "did you mean /api/v1/decide?"},
      {"admin", "GET", "/nowhere/at/all", "", 404, "not_found", "",
       "no such route: /nowhere/at/all", "see /openapi.json"},
      {"reader", "POST", "/api/v1/decide", kDecide, 415, "unsupported_media_type", "",
       "the body must be JSON", "application/json", "multipart/form-data; boundary=x"},
      {"writer", "POST", "/v1/track", kEvent, 415, "unsupported_media_type", "",
       "the body must be JSON", "application/json", "text/csv"},
  };
  return rows;
}

class BadInputTest : public AppTest {
 protected:
  BadInputTest() {
    const auto made = keys_->create("soon revoked", bit(Scope::kWrite));
    CHECK(made.ok() && keys_->revoke(made->id).ok());
    revoked_ = made->key;
  }
  void expect(const BadRow& row) {
    HttpRequest request;
    request.method = row.method;
    request.path = row.path;
    request.body = row.body;
    if (!row.key.empty()) {
      request.headers.emplace_back("X-API-Key", row.key == "revoked" ? revoked_ : row.key);
    }
    if (!row.content_type.empty()) request.headers.emplace_back("Content-Type", row.content_type);
    const auto answer = call(std::move(request));
    const std::string shown = row.method + " " + row.path + " " + row.body.substr(0, 60);
    EXPECT_EQ(answer.status, row.status) << shown;
    simdjson::dom::parser parser;
    simdjson::dom::element error;
    ASSERT_FALSE(parser.parse(answer.body)["error"].get(error)) << answer.body;
    EXPECT_EQ(error["code"].get_string().value(), row.code) << shown;
    EXPECT_EQ(error["field"].get_string().value(), row.field) << shown;
    EXPECT_EQ(error["message"].get_string().value(), row.message) << shown;
    EXPECT_TRUE(has(error["hint"].get_string().value(), row.hint)) << answer.body;
    EXPECT_EQ(error["request_id"].get_string().value(), "req_test") << shown;
  }
  std::string revoked_;
};

TEST_F(BadInputTest, OfEventsIsNamed) {
  for (const BadRow& row : event_rows()) expect(row);
  EXPECT_EQ(engine_->counts().events, 0u);
}

TEST_F(BadInputTest, OfDecisionsIsNamed) {
  for (const BadRow& row : decide_rows()) expect(row);
  EXPECT_EQ(engine_->counts().decisions, 0u);
}

TEST_F(BadInputTest, OfAdministrationIsNamed) {
  const auto before = engine_->counts().journal_records;
  for (const BadRow& row : admin_rows()) expect(row);
  EXPECT_EQ(engine_->counts().journal_records, before);
}

TEST_F(BadInputTest, IsStoppedAtTheDoor) {
  const auto before = engine_->counts().journal_records;
  for (const BadRow& row : door_rows()) expect(row);
  EXPECT_EQ(engine_->counts().journal_records, before);
}

TEST_F(BadInputTest, OneBadMessageOfABatchIsNamedAndTheRestStored) {
  const auto answer = call("writer", "POST", "/v1/batch",
                           R"({"batch":[{"type":"track","event":"click","userId":"ann"},)"
                           R"({"type":"clicked","userId":"ann"},7,)"
                           R"({"type":"page","anonymousId":"a"}]})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"success":true,"rejected":[{"index":1,"field":"type","reason":)"
                         R"("must be one of track, identify, page, screen, group, alias"},)"
                         R"({"index":2,"field":"message","reason":"must be an object"}]})");
  EXPECT_EQ(engine_->counts().events, 2u);
}

}  // namespace
}  // namespace attune
