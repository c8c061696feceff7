#include "collect/segment.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "collect/locate.h"

namespace attune {
namespace {

const Time kNow = *parse_iso8601("2026-11-02T10:11:12.345Z");

Result<ParsedBatch> parse(std::string_view call, std::string_view body,
                          const CollectOptions& options = {}) {
  return parse_segment(call, body, kNow, kNow, options);
}

Event parse_good(std::string_view call, std::string_view body) {
  auto batch = parse(call, body);
  if (!batch.ok()) {
    ADD_FAILURE() << batch.error().field << ": " << batch.error().message;
    return {};
  }
  for (const auto& r : batch->rejected) ADD_FAILURE() << r.field << ": " << r.reason;
  return batch->events.size() == 1 ? batch->events[0] : Event{};
}

struct BadRow {
  std::string call;
  std::string body;
  std::string field;
  std::string reason;
};

std::string track(const std::string& more) { return R"({"userId":"u","event":"e",)" + more + "}"; }
std::string repeat(std::string_view text, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += text;
  return out;
}

TEST(Segment, RefusedRequests) {
  const std::vector<BadRow> rows = {
      {"track", "", "body", "is empty; a JSON object is expected"},
      {"track", R"({"userId":"u",})", "body", "is not valid JSON at byte 14"},
      {"track", R"({"userId":"u" "event":1})", "body", "is not valid JSON at byte 14"},
      {"track", R"({"userId":tru})", "body", "is not valid JSON at byte 13"},
      {"track", "{\"userId\":\"\xff\"}", "body", "is not valid UTF-8"},
      {"track", track("\"properties\":" + repeat("[", 40) + repeat("]", 40)), "body",
       "is nested deeper than 32 levels"},
      {"track", "[1]", "body", "must be a JSON object"},
      {"track", "7", "body", "must be a JSON object"},
      {"track", std::string(500 * 1024 + 1, ' '), "body", "is 512001 bytes, the limit is 512000"},
      {"purchase", "{}", "call", "no such call: purchase"},
      {"track", track(R"("writeKey":7)"), "writeKey", "must be a string"},
      {"batch", "{}", "batch", "is required"},
      {"batch", R"({"batch":{}})", "batch", "must be an array"},
      {"import", R"({"batch":[]})", "batch", "must hold at least one message"},
      {"batch", R"({"batch":[)" + repeat("1,", 2500) + "1]}", "batch",
       "holds 2501 messages, the limit is 2500"},
      {"batch", R"({"batch":[1],"context":[]})", "context", "must be an object"},
      {"batch", R"({"batch":[1],"sentAt":"soon"})", "sentAt",
       "must be an ISO-8601 time such as 2026-11-02T10:11:12.345Z"},
  };
  for (const BadRow& row : rows) {
    const auto result = parse(row.call, row.body);
    const std::string shown = row.body.substr(0, 60);
    ASSERT_FALSE(result.ok()) << shown;
    EXPECT_EQ(result.error().code, Code::kInvalid) << shown;
    EXPECT_EQ(result.error().field, row.field) << shown;
    EXPECT_EQ(result.error().message, row.reason) << shown;
  }
}

std::vector<BadRow> bad_messages() {
  const std::string iso = "must be an ISO-8601 time such as 2026-11-02T10:11:12.345Z";
  const std::string types = "must be one of track, identify, page, screen, group, alias";
  const std::string control = "must be UTF-8 without control characters";
  const std::string large = R"({"batch":[{"type":"page","userId":")" + std::string(32768, 'x');
  return {
      {"track", "{}", "userId", "is required, or an anonymousId"},
      {"track", R"({"userId":"u","event":"e","userId":"v"})", "userId", "is given twice"},
      {"track", R"({"userId":null,"event":"e"})", "userId", "is required, or an anonymousId"},
      {"track", R"({"userId":["u"],"event":"e"})", "userId", "must be a string or a number"},
      {"track", R"({"userId":"","event":"e"})", "userId", "must be 1 to 256 bytes, is 0"},
      {"track", R"({"userId":")" + std::string(257, 'x') + "\"}", "userId",
       "must be 1 to 256 bytes, is 257"},
      {"track", R"({"userId":"a\u0000b","event":"e"})", "userId", control},
      {"track", R"({"anonymousId":"a\nb","event":"e"})", "anonymousId", control},
      {"track", R"({"anonymousId":true,"event":"e"})", "anonymousId",
       "must be a string or a number"},
      {"track", R"({"userId":"u"})", "event", "is required in a track call"},
      {"track", R"({"userId":"u","event":7})", "event", "must be a string"},
      {"track", track(R"("messageId":{})"), "messageId", "must be a string or a number"},
      {"track", track(R"("timestamp":1793000000)"), "timestamp", iso},
      {"track", track(R"("originalTimestamp":"yesterday")"), "originalTimestamp", iso},
      {"track", track(R"("sentAt":{})"), "sentAt", iso},
      {"track", track(R"("timestamp":"2016-01-01T00:00:00Z")"), "timestamp",
       "is more than 10 years in the past"},
      {"track", track(R"("timestamp":"2026-11-03T10:11:13Z")"), "timestamp",
       "is more than 24 hours in the future"},
      {"track", track(R"("properties":[])"), "properties", "must be an object"},
      {"track", track(R"("context":"c")"), "context", "must be an object"},
      {"track", track(R"("properties":{"item_id":{}})"), "properties.item_id",
       "must be a string or a number"},
      {"track", track(R"("properties":{"product_id":""})"), "properties.product_id",
       "must be 1 to 256 bytes, is 0"},
      {"track", track(R"("properties":{"decision_id":5})"), "properties.decision_id",
       "must be a string"},
      {"track", track(R"("properties":{"products":"p"})"), "properties.products",
       "must be an array"},
      {"track", track(R"("properties":{"products":[1]})"), "properties.products[0]",
       "must be an object"},
      {"identify", R"({"userId":"u","traits":"t"})", "traits", "must be an object"},
      {"page", R"({"userId":"u","name":1})", "name", "must be a string"},
      {"screen", R"({"userId":"u","category":1})", "category", "must be a string"},
      {"group", R"({"userId":"u"})", "groupId", "is required in a group call"},
      {"alias", R"({"userId":"u"})", "previousId", "is required in an alias call"},
      {"alias", R"({"previousId":"p","anonymousId":"a"})", "userId",
       "is required in an alias call"},
      {"batch", R"({"batch":[7]})", "message", "must be an object"},
      {"batch", R"({"batch":[{"userId":"u","event":"e"}]})", "type", "is required in a batch"},
      {"batch", R"({"batch":[{"type":"click","userId":"u"}]})", "type", types},
      {"batch", R"({"batch":[{"type":1,"userId":"u"}]})", "type", "must be a string"},
      {"batch", large + R"("}]})", "message", "is 32795 bytes, the limit is 32768"},
  };
}

