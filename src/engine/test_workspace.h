// For tests of the engine: a folder, an engine on it, and the events they feed it.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <string>

#include "base/rng.h"
#include "engine/engine.h"

namespace attune {

inline constexpr std::int64_t kBeginUs = 1'767'225'600'000'000;
inline Time begin_time() { return time_from_us(kBeginUs); }

class TempFolder {
 public:
  TempFolder() {
    path_ = std::filesystem::temp_directory_path() / "attune-test-XXXXXX";
    CHECK(::mkdtemp(path_.data()) != nullptr);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  std::string workspace() const { return path("w"); }

 private:
  std::string path_;
};

// Nothing happens by itself: the test ticks and makes checkpoints.
inline EngineOptions still_options(const std::string& workspace, int shards = 1) {
  EngineOptions options;
  options.workspace = workspace;
  options.clock = Clock::kEvent;
  options.shards = shards;
  options.is_ticking = false;
  return options;
}

inline std::unique_ptr<Engine> open_engine(const EngineOptions& options) {
  auto engine = Engine::open(options);
  if (!engine.ok()) ADD_FAILURE() << engine.error().message;
  return engine.ok() ? std::move(engine).value() : nullptr;
}
inline std::unique_ptr<Engine> open_engine(const std::string& workspace, int shards = 1) {
  return open_engine(still_options(workspace, shards));
}

inline Result<IngestReport> ingest(Engine& engine, std::vector<Event> events) {
  std::promise<Result<IngestReport>> done;
  engine.ingest(std::move(events),
                [&](const Result<IngestReport>& report) { done.set_value(report); });
  return done.get_future().get();
}

inline Event click(const std::string& person, const std::string& item, Time time,
                   const std::string& id) {
  Event event;
  event.verb = Verb::kClick;
  event.type = "track";
  event.name = "click";
  event.message_id = id;
  event.user_id = person;
  event.item_id = item;
  event.time = time;
  event.properties = "{\"item_id\":\"" + item + "\"}";
  return event;
}

inline Event identify(const std::string& person, const std::string& traits, Time time,
                      const std::string& id) {
  Event event;
  event.verb = Verb::kIdentify;
  event.type = "identify";
  event.message_id = id;
  event.user_id = person;
  event.time = time;
  event.traits = traits;
  return event;
}

inline std::vector<std::string> items(int n) {
  std::vector<std::string> changes;
  for (int i = 0; i < n; ++i) {
    changes.push_back("{\"op\":\"put_item\",\"item\":{\"id\":\"i" + std::to_string(i) +
                      "\",\"category\":\"c" + std::to_string(i % 4) + "\"}}");
  }
  return changes;
}

inline DecideRequest feed_for(const std::string& person, int n = 3) {
  return {.person_id = person, .placement = "feed", .n = n, .candidates = {}};
}

inline std::string profile_bytes(Engine& engine, const std::string& person,
                                 IdType type = IdType::kUser) {
  std::string bytes;
  const auto profile = engine.profile_of(type, person);
  if (profile.ok()) profile->encode(bytes);
  return bytes;
}

inline std::vector<FoldHash> hashes_of(Engine& engine) {
  auto hashes = engine.fold_hashes();
  EXPECT_TRUE(hashes.ok());
  return hashes.ok() ? *hashes : std::vector<FoldHash>();
}

inline void expect_equal(const std::vector<FoldHash>& a, const std::vector<FoldHash>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].hash, b[i].hash) << a[i].fold;
}

}  // namespace attune
