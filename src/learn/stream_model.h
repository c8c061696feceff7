// StreamModel: a model that follows the outcomes of shown items as they come. Each block of rows is
// first predicted, which measures it, and then, if it learns, learned from. What serves meanwhile
// is never written to: of two twins one is read while the other learns what it has missed, so that
// nothing is copied and nobody waits. One thread's, except serving().
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/model.h"
#include "stat/metrics.h"
#include "stat/paired_loss.h"

namespace attune {

// Rows of outcomes, in order, and what was predicted of them elsewhere.
struct StreamBlock {
  Examples rows;                         // weight 0: it is measured, and teaches nothing
  std::vector<float> live;               // by the live learner, before it learned from the row
  std::vector<std::uint8_t> is_counted;  // 0: learned from, and not measured
  std::size_t bytes() const;
};

// How good it was on rows it had not learned from.
struct StreamMeasures {
  ProgressiveMetrics progressive;
  PairedLoss beside_live;        // the live learner
  PairedLoss beside_registered;  // itself as it is in its file; of one that learns
  PairedLoss beside_champion;    // what is promoted; of a challenger
  void encode(std::string& out) const;
  static Result<StreamMeasures> decode(std::string_view bytes);
};

class StreamModel {
 public:
  // Opens the state it begins with, each time a model of its own; called twice, by learn_from().
  using Open = std::function<Result<std::unique_ptr<Model>>()>;

  explicit StreamModel(std::shared_ptr<const Model> registered)
      : registered_(std::move(registered)) {}
  // From here on it learns. kInvalid: its kind learns at the end only.
  Status learn_from(const Open& open);
  bool is_learning() const { return has_twins_; }

  // What it says of each row before it learns from the block; valid until the next call. champion:
  // what the promoted version says, or empty.
  std::span<const float> take(const std::shared_ptr<const StreamBlock>& block,
                              std::span<const float> champion);

  // The newest state that is whole; null of one that does not learn, or not yet. It does not change
  // while it is held; what is asked for then is learned later, when both twins are held. Any
  // thread.
  std::shared_ptr<const Model> serving();
  // Blocks that could not be learned from yet, as both twins are held.
  std::size_t waiting() const;
  bool catch_up();  // learns from those, as far as it can; false: some wait
  // To be written; null as serving() has it. Valid until the next take().
  const Model* newest() const;

  // Why it must learn no further: a prediction that is no number, or clearly worse, by the latest
  // rows, than as it was registered. "" = it is well.
  const std::string& fault() const { return fault_; }
  StreamMeasures measures;

 private:
  // One of two that learn the same blocks in the same order, and so are equal in the end.
  struct Twin {
    std::shared_ptr<Model> model;
    std::uint64_t applied = 0;  // blocks
    // Loans of it that have not ended; one may end after the next began.
    std::shared_ptr<std::atomic<int>> loans = std::make_shared<std::atomic<int>>(0);
  };
  static constexpr std::uint64_t kGuardRows = 4096;
  static constexpr std::size_t kMostMissedBytes = 64u << 20;

  std::optional<std::size_t> free_twin() const;
  void apply(Twin& twin, std::uint64_t until);
  void drop_applied();
  void renew_lagging();
  void measure(const StreamBlock& block, std::span<const float> champion);
  void guard(const StreamBlock& block);

  const std::shared_ptr<const Model> registered_;
  bool has_twins_ = false;
  std::array<Twin, 2> twins_;
  std::size_t newest_ = 0;
  std::deque<std::shared_ptr<const StreamBlock>> missed_;  // by a twin at least
  std::uint64_t first_missed_ = 0;
  std::size_t missed_bytes_ = 0;
  std::vector<float> before_, as_registered_, ignored_;
  PairedLoss lately_;  // beside registered, of the latest kGuardRows
  std::string fault_;
  mutable std::mutex mutex_;  // what follows, and which twin is written to
  std::optional<std::size_t> written_;
  std::weak_ptr<const Model> lent_;
};

}  // namespace attune
