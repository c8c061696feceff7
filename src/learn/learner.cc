#include "learn/learner.h"

#include <algorithm>

#include "base/bytes.h"
#include "feature/row.h"
#include "model/sealed.h"
#include "profile/profile.h"

namespace attune {
namespace {
constexpr std::string_view kMagic = "ALRN";
constexpr double kTeachesUpTo = 1.5;
// 2: packed rows, sealed; a limit in bytes; 3: drift; 4: provisional negatives
constexpr std::uint32_t kVersion = 4;
}  // namespace

// Whoever answers nearly everything (beyond 4.5 times the odds expected) is no model for others:
// such rows are predicted and counted, but teach the shared weights nothing.
bool is_teacher(Row row) {
  return std::none_of(row.begin(), row.end(), [](const Feature& f) {
    return f.value > kTeachesUpTo && is_activity(f.hash);
  });
}

// Counted once for each row: with what was predicted before anything was learned of it.
void Learner::learn(const Outcome& outcome) {
  if (outcome.row.empty()) return;  // nothing was predicted from
  const bool is_taught = is_teacher(outcome.row);
  if (outcome.may_be_late) late_.add(outcome.before.has_value());
  const bool is_known = !outcome.label && outcome.before;  // learned from when it was provisional
  const double p = model_.predict(outcome.row);
  double weight = is_taught && !is_known ? 1 : 0;
  if (outcome.is_provisional || outcome.may_be_late) weight *= late_.weight(p, outcome.label);
  if (sink_ != nullptr) sink_->add(outcome, weight, p);
  if (weight > 0) model_.learn_from(outcome.row, weight * (p - (outcome.label ? 1 : 0)));
  updates_ += is_known ? 0 : 1;
  if (outcome.is_provisional) return join_.keep(outcome, p);
  const double before = outcome.before ? double{*outcome.before} : p;
  progressive_.add(before, outcome.label);
  if (is_taught && is_watched_) drift_.add(outcome.end, before, outcome.label);
}

void Learner::on_decision(const Waiting& decision, Surrogate identity, Position at) {
  if (static_cast<std::size_t>(decision.policy) >= policies_.size()) return;
  if (!join_.add(decision, identity, at)) return;
  if (decision.is_impression_served) count(decision.policy).impressions += decision.rows.size();
  for (const Outcome& outcome : join_.close_to_limit()) learn(outcome);
}

void Learner::on_event(const Deed& deed, std::span<const Surrogate> person) {
  if (deed.verb == Verb::kImpression) {
    if (const auto seen = join_.impress(deed, person)) ++count(*seen).impressions;
    return;
  }
  if (!is_engagement(deed.verb)) return;
  const auto outcome = join_.engage(deed, person);
  if (!outcome) return;
  PolicyCount& counts = count(outcome->policy);
  counts.impressions += outcome->is_new_impression ? 1 : 0;
  ++counts.clicks;
  learn(*outcome);
}

void Learner::on_tick(Time now) {
  for (const Outcome& outcome : join_.close(now)) learn(outcome);
  if (is_watched_) drift_.close(now);
}

void Learner::watch_drift(bool is_watched) {
  if (is_watched != is_watched_) drift_ = {};
  is_watched_ = is_watched;
}

void Learner::encode(std::string& out, const SealRow& seal_row) const {
  std::string body, part;
  Writer w(body);
  model_.encode(part);
  w.str(part);
  part.clear();
  progressive_.encode(part);
  w.str(part);
  part.clear();
  join_.encode(part, seal_row);
  w.str(part);
  part = {};  // it may be long
  for (const PolicyCount& p : policies_) {
    w.varint(p.impressions);
    w.varint(p.clicks);
  }
  w.varint(updates_);
  w.u8(is_watched_ ? 1 : 0);
  part.clear();
  drift_.encode(part);
  w.str(part);
  w.f64(late_.late());
  w.f64(late_.all());
  seal(kMagic, kVersion, body, out);
}

Result<Learner> Learner::decode(std::string_view bytes, const OpenRow& open) {
  const std::uint32_t version = Reader(bytes.substr(std::min(bytes.size(), kMagic.size()))).u32();
  TRY(const std::string_view body,
      unseal(kMagic, version == 2 || version == 3 ? version : kVersion, bytes));
  Reader r(body);
  const std::string_view model = r.str(), progressive = r.str(), join = r.str();
  PolicyCounts policies;
  for (PolicyCount& p : policies) {
    p.impressions = r.varint();
    p.clicks = r.varint();
  }
  const std::uint64_t updates = r.varint();
  const bool is_watched = version > 2 && r.u8() == 1;
  const std::string_view drift = version > 2 ? r.str() : std::string_view();
  const double late = version > 3 ? r.f64() : 0, all = version > 3 ? r.f64() : 0;
  if (!r.ok() || !r.done() || !(late >= 0 && late <= all && all < 1e6)) {
    return Error{Code::kCorrupt, "ALRN: the learner is cut short"};
  }
  Learner learner(FtrlOptions{.bits = 8}, 0);
  TRY(learner.model_, Ftrl::decode(model));
  TRY(learner.progressive_, ProgressiveMetrics::decode(progressive));
  TRY(learner.join_, OutcomeJoin::decode(join, open, version > 3));
  learner.late_ = LateAnswers::of(late, all);
  if (version > 2) {
    TRY(learner.drift_, DriftWatch::decode(drift));
  }
  learner.is_watched_ = is_watched;
  learner.policies_ = policies;
  learner.updates_ = updates;
  return learner;
}

}  // namespace attune
