// RowCheck: are the rows that decisions hold the rows their inputs make? Fed by a replay, at each
// decision record, with the state right before it: live, a decision is recorded only while what it
// was made of still stands. One thread.
#pragma once
#include "engine/engine.h"
#include "engine/state.h"
#include "journal/keyring.h"

namespace attune {

class RowCheck {
 public:
  explicit RowCheck(const Keyring& keyring) : keyring_(keyring) {}
  // state: the identity is loaded.
  void check(Position at, Surrogate identity, const Decision& made, State& state);
  const RowReport& report() const { return report_; }

 private:
  bool is_comparable(Position at, Surrogate identity, const Decision& made, State& state) const;

  const Keyring& keyring_;
  RowReport report_;
};

}  // namespace attune
