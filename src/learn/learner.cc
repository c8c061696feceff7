#include "learn/learner.h"

#include "base/bytes.h"
#include "model/sealed.h"
#include "profile/profile.h"

namespace attune {
namespace {
constexpr std::string_view kMagic = "ALRN";
constexpr std::uint32_t kVersion = 2;  // 2: packed rows, sealed; a limit in bytes
}  // namespace

void Learner::learn(const Outcome& outcome) {
  if (outcome.row.empty()) return;  // nothing was predicted from
  progressive_.add(model_.learn(outcome.row, outcome.label), outcome.label);
  ++updates_;
}

void Learner::on_decision(const Decision& decision, Surrogate identity, Position at) {
  if (static_cast<std::size_t>(decision.policy) >= policies_.size()) return;
  if (!join_.add(decision, identity, at)) return;
  if (decision.is_impression_served) count(decision.policy).impressions += decision.shown.size();
  for (const Outcome& outcome : join_.close_to_limit()) learn(outcome);
}

void Learner::on_event(const Event& event, std::span<const Surrogate> person) {
  if (event.verb == Verb::kImpression) {
    if (const auto seen = join_.impress(event, person)) ++count(*seen).impressions;
    return;
  }
  if (!is_engagement(event.verb)) return;
  const auto outcome = join_.engage(event, person);
  if (!outcome) return;
  PolicyCount& counts = count(outcome->policy);
  counts.impressions += outcome->is_new_impression ? 1 : 0;
  ++counts.clicks;
  learn(*outcome);
}

void Learner::on_tick(Time now) {
  for (const Outcome& outcome : join_.close(now)) learn(outcome);
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
  seal(kMagic, kVersion, body, out);
}

Result<Learner> Learner::decode(std::string_view bytes, const OpenRow& open) {
  TRY(const std::string_view body, unseal(kMagic, kVersion, bytes));
  Reader r(body);
  const std::string_view model = r.str(), progressive = r.str(), join = r.str();
  PolicyCounts policies;
  for (PolicyCount& p : policies) {
    p.impressions = r.varint();
    p.clicks = r.varint();
  }
  const std::uint64_t updates = r.varint();
  if (!r.ok() || !r.done()) return Error{Code::kCorrupt, "ALRN: the learner is cut short"};
  Learner learner(FtrlOptions{.bits = 8}, 0);
  TRY(learner.model_, Ftrl::decode(model));
  TRY(learner.progressive_, ProgressiveMetrics::decode(progressive));
  TRY(learner.join_, OutcomeJoin::decode(join, open));
  learner.policies_ = policies;
  learner.updates_ = updates;
  return learner;
}

}  // namespace attune
