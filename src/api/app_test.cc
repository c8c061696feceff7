// The routes on a real engine; the HTTP layer has its own tests, and so has bad input.
#include "api/app.h"

#include <simdjson.h>

#include <set>

#include "api/handlers.h"
#include "api/routes.h"
#include "api/test_app.h"

namespace attune {
namespace {

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

TEST_F(AppTest, ABatchOfItemsKeepsTheGoodAndNamesTheBad) {
  const auto answer =
      call("admin", "POST", "/api/v1/items",
           R"([{"id":"p1"},{"category":"x"},{"id":"p2","price":-1},{"id":"p3"},7])");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(
      answer.body,
      R"({"success":true,"items":2,"rejected":[)"
      R"({"index":1,"field":"item.id","reason":"id is missing"},)"
      R"({"index":2,"field":"item.price","reason":"price is -1, must be in [0, 1000000000000]"},)"
      R"({"index":4,"field":"item","reason":"item must be an object"}]})");
  EXPECT_EQ(call("reader", "GET", "/api/v1/items/p3").status, 200);
  EXPECT_EQ(call("admin", "DELETE", "/api/v1/items/p3").status, 200);
  EXPECT_EQ(call("reader", "GET", "/api/v1/items/p3").status, 404);
}

TEST_F(AppTest, PlacementsAreListedAsTheyWerePut) {
  const std::string rules = R"("rules":[{"kind":"boost","category":"shoes","factor":1.5},)"
                            R"({"kind":"pin","item_id":"p1","position":2},)"
                            R"({"kind":"max_per_category","limit":3}])";
  ASSERT_EQ(call("admin", "PUT", "/api/v1/placements/feed", "{" + rules + "}").status, 200);
  const auto one = call("reader", "GET", "/api/v1/placements/feed");
  EXPECT_TRUE(has(one.body, rules)) << one.body;
  const auto all = call("reader", "GET", "/api/v1/placements");
  EXPECT_EQ(all.body, "{\"placements\":[" + one.body + "]}");
  // What is read can be put back as it is.
  EXPECT_EQ(call("admin", "PUT", "/api/v1/placements/feed", one.body).status, 200);
}

TEST_F(AppTest, DialsArePreviewedBeforeTheyAreSet) {
  const auto early = call("reader", "POST", "/api/v1/placements/feed/preview", "{}");
  EXPECT_EQ(early.status, 404);
  EXPECT_TRUE(has(early.body, "nobody was asked for at the placement feed")) << early.body;
  ASSERT_EQ(
      call("admin", "POST", "/api/v1/items",
           R"([{"id":"a","category":"x"},{"id":"b","category":"x"},{"id":"c","category":"y"}])")
          .status,
      200);
  ASSERT_TRUE(engine_->tick(engine_->now()).ok());
  ASSERT_EQ(call("reader", "POST", "/api/v1/decide", R"({"person":"ann","placement":"feed","n":2})")
                .status,
            200);
  const auto preview = call("reader", "POST", "/api/v1/placements/feed/preview",
                            R"({"persons":5,"freshness_half_life_s":3600})");
  EXPECT_EQ(preview.status, 200) << preview.body;
  EXPECT_TRUE(has(preview.body, R"({"placement":"feed","persons":1,"places":)")) << preview.body;
  EXPECT_TRUE(has(preview.body, R"("freshness_half_life_s":3600,"by_diversity":[{"diversity":0,)"));
  const auto bad = call("reader", "POST", "/api/v1/placements/feed/preview", R"({"persons":0})");
  EXPECT_EQ(bad.status, 400);
  EXPECT_TRUE(has(bad.body, "persons is 0, must be in [1, 5000]")) << bad.body;
}

TEST_F(AppTest, APersonIsReadExportedAndUnlinked) {
  ASSERT_EQ(call("writer", "POST", "/v1/identify",
                 R"({"userId":"ann","anonymousId":"a-1","traits":{"country":"DE"}})")
                .status,
            200);
  const auto person = call("reader", "GET", "/api/v1/persons/ann");
  EXPECT_TRUE(has(person.body, R"({"id":"ann","traits":{"country":"DE"})")) << person.body;
  EXPECT_EQ(call("reader", "GET", "/api/v1/persons/ann/export").status, 403);
  const auto dump = call("admin", "GET", "/api/v1/persons/anonymous_id:a-1/export");
  EXPECT_EQ(dump.content_type, "application/x-ndjson");
  EXPECT_TRUE(has(dump.body, "\n{\"type\":\"identify\"")) << dump.body;
  EXPECT_EQ(call("admin", "POST", "/api/v1/persons/ann/unlink", R"({"anonymous_id":"a-1"})").status,
            200);
  EXPECT_FALSE(has(call("reader", "GET", "/api/v1/persons/anonymous_id:a-1").body, "DE"));
}

TEST_F(AppTest, AnIdMayHoldASlash) {
  ASSERT_EQ(call("writer", "POST", "/v1/track", R"({"userId":"a/b","event":"click"})").status, 200);
  HttpRequest request;
  request.method = "GET";
  request.path = "/api/v1/persons/a/b";
  request.raw_path = "/api/v1/persons/a%2Fb";
  request.headers.emplace_back("X-API-Key", "reader");
  EXPECT_TRUE(has(call(std::move(request)).body, R"("id":"a/b")"));
}

TEST_F(AppTest, BackupStaysInItsFolder) {
  EXPECT_EQ(call("admin", "POST", "/api/v1/backup").status, 409);
  ApiOptions options;
  options.backup_folder = folder_;
  open(options);
  EXPECT_EQ(call("admin", "POST", "/api/v1/backup", R"({"name":"../out"})").status, 400);
  EXPECT_EQ(call("admin", "POST", "/api/v1/backup", R"({"name":"..."})").status, 400);
  EXPECT_EQ(call("reader", "POST", "/api/v1/backup").status, 403);
  const auto done = call("admin", "POST", "/api/v1/backup", R"({"name":"monday"})");
  EXPECT_TRUE(has(done.body, R"("success":true,"name":"monday.tar.zst")")) << done.body;
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/monday.tar.zst"));
}

TEST_F(AppTest, RetentionIsRunOnDemand) {
  EXPECT_TRUE(has(call("admin", "POST", "/api/v1/retain").body, "\"dropped_records\":0"));
}

TEST_F(AppTest, SaysWhyItIsNotReady) {
  EXPECT_EQ(call("", "GET", "/readyz").body, R"({"status":"ok"})");
  disk_used_ = 0.99;
  open();
  const auto answer = call("", "GET", "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(has(answer.body, "95 % full")) << answer.body;
  EXPECT_EQ(header(answer, "Retry-After"), "1");
  EXPECT_EQ(call("", "GET", "/healthz").status, 200);
}

TEST_F(AppTest, HeadIsAnsweredAsGet) { EXPECT_EQ(call("", "HEAD", "/healthz").status, 200); }

TEST_F(AppTest, ReadBackTakesALimit) {
  for (const char* id : {"m1", "m2", "m3"}) {
    call("writer", "POST", "/v1/track",
         R"({"userId":"ann","event":"click","messageId":")" + std::string(id) + "\"}");
  }
  const std::string path = "/v1/spaces/s/collections/users/profiles/user_id:ann/events";
  const auto answer = call("reader", "GET", path + "?limit=2");
  EXPECT_TRUE(has(answer.body, "m3") && has(answer.body, "m2")) << answer.body;
  EXPECT_FALSE(has(answer.body, "m1"));
  EXPECT_EQ(call("reader", "GET", path + "?limit=0").status, 400);
  EXPECT_EQ(call("reader", "GET", path + "?page=2").status, 400);
}

TEST_F(AppTest, EveryRouteIsDescribedOnce) {
  simdjson::dom::parser parser;
  const std::string text = openapi_document();
  simdjson::dom::element root;
  ASSERT_FALSE(parser.parse(text).get(root));
  std::size_t described = 0;
  std::set<std::string_view> operations;
  simdjson::dom::object paths = root["paths"];
  for (const auto path : paths) described += simdjson::dom::object(path.value).size();
  EXPECT_EQ(described, routes().size());
  for (const Route& route : routes()) {
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(c | 0x20);
    const auto operation = root["paths"][route.path][method];
    EXPECT_EQ(operation["operationId"].get_string().value(), route.operation);
    EXPECT_TRUE(operations.insert(route.operation).second) << route.operation;
    for (const std::string_view schema : {route.request, route.response}) {
      if (schema.empty() || has(schema, "/")) continue;
      EXPECT_FALSE(root["components"]["schemas"][schema].error()) << schema;
    }
  }
}

TEST_F(AppTest, CountsWhatItDid) {
  call("writer", "POST", "/v1/track", R"({"userId":"ann","event":"click"})");
  call("writer", "POST", "/v1/track", R"({"event":"click"})");
  call("reader", "POST", "/api/v1/decide", R"({"person":"ann"})");
  const std::string page = call("", "GET", "/metrics").body;
  for (const std::string_view line :
       {"attune_events_total 1\n", "attune_decisions_total 1\n",
        "attune_rejected_events_total{reason=\"userId\"} 1\n", "attune_memory_bytes{part=\"keys\"}",
        "attune_http_requests_total{method=\"POST\",route=\"/v1/track\",status=\"2xx\"} 1\n",
        "attune_http_requests_total{method=\"POST\",route=\"/v1/track\",status=\"4xx\"} 1\n",
        "attune_http_request_duration_seconds_bucket{method=\"POST\",route=\"/v1/"
        "track\",le=\"+Inf\"}"
        " 2\n",
        "attune_policy_impressions_total{policy=\"learned\"}"}) {
    EXPECT_TRUE(has(page, line)) << line << "\n" << page;
  }
}

}  // namespace
}  // namespace attune