TEST(Segment, RejectedMessages) {
  for (const BadRow& row : bad_messages()) {
    const auto result = parse(row.call, row.body);
    const std::string shown = row.body.substr(0, 60);
    ASSERT_TRUE(result.ok()) << shown << result.error().message;
    EXPECT_TRUE(result->events.empty()) << shown;
    ASSERT_EQ(result->rejected.size(), 1U) << shown;
    EXPECT_EQ(result->rejected[0].index, 0U);
    EXPECT_EQ(result->rejected[0].field, row.field) << shown;
    EXPECT_EQ(result->rejected[0].reason, row.reason) << shown;
  }
}

TEST(Segment, Track) {
  const Event e = parse_good("track", R"({"type":"track","messageId":"m-7f3a","userId":"u-19",
      "anonymousId":"a-2","event":"Order Completed","timestamp":"2026-11-02T10:11:10.345Z",
      "properties":{"revenue":39.95, "currency":"EUR","decision_id":"d_1",
      "products":[{"product_id":507,"sku":"x"}]},"context":{"ip":"::1"}})");
  EXPECT_EQ(e.verb, Verb::kPurchase);
  EXPECT_EQ(e.type, "track");
  EXPECT_EQ(e.name, "Order Completed");
  EXPECT_EQ(e.message_id, "m-7f3a");
  EXPECT_EQ(e.user_id, "u-19");
  EXPECT_EQ(e.anonymous_id, "a-2");
  EXPECT_EQ(e.item_id, "507");
  EXPECT_EQ(e.decision_id, "d_1");
  EXPECT_EQ(e.value, 39.95);
  EXPECT_EQ(e.time, kNow - std::chrono::seconds(2));
  EXPECT_EQ(e.context, R"({"ip":"::1"})");
  EXPECT_EQ(e.properties.find("{\"revenue\":39.95,\"currency\":\"EUR\""), 0U) << e.properties;
}

TEST(Segment, OtherCalls) {
  Event e = parse_good("identify", R"({"userId":42,"traits":{"plan": "pro"}})");
  EXPECT_EQ(e.verb, Verb::kIdentify);
  EXPECT_EQ(e.user_id, "42");
  EXPECT_EQ(e.traits, R"({"plan":"pro"})");
  EXPECT_EQ(e.time, kNow);
  e = parse_good("page", R"({"anonymousId":"a","name":"Home","category":"Docs",
                            "properties":{"url":"/"}})");
  EXPECT_EQ(e.verb, Verb::kPage);
  EXPECT_EQ(e.name, "Home");
  EXPECT_EQ(e.properties, R"({"category":"Docs","url":"/"})");
  EXPECT_EQ(parse_good("screen", R"({"userId":"u","name":"S"})").verb, Verb::kScreen);
  EXPECT_EQ(parse_good("group", R"({"userId":"u","groupId":"g"})").name, "g");
  EXPECT_EQ(parse_good("alias", R"({"userId":"u","previousId":"p"})").previous_id, "p");
}

TEST(Segment, ValueIsTheFirstNumber) {
  const auto value = [](const std::string& properties) {
    return parse_good("track", track("\"properties\":{" + properties + "}")).value;
  };
  EXPECT_EQ(value(R"("price":2,"total":3)"), 3);
  EXPECT_EQ(value(R"("value":"blue","revenue":"39.95")"), 39.95);
  EXPECT_EQ(value(R"("value":"12 EUR")"), 0);
}

