// What the engine says of itself.
#include "base/json.h"
#include "engine/workspace.h"

namespace attune {

EngineCounts Workspace::counts() const {
  const std::scoped_lock lock(mutex_);
  EngineCounts counts = counts_;
  counts.ticks = state_.tick_number();
  counts.identities = keyring_->size();
  counts.journal_bytes = journal_->bytes();
  counts.journal_records = journal_->end();
  counts.profiles = state_.resident_profiles();
  counts.updates = state_.learner().updates();
  const DriftWatch& drift = state_.learner().drift();
  counts.drift_alarms = drift.alarms();
  if (drift.last()) counts.drift_at = drift.last()->at;
  return counts;
}

// Under the lock, or before any other thread runs.
std::vector<MemoryPart> Workspace::memory_locked() const {
  const Folds& folds = state_.folds();
  return {{"keys", keyring_->memory_bytes()},
          {"message_ids", ids_->memory_bytes()},
          {"profiles", state_.profile_bytes()},
          {"identity_graph", folds.graph.memory_bytes()},
          {"catalog", folds.catalog->memory_bytes()},
          {"item_counters", folds.counters.items.memory_bytes()},
          {"item_item", folds.item_item.memory_bytes()},
          {"persons_alike", folds.persons_alike.memory_bytes()},
          {"model", folds.learner.model_bytes()},
          {"pending_decisions", folds.learner.pending_bytes()},
          {"waiting_for_tick", state_.waiting_bytes()},
          {"published", state_.published_bytes()}};
}

std::vector<MemoryPart> Workspace::memory() const {
  const std::scoped_lock lock(mutex_);
  return memory_locked();
}

std::string Workspace::learning_json() const {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("stream_models");
  stream_.write(json);  // not under the lock: it waits for a model that learns
  json.field("stream_rows_left_out", stream_.skipped_rows());
  const std::scoped_lock lock(mutex_);
  const Learner& learner = state_.learner();
  json.field("updates", learner.updates());
  json.key("progressive").raw(learner.progressive().json());
  json.key("drift");
  learner.drift().write(json);
  json.key("policies").begin_object();
  for (const Policy policy :
       {Policy::kLearned, Policy::kControl, Policy::kRandom, Policy::kFallback}) {
    const PolicyCount& count = learner.policy(policy);
    json.key(policy_name(policy)).begin_object().field("impressions", count.impressions);
    json.field("clicks", count.clicks).end_object();
  }
  json.end_object().end_object();
  return out;
}

Result<std::vector<FoldHash>> Workspace::fold_hashes() {
  const std::scoped_lock lock(checkpoint_mutex_, mutex_);
  return state_.hashes(store_.get(), [this](Surrogate who, std::string_view bytes) {
    return unseal(who, bytes).value_or("");
  });
}

}  // namespace attune
