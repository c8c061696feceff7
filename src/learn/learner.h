// Learner: the fold that joins shown items to what came of them and teaches the model. Fed at
// ticks, in journal order, on one thread.
#pragma once
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "learn/drift_watch.h"
#include "learn/late_answers.h"
#include "learn/outcome_join.h"
#include "learn/outcome_sink.h"
#include "model/ftrl.h"
#include "stat/metrics.h"

namespace attune {

struct PolicyCount {
  std::uint64_t impressions = 0;  // counted when seen
  std::uint64_t clicks = 0;       // shown items engaged with inside their window
};
using PolicyCounts = std::array<PolicyCount, 4>;  // by Policy

inline constexpr std::size_t kPendingBytes = 64u << 20;

// False of a row that is counted but teaches nothing: of somebody who answers nearly everything.
bool is_teacher(Row row);

class Learner {
 public:
  // max_pending_bytes: of decisions that wait. A constant of the workspace, not of the process:
  // what is learned depends on it.
  explicit Learner(const FtrlOptions& options = {}, std::size_t max_pending_bytes = kPendingBytes)
      : model_(options), join_(max_pending_bytes) {}
  // Rows of every policy are learned from. A second decision of the same id is ignored. While more
  // waits than may, the windows that would end first end now.
  void on_decision(const Waiting& decision, Surrogate identity, Position at);
  void on_decision(const Decision& decision, Surrogate identity, Position at) {
    on_decision(Waiting::of(decision), identity, at);
  }
  // Engagements are learned at once, impressions noted, all else ignored.
  void on_event(const Deed& deed, std::span<const Surrogate> person);
  void on_event(const Event& event, std::span<const Surrogate> person) {
    on_event(Deed::of(event), person);
  }
  // Windows that ended before `now` become negatives, in order of decision.
  void on_tick(Time now);
  // From here on its predictions are watched for drift, or no longer; what was seen is forgotten
  // when that changes.
  void watch_drift(bool is_watched);
  // Who hears of each outcome from here on, null = nobody; no part of the state.
  void tell(OutcomeSink* sink) { sink_ = sink; }
  // Erased or refusing: what waits of this identity is dropped unlearned. Weights and counts stay.
  void forget(Surrogate identity) { join_.forget(identity); }

  std::uint64_t updates() const { return updates_; }
  const ProgressiveMetrics& progressive() const { return progressive_; }
  const PolicyCounts& policies() const { return policies_; }
  const PolicyCount& policy(Policy p) const { return policies_[static_cast<std::size_t>(p)]; }
  bool is_watched() const { return is_watched_; }
  const DriftWatch& drift() const { return drift_; }
  const Ftrl& model() const { return model_; }
  std::size_t pending() const { return join_.pending(); }
  // Of engagements where provisional negatives are given, the share that came after them.
  double late_share() const { return late_.share(); }
  // Decisions whose window ended early, for want of memory.
  std::uint64_t closed_early() const { return join_.closed_early(); }
  std::size_t model_bytes() const { return model_.memory_bytes(); }
  std::size_t pending_bytes() const { return join_.memory_bytes(); }

  // Canonical and complete: continuing after decode equals never having stopped.
  // What waits of persons may be sealed (outcome_join.h).
  void encode(std::string& out, const SealRow& seal_row = nullptr) const;
  static Result<Learner> decode(std::string_view bytes, const OpenRow& open = nullptr);

 private:
  PolicyCount& count(Policy p) { return policies_[static_cast<std::size_t>(p)]; }
  void learn(const Outcome& outcome);

  Ftrl model_;
  OutcomeJoin join_;
  LateAnswers late_;
  ProgressiveMetrics progressive_;
  PolicyCounts policies_{};
  std::uint64_t updates_ = 0;
  bool is_watched_ = false;
  DriftWatch drift_;
  OutcomeSink* sink_ = nullptr;
};

}  // namespace attune
