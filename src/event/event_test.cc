#include "event/event.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/bytes.h"
#include "base/rng.h"
#include "event/decision.h"

namespace attune {
namespace {

const Time kReceived = time_from_us(1'793'000'000'123'456);

Event full_event() {
  Event e;
  e.verb = Verb::kPurchase;
  e.type = "track";
  e.name = "Order Completed";
  e.message_id = "0189f7ea-ae2c-7b3e-8f00-0123456789ab";
  e.item_id = "sku-1";
  e.decision_id = "d_abc";
  e.time = time_from_us(1'792'999'990'123'000);
  e.value = 39.95;
  e.properties = R"({"revenue":39.95})";
  e.traits = R"({"a":1})";
  e.context = R"({"ip":"::1"})";
  return e;
}

Decision full_decision() {
  Decision d;
  d.id = "d_abcdefghijklmnopqrstuvwxyz";
  d.time = kReceived;
  d.placement = "home";
  d.policy = Policy::kLearned;
  d.reason = "learned share";
  d.model_version = 7;
  d.outcome_window_s = 60;
  d.is_impression_served = false;
  ShownItem item;
  item.item_id = "v1";
  item.source = "popular";
  item.score = 0.5F;
  item.p_click = 0.1F;
  item.propensity = 0.9;
  item.rank_by_model = 2;
  item.rank_by_boosts = 3;
  item.rank_by_rules = 1;
  item.rules = {"boost category=sport x1.5"};
  item.parts = {{"bias", 1, 1, -0.25F}, {"category=sport", 2, 1, 0.75F}};
  d.shown = {item, ShownItem{}};
  d.others = {{"v2", "latest", 0.25F}, {"v3", "latest", -1}};
  return d;
}

void expect_same(const Event& a, const Event& b) {
  EXPECT_EQ(a.verb, b.verb);
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.message_id, b.message_id);
  EXPECT_EQ(a.item_id, b.item_id);
  EXPECT_EQ(a.decision_id, b.decision_id);
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.value, b.value);
  EXPECT_EQ(a.properties, b.properties);
  EXPECT_EQ(a.traits, b.traits);
  EXPECT_EQ(a.context, b.context);
}

void expect_round_trip(const Event& event, Surrogate other) {
  std::string bytes;
  encode_event(event, other, kReceived, bytes);
  const auto back = decode_event(bytes, kReceived);
  ASSERT_TRUE(back.ok()) << back.error().message;
  expect_same(event, back->event);
  EXPECT_EQ(other, back->other);
}

TEST(StoredEvent, AmountsComeBackToTheBit) {
  for (const double value : {24.9, 39.95, 0.1, -5.0, 19.99, 1e9, 1e10, 0.30000000000000004, 1e-7,
                             123456.7891, -0.0001, 5e-324, 1.7976931348623157e308}) {
    Event event = full_event();
    event.value = value;
    expect_round_trip(event, {});
  }
  Event money = full_event();
  std::string shorter, longer;
  encode_event(money, {}, kReceived, shorter);
  money.value = 0.30000000000000004;
  encode_event(money, {}, kReceived, longer);
  EXPECT_LT(shorter.size(), longer.size());
}

TEST(StoredEvent, IdsThatThePropertiesNameAreNotStoredTwice) {
  for (const char* properties :
       {R"({"item_id":"sku-1","decision_id":"d_abc"})", R"({"product_id":"sku-1"})",
        R"({"item_id":"other","product_id":"sku-1"})", R"({"item_id":"sku\\-1"})",
        R"({"item_id":"sku-1)", R"({"products":[{"product_id":"no"}],"product_id":"sku-1"})"}) {
    Event event = full_event();
    event.properties = properties;
    expect_round_trip(event, {});
  }
}

TEST(Verb, NamesGoBothWays) {
  for (std::size_t i = 0; i < kVerbCount; ++i) {
    const auto verb = static_cast<Verb>(i);
    EXPECT_EQ(verb_from_name(verb_name(verb)), verb);
  }
  EXPECT_EQ(verb_name(Verb::kClick), "click");
  EXPECT_EQ(verb_name(Verb::kAlias), "alias");
  EXPECT_EQ(verb_from_name("CLICK"), std::nullopt);
}

TEST(Id, Validity) {
  for (const std::string_view good : {"u", "u-19", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"})
    EXPECT_TRUE(is_valid_external_id(good)) << good;
  EXPECT_TRUE(is_valid_external_id(std::string(256, 'a')));
  EXPECT_FALSE(is_valid_external_id(std::string(257, 'a')));
  EXPECT_FALSE(is_valid_external_id(std::string_view("a\0b", 3)));
  for (const std::string_view bad :
       {"", "a\n", "\x7f", "\xc2\x85", "\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff", "a\xc3"})
    EXPECT_FALSE(is_valid_external_id(bad)) << bad;
}

TEST(EventCodec, RoundTrips) {
  Event event = full_event();
  expect_round_trip(event, Surrogate{42});
  expect_round_trip(Event{}, Surrogate{});
  for (const char* id : {"node-next-1793000000123-0189f7ea-ae2c-7b3e-8f00-0123456789ab", "m-7f3a",
                         "0189F7EA-AE2C-7B3E-8F00-0123456789AB", ""}) {
    event.message_id = id;
    expect_round_trip(event, Surrogate{});
  }
  event.type = "something else";
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t us : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{-1000}, kMax, -kMax,
                                std::int64_t{1'793'000'000'123'457}}) {
    event.time = time_from_us(us);
    expect_round_trip(event, Surrogate{1});
  }
}

TEST(EventCodec, PacksUuids) {
  Event event = full_event();
  std::string packed;
  std::string text;
  encode_event(event, Surrogate{}, kReceived, packed);
  event.message_id[0] = 'A';
  encode_event(event, Surrogate{}, kReceived, text);
  EXPECT_EQ(text.size() - packed.size(), 21U);  // 1 + 36 against 16
}

template <class Decode>
void throw_garbage_at(const std::string& good, Decode decode) {
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(decode(std::string(good, 0, n)).ok()) << n;
  }
  EXPECT_FALSE(decode(good + "x").ok());
  Rng rng(1);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    if (round % 2 == 0) bytes.assign(1 + rng.below(64), '\1');
    for (std::uint64_t i = 1 + rng.below(8); i > 0; --i) {
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.next());
    }
    (void)decode(bytes);
  }
}

TEST(EventCodec, GarbageIsAnError) {
  std::string good;
  encode_event(full_event(), Surrogate{9}, kReceived, good);
  throw_garbage_at(good, [](const std::string& b) { return decode_event(b, kReceived); });
}

TEST(DecisionCodec, GarbageIsAnError) {
  std::string good;
  encode_decision(full_decision(), good);
  throw_garbage_at(good, [](const std::string& b) { return decode_decision(b); });
}

TEST(DecisionCodec, RoundTrips) {
  const Decision d = full_decision();
  std::string bytes;
  encode_decision(d, bytes);
  const auto back = decode_decision(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(decision_json(*back, true), decision_json(d, true));
  EXPECT_EQ(back->outcome_window_s, 60);
  EXPECT_FALSE(back->is_impression_served);
  EXPECT_EQ(back->shown[0].parts[1].hash, 2U);
  EXPECT_EQ(back->time, d.time);
  std::string again;
  encode_decision(*back, again);
  EXPECT_EQ(again, bytes);
}

TEST(DecisionJson, Plain) {
  Decision d = full_decision();
  d.shown.pop_back();
  EXPECT_EQ(
      decision_json(d, false),
      R"({"decision_id":"d_abcdefghijklmnopqrstuvwxyz","placement":"home","time":")" +
          format_iso8601(d.time) +
          R"(","policy":"learned","reason":"learned share","model":"live","model_version":7,"items":[)"
          R"({"item_id":"v1","score":0.5,"p":0.1,"propensity":0.9,"source":"popular",)"
          R"("rules":["boost category=sport x1.5"],"is_explored":false}]})");
}

TEST(DecisionJson, Explained) {
  Decision d = full_decision();
  const auto has = [&](std::string_view text) {
    return decision_json(d, true).find(text) != std::string::npos;
  };
  EXPECT_TRUE(has(R"("parts":[{"name":"bias","value":1,"part":-0.25},)")) << decision_json(d, true);
  EXPECT_TRUE(has(
      R"("sum_of_parts":0.5,"rank_by_model":2,"rank_by_boosts":3,"rank_by_rules":1,"rank_shown":0,)"));
  EXPECT_TRUE(has(R"("would_change":null,"what_would_change_it":"No other item)"));
  EXPECT_TRUE(has(R"("others":[{"item_id":"v2","source":"latest","score":0.25})"));
}

TEST(DecisionCodec, ReadsVersionOne) {
  Decision d = full_decision();
  d.shown.resize(1);
  d.shown[0].rules.clear();
  d.shown[0].parts.clear();
  d.shown[0].instead = 2;
  std::string bytes;
  encode_decision(d, bytes);
  // Without what version 2 added after rank_by_model (2): rank_by_rules (1) and instead (2).
  const std::string added = {4, 6, 2, 2};  // zigzag: 2, 3, 1; then 2
  const auto at = bytes.find(added);
  ASSERT_NE(at, std::string::npos);
  bytes.erase(at + 2, 2);
  // Without what version 3 added after the window: no context (0) and UTC (0).
  std::string window;
  Writer(window).f64(d.outcome_window_s);
  bytes.erase(bytes.find(window) + window.size(), 2);
  bytes[0] = 1;
  const auto back = decode_decision(bytes);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->shown[0].rank_by_rules, 3);
  EXPECT_EQ(back->shown[0].instead, 0u);
  EXPECT_EQ(back->others.size(), 2u);
  bytes[0] = 6;
  EXPECT_FALSE(decode_decision(bytes).ok());
}

TEST(DecisionCodec, KeepsWhatTheRequestSaid) {
  Decision d = full_decision();
  d.context = R"({"device":"phone"})";
  d.utc_offset_s = -12600;
  d.model = "ranker@3";
  std::string bytes;
  encode_decision(d, bytes);
  const auto back = decode_decision(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->context, d.context);
  EXPECT_EQ(back->model, d.model);
  EXPECT_EQ(back->utc_offset_s, d.utc_offset_s);
  EXPECT_NE(decision_json(d, true).find(R"("context":{"device":"phone"})"), std::string::npos);
}

}  // namespace
}  // namespace attune
