#include "engine/outcomes.h"

#include "engine/outcome_reader.h"
#include "learn/learner.h"
#include "learn/verb_join.h"

namespace attune {
namespace {

// An item is engaged with, at once, or not.
class Engagements final : public OutcomeReader {
 public:
  explicit Engagements(NameSink names) : OutcomeReader(std::move(names)), join_(kPendingBytes) {}

 private:
  void restart() override { join_ = OutcomeJoin(kPendingBytes); }

  void on_decision(const Waiting& decision, Surrogate identity, Position at, Time when) override {
    if (join_.add(decision, identity, at)) note(join_.close_to_limit(), when);
  }

  void on_deed(const Deed& deed, std::span<const Surrogate> person, Time when) override {
    if (deed.verb == Verb::kImpression) {
      (void)join_.impress(deed, person);
    } else if (is_engagement(deed.verb)) {
      if (auto outcome = join_.engage(deed, person)) take(std::move(*outcome), when);
    }
  }

  void on_tick(Time now) override { note(join_.close(now), now); }
  void on_gone(Surrogate identity) override { join_.forget(identity); }

  void note(std::vector<Outcome> outcomes, Time when) {
    for (Outcome& outcome : outcomes) take(std::move(outcome), when);
  }
  void take(Outcome outcome, Time when) {
    give({std::move(outcome.row), {outcome.label ? 1.0F : 0.0F}, when});
  }

  OutcomeJoin join_;
};

// Each verb happens to an item until its window ends, or not.
class VerbOutcomes final : public OutcomeReader {
 public:
  VerbOutcomes(std::vector<Verb> verbs, NameSink names)
      : OutcomeReader(std::move(names)), verbs_(std::move(verbs)), join_(kVerbBytes) {}
  std::uint64_t open_items() const override { return join_.open_items(); }
  std::uint64_t one_in() const override { return join_.one_in(); }

 private:
  void restart() override { join_ = VerbJoin(kVerbBytes); }
  void on_decision(const Waiting& decision, Surrogate identity, Position at, Time) override {
    join_.add(decision, identity, at);
  }
  void on_deed(const Deed& deed, std::span<const Surrogate> person, Time) override {
    join_.note(deed, person);
  }
  void on_gone(Surrogate identity) override { join_.forget(identity); }

  void on_tick(Time now) override {
    for (VerbRow& one : join_.close(now)) {
      Known known{std::move(one.row), {}, now};
      for (const Verb verb : verbs_) {
        known.labels.push_back(one.happened[static_cast<std::size_t>(verb)] ? 1.0F : 0.0F);
      }
      give(std::move(known));
    }
  }

  const std::vector<Verb> verbs_;
  VerbJoin join_;
};

template <class Reader>
Result<std::unique_ptr<OutcomeSource>> opened(std::unique_ptr<Reader> reader,
                                              const std::string& workspace) {
  TRY_OK(reader->open(workspace));
  return std::unique_ptr<OutcomeSource>(std::move(reader));
}

}  // namespace

Result<std::unique_ptr<OutcomeSource>> open_outcomes(const std::string& workspace,
                                                     const NameSink& names) {
  return opened(std::make_unique<Engagements>(names), workspace);
}

Result<std::unique_ptr<OutcomeSource>> open_verb_outcomes(const std::string& workspace,
                                                          const std::vector<Verb>& verbs,
                                                          const NameSink& names) {
  CHECK(!verbs.empty());
  return opened(std::make_unique<VerbOutcomes>(verbs, names), workspace);
}

}  // namespace attune
