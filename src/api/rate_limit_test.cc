#include "api/rate_limit.h"

#include "api/slow_lane.h"
#include "api/test_app.h"

namespace attune {
namespace {

TEST(RateLimit, LetsABurstInThenTheRate) {
  double now_s = 0;
  RateLimit limit(10, 2, [&] { return now_s; });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(limit.take("a", 1), 0) << i;
  EXPECT_GT(limit.take("a", 1), 0);
  EXPECT_EQ(limit.take("b", 1), 0);  // each key has its own
  now_s = 0.1;
  EXPECT_EQ(limit.take("a", 1), 0);
  EXPECT_GT(limit.take("a", 1), 0);
  now_s = 1000;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(limit.take("a", 1), 0);
  EXPECT_GT(limit.take("a", 1), 0);  // no more than the burst is saved
}

TEST(RateLimit, ALargeBatchPassesAndTheNextOneWaits) {
  double now_s = 0;
  RateLimit limit(100, 1, [&] { return now_s; });
  EXPECT_EQ(limit.take("a", 1000), 0);
  EXPECT_DOUBLE_EQ(limit.take("a", 1), 9);
  now_s = 9.5;
  EXPECT_EQ(limit.take("a", 1), 0);
}

TEST(RateLimit, ZeroIsNoLimit) {
  RateLimit limit(0, 1, [] { return 0.0; });
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limit.take("a", 1e9), 0);
}

TEST_F(AppTest, AKeyOverItsRateIsToldWhenToComeBack) {
  double now_s = 0;
  ApiOptions options;
  options.requests_per_s = 1;
  options.events_per_s = 2;
  options.rate_burst_s = 2;
  options.clock_s = [&] { return now_s; };
  open(options);
  const std::string decide = R"({"person":"ann"})";
  EXPECT_EQ(call("reader", "POST", "/api/v1/decide", decide).status, 200);
  EXPECT_EQ(call("reader", "POST", "/api/v1/decide", decide).status, 200);
  const auto refused = call("reader", "POST", "/api/v1/decide", decide);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(header(refused, "Retry-After"), "1");
  EXPECT_TRUE(has(refused.body, "this key sends too many requests a second")) << refused.body;
  now_s = 1;
  EXPECT_EQ(call("reader", "POST", "/api/v1/decide", decide).status, 200);

  std::string batch = R"({"batch":[)";
  for (int i = 0; i < 10; ++i) batch += R"({"type":"track","userId":"ann","event":"click"},)";
  batch.back() = ']';
  EXPECT_EQ(call("writer", "POST", "/v1/batch", batch + "}").status, 200);
  const auto late = call("writer", "POST", "/v1/batch", batch + "}");
  EXPECT_EQ(late.status, 429);
  EXPECT_EQ(header(late, "Retry-After"), "3");  // 6 events too many, 2 a second
  EXPECT_TRUE(has(late.body, "too many events")) << late.body;
  EXPECT_EQ(engine_->counts().events, 10u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(call("admin", "GET", "/api/v1/learning").status, 200);
}

TEST(SlowLane, RunsAllThatWaitsAndRefusesTheRest) {
  std::promise<void> go;
  std::shared_future<void> gate = go.get_future().share();
  std::promise<void> started;
  std::atomic<int> ran = 0;
  {
    SlowLane lane(1, 2);
    EXPECT_TRUE(lane.post([&, gate] {
      started.set_value();
      gate.wait();
      ++ran;
    }));
    started.get_future().wait();
    EXPECT_TRUE(lane.post([&] { ++ran; }));
    EXPECT_TRUE(lane.post([&] { ++ran; }));
    EXPECT_FALSE(lane.post([&] { ++ran; }));
    go.set_value();
  }
  EXPECT_EQ(ran, 3);
}

}  // namespace
}  // namespace attune