TEST(Segment, AnalyticsNodeBatch) {
  const auto batch = parse("batch", R"({"batch":[{"type":"track","event":"Product Clicked",
      "userId":"u","properties":{"item_id":"v1"},"integrations":{},
      "timestamp":"2026-11-02T10:11:12.000Z","context":{"library":{"name":"n"}},
      "messageId":"node-next-1793000000123-0189f7ea-ae2c-7b3e-8f00-0123456789ab"},
      {"type":"track","userId":"u"},{"type":"page","userId":"u"}],"context":{"ip":"1"},
      "writeKey":"wk","sentAt":"2026-11-02T10:11:12.300Z"})");
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->write_key, "wk");
  EXPECT_EQ(batch->indexes, (std::vector<std::size_t>{0, 2}));
  ASSERT_EQ(batch->rejected.size(), 1U);
  EXPECT_EQ(batch->rejected[0].index, 1U);
  EXPECT_EQ(batch->events[0].verb, Verb::kClick);
  EXPECT_EQ(batch->events[0].context, R"({"library":{"name":"n"},"ip":"1"})");
  EXPECT_EQ(batch->events[1].context, R"({"ip":"1"})");
}

TEST(Segment, RudderBatchWithSkew) {
  // The client's clock is a day behind; the event happened 5 s before it was sent.
  const Event e = parse_good("batch", R"({"batch":[{"type":"track","event":"Post Liked",
      "channel":"server","userId":"u","originalTimestamp":"2026-11-01T10:00:00.000Z",
      "sentAt":"2026-11-01T10:00:05.000Z"}],"timestamp":"x","sentAt":"2026-11-01T10:00:06.000Z"})");
  EXPECT_EQ(e.verb, Verb::kLike);
  EXPECT_EQ(e.time, kNow - std::chrono::seconds(5));
}

TEST(Mapping, Names) {
  const auto& m = default_event_mapping();
  EXPECT_EQ(m.verb_of("product added to WISHLIST"), Verb::kLike);
  EXPECT_EQ(m.verb_of("Click"), Verb::kClick);
  EXPECT_EQ(m.verb_of("Products Searched"), Verb::kSearch);
  EXPECT_EQ(m.verb_of("identify"), Verb::kOther);
  EXPECT_EQ(m.verb_of("Signed Up"), Verb::kOther);
  EventMapping own;
  own.set("Bought It", Verb::kPurchase);
  CollectOptions options;
  options.mapping = &own;
  const auto batch = parse("track", R"({"userId":"u","event":"bought it"})", options);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->events.at(0).verb, Verb::kPurchase);
}

TEST(Consent, DeniedPurposes) {
  bool has = true;
  EXPECT_EQ(denied_purposes_of("", has), 0);
  EXPECT_FALSE(has);
  EXPECT_EQ(denied_purposes_of("{\"categoryPreferences", has), 0);
  EXPECT_FALSE(has);
  const std::string head = R"({"consent":{"categoryPreferences":)";
  EXPECT_EQ(denied_purposes_of(head + R"({"Analytics":false,"ADVERTISING":false}}})", has), 5);
  EXPECT_TRUE(has);
  EXPECT_EQ(denied_purposes_of(head + R"({"personalization":"no","analytics":true}}})", has), 2);
  EXPECT_EQ(denied_purposes_of(head + "{}}}", has), 0);
  EXPECT_TRUE(has);
}

TEST(Segment, GarbageNeverCrashes) {
  const std::string good =
      R"({"batch":[{"type":"track","userId":"u","event":"e","timestamp":"2026-11-02T10:11:12Z",)"
      R"("properties":{"item_id":1e3,"products":[{"product_id":"x"}]},"context":{}}]})";
  for (std::size_t n = 0; n < good.size(); ++n)
    EXPECT_FALSE(parse("batch", good.substr(0, n)).ok());
  Rng rng(3);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good;
    for (std::uint64_t k = 1 + rng.below(4); k > 0; --k) {
      const char other = good[rng.below(good.size())];
      bytes[rng.below(bytes.size())] = rng.chance(0.5) ? other : static_cast<char>(rng.next());
    }
    (void)parse("batch", bytes);
    (void)locate_json_error(bytes, 32);
  }
}

TEST(Segment, ContextOfTheBatchIsMergedIntoEachMessage) {
  const auto batch = parse("batch", R"({"context":{"ip":"1.2.3.4","app":{"name":"a"}},"batch":[
      {"type":"page","userId":"u"},{"type":"page","userId":"u","context":{"app":{"x":1},"l":2}}]})");
  ASSERT_TRUE(batch.ok());
  ASSERT_EQ(batch->events.size(), 2U);
  EXPECT_EQ(batch->events[0].context, R"({"ip":"1.2.3.4","app":{"name":"a"}})");
  EXPECT_EQ(batch->events[1].context, R"({"app":{"x":1},"l":2,"ip":"1.2.3.4"})");
}

}  // namespace
}  // namespace attune
