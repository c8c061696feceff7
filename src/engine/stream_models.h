// StreamModels: the registered models that follow the stream of outcomes: those that learn from it,
// challengers, and what is promoted beside them. They have a thread of their own; decisions read
// what it last published. Their state is stored with each checkpoint and is as of a tick, so that
// a start goes on from there with the outcomes the journal gives again.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "learn/outcome_sink.h"
#include "learn/stream_model.h"

namespace attune {

class StreamModels final : public OutcomeSink {
 public:
  struct Options {
    std::string folder;  // of what is stored, made when needed
    // As registered; null: it cannot rank by the plan of this catalog.
    std::function<std::shared_ptr<const Model>(const ModelVersion&, const Catalog&)> registered;
    std::function<std::string(const ModelVersion&)> path_of;  // of its file
    // What is stored must not be ahead of the journal.
    std::function<Status()> flush_journal;
    Log* log = nullptr;
  };
  explicit StreamModels(Options options);
  ~StreamModels() override;
  StreamModels(const StreamModels&) = delete;
  StreamModels& operator=(const StreamModels&) = delete;

  // Outcomes of a tick, in order, then its end. One thread's. While it is patient, end_tick() waits
  // for room (a start reads the journal faster than models learn); else rows beyond kMostQueued are
  // left out and counted.
  void add(const Outcome& outcome, double weight, double live) override;
  void end_tick(std::uint64_t tick, const std::shared_ptr<const Catalog>& catalog);
  void set_patient(bool is_patient) { is_patient_ = is_patient; }

  struct Serving {
    std::shared_ptr<const Model> model;  // null: it does not learn, or not yet
    std::uint64_t tick = 0;              // it has learned until
  };
  Serving serving(const std::string& name, std::uint32_t version);
  std::uint64_t revision() const { return revision_; }  // changes when serving() may
  // Those that must learn no further, once each.
  struct Fault {
    std::string name, reason;
    std::uint32_t version = 0;
  };
  std::vector<Fault> take_faults();
  // Learns from all there is and stores it. kUnavailable: it did not come so far in a minute.
  Status store();
  // As it was stored last, which is now; a model of its own. kConflict: it does not learn, or
  // nothing yet.
  struct Learned {
    std::unique_ptr<Model> model;
    std::uint64_t tick = 0;
    StreamMeasures measures;
  };
  Result<Learned> learned(const std::string& name, std::uint32_t version);
  // [{"name","version","is_learning","rows","until_tick",...measures}].
  // name: of one model; "" = of all.
  void write(JsonWriter& json, std::string_view name = "") const;
  std::size_t memory_bytes() const;  // of models that learn
  std::uint64_t skipped_rows() const { return skipped_; }

  static constexpr std::size_t kMostQueuedBytes = 64u << 20;
  static constexpr std::size_t kBlockRows = 1024;
  static constexpr std::size_t kMostFollowed = 16;

 private:
  struct Step {
    std::uint64_t tick = 0;
    std::shared_ptr<const Catalog> catalog;  // null: as before
    std::vector<std::shared_ptr<const StreamBlock>> blocks;
    std::size_t bytes = 0;
  };
  struct Wanted {
    std::string name;
    ModelVersion version;
    bool is_learning = false, is_champion = false, is_challenger = false;
  };
  struct Followed {
    Wanted what;
    std::unique_ptr<StreamModel> model;
    std::uint64_t until = 0;   // tick
    std::uint64_t stored = 0;  // rows measured when it was stored last
    bool is_fault_said = false;
  };
  using Key = std::pair<std::string, std::uint32_t>;

  static std::vector<Wanted> wanted_of(const Catalog& catalog);
  void close_block();
  void run(const std::stop_token& stop);
  void take(const Step& step);
  void retry();
  void follow(const Catalog& catalog);
  Followed begin(const Wanted& wanted, const std::shared_ptr<const Model>& registered) const;
  Status load(const std::string& path, Followed& into) const;
  void learn(const std::shared_ptr<const StreamBlock>& block, std::uint64_t tick);
  Status store_all();
  Status store_one(const std::string& path, Followed& one) const;
  std::string path_of(const Key& key) const;

  const Options options_;
  // Of the thread that adds.
  std::shared_ptr<StreamBlock> block_;
  Step step_;
  std::shared_ptr<const Catalog> catalog_;
  bool is_following_ = false, is_patient_ = false;

  mutable std::mutex models_mutex_;  // held while models learn; serving() does not take it
  std::map<Key, Followed> models_;
  mutable std::mutex mutex_;  // what follows
  std::map<Key, StreamModel*> served_;
  std::map<Key, std::uint64_t> served_until_;
  std::deque<Step> queue_;
  std::size_t queued_bytes_ = 0;
  std::uint64_t given_ = 0, taken_ = 0;                               // steps
  std::uint64_t store_asked_ = 0, store_done_ = 0, store_after_ = 0;  // the last of given_
  Status stored_ = ok_status();
  std::vector<Fault> faults_;
  std::condition_variable_any changed_;
  std::atomic<std::uint64_t> revision_{0}, skipped_{0};
  bool is_retrying_ = false;  // of the thread: a model waits for others to let go of it
  std::jthread thread_;
};

}  // namespace attune
