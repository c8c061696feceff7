// OutcomeReader: a workspace's decisions and events out of its files, for whoever joins them to
// labelled rows: what identities are one person, who refuses, what was erased or undone is seen to
// here. One thread.
#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cow_map.h"
#include "engine/imports.h"
#include "engine/setup.h"
#include "format/example_reader.h"
#include "journal/journal.h"
#include "journal/keyring.h"
#include "learn/outcome_join.h"
#include "learn/outcome_source.h"
#include "profile/graph.h"
#include "profile/store.h"

namespace attune {

class OutcomeReader : public OutcomeSource {
 public:
  // names: told those of the features of each decision, in the first pass.
  explicit OutcomeReader(NameSink names) : names_(std::move(names)) {}
  Status open(const std::string& workspace);
  Status begin(std::size_t pass) override;
  Result<bool> next(Examples& out) override;
  double share() const override;
  std::span<const Time> times() const override { return times_; }

 protected:
  struct Known {
    std::vector<Feature> row;
    std::vector<float> labels;  // of each task
    Time when{};
  };
  void give(Known known) { waiting_.push_back(std::move(known)); }

 private:
  // What joins them, in journal order; when: it was received.
  virtual void restart() = 0;
  virtual void on_decision(const Waiting& decision, Surrogate identity, Position at, Time when) = 0;
  virtual void on_deed(const Deed& deed, std::span<const Surrogate> person, Time when) = 0;
  virtual void on_tick(Time now) = 0;
  virtual void on_gone(Surrogate identity) = 0;  // erased, or refuses from here on

  Status load_base();
  bool is_undone(Position at) const;
  Status take(const StoredRecord& stored);
  void forget(Surrogate identity);
  Status take_sealed(const StoredRecord& stored);
  Status take_decision(const Decision& decision, const StoredRecord& stored);
  Status take_event(const Event& event, const Record& record);
  Result<std::optional<std::uint8_t>> said_by(Surrogate identity);
  Result<bool> is_refused(Surrogate identity);
  void append(const Known& known, Examples& out);

  const NameSink names_;
  std::unique_ptr<JournalReader> journal_;
  std::unique_ptr<const Keyring> keyring_;
  std::unique_ptr<ProfileStore> base_;  // null: the journal is whole
  IdentityGraph base_graph_, graph_;
  Setup base_setup_, setup_;
  Imports imports_;
  Position end_ = 0, at_ = 0;
  std::unique_ptr<JournalCursor> cursor_;
  CowMap<Surrogate, std::uint8_t> denied_;  // of everyone met so far
  std::deque<Known> waiting_;
  std::vector<Time> times_;
  bool is_first_pass_ = true;
};

}  // namespace attune
