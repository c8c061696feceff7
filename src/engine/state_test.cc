#include "engine/state.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "decide/rank_lists.h"

namespace attune {
namespace {

const Time kStart = time_from_us(1'800'000'000'000'000);

// Everything a decision reads but the lists, as bytes.
std::string bytes_of(const Published& p) {
  std::string out;
  encode_counters(*p.counters, out);
  p.item_item->encode(out);
  p.catalog->encode(out);
  Writer writer(out);
  for (std::uint32_t i = 0; i < p.weights->size(); ++i) writer.f32((*p.weights)[i]);
  return out;
}

// A made-up journal.
class Player {
 public:
  explicit Player(State& state) : state_(state) { put_items(200); }
  void step() {
    ++at_;
    const Surrogate who{1 + rng_.below(20)};
    ASSERT_TRUE(state_.load(who).ok());
    const std::uint64_t kind = rng_.below(100);
    if (kind < 60) {
      const Verb verb = rng_.chance(0.5) ? Verb::kImpression : Verb::kClick;
      state_.event(at_, who, make_event(verb));
    } else if (kind < 98) {
      state_.decision(at_, who, make_decision());
    } else {
      put_items(rng_.below(3));
    }
  }
  void tick() { state_.tick(++ticks_, kStart + seconds(static_cast<double>(at_))); }

 private:
  std::string item() { return fmt::format("i{}", rng_.below(300)); }
  Event make_event(Verb verb) {
    Event event;
    event.verb = verb;
    event.item_id = item();
    event.time = kStart + seconds(static_cast<double>(at_));
    return event;
  }
  Decision make_decision() {
    Decision decision;
    decision.id = fmt::format("d{}", at_);
    decision.time = kStart + seconds(static_cast<double>(at_));
    decision.outcome_window_s = 20;
    decision.shown.resize(3);
    for (ShownItem& shown : decision.shown) {
      shown.item_id = item();
      const auto hash = static_cast<std::uint32_t>(hash64(shown.item_id));
      shown.parts = {{"bias", 1, 1, 0}, {"item", hash, 1, 0}};
    }
    return decision;
  }
  void put_items(std::uint64_t count) {
    std::vector<std::string> changes;
    for (std::uint64_t i = 0; i < count; ++i) {
      changes.push_back(
          fmt::format(R"({{"op":"put_item","item":{{"id":"{}","price":{}}}}})", item(), at_));
    }
    ASSERT_TRUE(state_.control(changes, kStart + seconds(static_cast<double>(at_))).ok());
  }

  State& state_;
  Rng rng_{11};
  Position at_ = 0;
  std::uint64_t ticks_ = 0;
};

TEST(State, APublishedVersionIsWhatTheFoldsWereAndStaysSo) {
  State state;
  Player player(state);
  std::vector<std::pair<std::shared_ptr<const Published>, std::string>> versions;
  for (int tick = 1; tick <= 100; ++tick) {
    for (int i = 0; i < 20; ++i) player.step();
    player.tick();
    if (tick % 5 != 0) continue;  // comparing is slow, and half of these are without new lines
    const auto published = state.published();
    Published folds;  // whole copies, sharing nothing
    std::string counters;
    encode_counters(state.folds().counters, counters);
    auto decoded = decode_counters(counters);
    ASSERT_TRUE(decoded.ok());
    folds.counters = std::make_shared<Counters>(std::move(decoded).value());
    std::string item_item;
    state.folds().item_item.encode(item_item);
    auto lines = ItemItem::decode(item_item);
    ASSERT_TRUE(lines.ok());
    folds.item_item = tick % 10 == 0 ? std::make_shared<ItemItem>(std::move(lines).value())
                                     : published->item_item;
    folds.catalog = state.folds().catalog;
    folds.weights = std::make_shared<WeightTable>(state.learner().model().weights());
    ASSERT_EQ(bytes_of(*published), bytes_of(folds)) << "tick " << tick;
    if (tick % 20 == 0) versions.emplace_back(published, bytes_of(*published));
    for (const Item* item : published->popular) {
      ASSERT_EQ(published->catalog->find(item->key), item);
    }
  }
  EXPECT_GT(state.learner().updates(), 500u);
  for (const auto& [version, then] : versions) EXPECT_EQ(bytes_of(*version), then);
}

TEST(State, ACopyOfTheFoldsStaysAsItWas) {
  State state;
  Player player(state);
  for (int i = 0; i < 500; ++i) player.step();
  player.tick();
  const auto hashes = state.hashes(nullptr, nullptr);
  ASSERT_TRUE(hashes.ok());
  const Folds copy = state.folds();
  for (int i = 0; i < 500; ++i) player.step();
  player.tick();
  State other;
  other.folds() = copy;
  const auto again = other.hashes(nullptr, nullptr);
  ASSERT_TRUE(again.ok());
  for (std::size_t i = 0; i < hashes->size(); ++i) {
    if ((*hashes)[i].fold == "profiles") continue;
    EXPECT_EQ((*again)[i], (*hashes)[i]) << (*hashes)[i].fold;
  }
}

TEST(State, CountsTheMemoryOfWhatWaits) {
  State state;
  Player player(state);
  const std::size_t before = state.waiting_bytes();
  for (int i = 0; i < 4000; ++i) player.step();
  const std::size_t waiting = state.waiting_bytes();
  EXPECT_GT(waiting, before + 100'000);
  player.tick();
  EXPECT_LE(state.waiting_bytes(), waiting);
}

Status put(State& state, const std::string& id) {
  const std::vector<std::string> change = {R"({"op":"put_item","item":{"id":")" + id + "\"}}"};
  return state.control(change, Time{});
}

TEST(State, AChangeLeavesACatalogThatOthersReadAsItWas) {
  State state;
  ASSERT_TRUE(put(state, "a").ok());
  const auto held = state.catalog();
  ASSERT_TRUE(put(state, "b").ok());
  EXPECT_EQ(held->items().size(), 1u);
  EXPECT_EQ(state.catalog()->items().size(), 2u);
}

TEST(State, AChangeLeavesThePublishedCatalogUntilTheNextTick) {
  State state;
  ASSERT_TRUE(put(state, "a").ok());
  state.tick(1, Time{});
  const auto published = state.published();
  ASSERT_TRUE(put(state, "b").ok());
  ASSERT_TRUE(put(state, "c").ok());
  EXPECT_EQ(published->catalog->items().size(), 1u);
  EXPECT_EQ(published->popular.size(), 1u);
  state.tick(2, Time{});
  EXPECT_EQ(published->catalog->items().size(), 1u);
  EXPECT_EQ(state.published()->catalog->items().size(), 3u);
  EXPECT_EQ(state.published()->popular.size(), 3u);
}

// As a replay does it, where a copy for each record would take time by items squared.
TEST(State, ManyChangesBetweenTicksChangeOneCatalog) {
  State state;
  ASSERT_TRUE(put(state, "first").ok());
  const Catalog* const one = state.catalog().get();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(put(state, std::to_string(i)).ok());
  EXPECT_EQ(state.catalog().get(), one);
  EXPECT_EQ(one->items().size(), 1001u);
}

TEST(State, ARefusedChangeChangesNothing) {
  State state;
  ASSERT_TRUE(put(state, "a").ok());
  ASSERT_TRUE(put(state, "b").ok());
  EXPECT_FALSE(put(state, "").ok());
  EXPECT_EQ(state.catalog()->items().size(), 2u);
}

}  // namespace
}  // namespace attune
