// Placements tried on the persons of late: what they would show, without showing it.
#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_set>

#include "engine/workspace.h"

namespace attune {
namespace {

constexpr Position kFirstStretch = 16'384;  // records read back at first

// As far as the record tells: candidates that were given are known as shown and best not shown.
DecideRequest request_of(const Decision& made) {
  DecideRequest request;
  request.placement = made.placement;
  request.n = std::clamp(static_cast<int>(made.shown.size()), 1, 100);
  request.context = made.context;
  request.utc_offset_s = made.utc_offset_s;
  const bool is_given = std::any_of(made.shown.begin(), made.shown.end(),
                                    [](const auto& s) { return s.source == "request"; });
  if (!is_given) return request;
  for (const ShownItem& shown : made.shown) request.candidates.push_back(shown.item_id);
  for (const OtherItem& other : made.others) request.candidates.push_back(other.item_id);
  return request;
}

// What someone of whom nothing is known gets by each variant; the same for all who ask for as many.
class Globals {
 public:
  Result<Decision> get(std::size_t variant, const DecideRequest& request, const Occasion& on) {
    static const Profile kNobody;
    const auto key = std::pair(variant, request.n);
    if (const auto known = made_.find(key); known != made_.end() && request.candidates.empty()) {
      return known->second;
    }
    Rng rng(1);
    TRY(Decision made, attune::decide(request, {kNobody, false, 0}, on, rng, ""));
    if (request.candidates.empty()) made_.emplace(key, made);
    return made;
  }

 private:
  std::map<std::pair<std::size_t, int>, Decision> made_;
};

}  // namespace

// Of the placement's decisions from..to, oldest first.
Status Workspace::requests_between(const std::string& placement, Position from, Position to,
                                   std::vector<PastRequest>& out) {
  TRY(const auto cursor, journal_->read(from));
  while (true) {
    TRY(const auto stored, cursor->next());
    if (!stored || stored->position > to) return ok_status();
    const Record& record = stored->record;
    if (record.kind != Kind::kDecision || is_undone(stored->position)) continue;
    const auto payload = keyring_->open(record);
    if (!payload.ok() && payload.error().code == Code::kNotFound) continue;  // erased
    if (!payload.ok()) return payload.error();
    TRY(const Decision made, decode_decision(*payload));
    if (made.placement != placement || made.shown.empty()) continue;
    out.push_back({record.surrogate, request_of(made)});
  }
}

// The newest of each person, newest first; from the end backwards, in ever longer stretches.
Result<std::vector<Workspace::PastRequest>> Workspace::last_requests(const Trial& trial) {
  TRY_OK(journal_->flush());
  std::vector<PastRequest> out;
  std::unordered_set<std::uint64_t> known;
  const Position end = journal_->end();
  Position stretch = kFirstStretch;
  for (Position to = end; to >= journal_->first() && out.size() < trial.persons;) {
    if (end - to >= kTrialRecords) break;
    const Position from = std::max(journal_->first(), to > stretch ? to - stretch + 1 : 1);
    std::vector<PastRequest> found;
    TRY_OK(requests_between(trial.placement, from, to, found));
    for (auto at = found.rbegin(); at != found.rend() && out.size() < trial.persons; ++at) {
      if (known.insert(number_of(at->person)).second) out.push_back(std::move(*at));
    }
    to = from - 1;
    stretch *= 4;
  }
  return out;
}

Result<std::size_t> Workspace::try_placements(const Trial& trial, const UseTried& use) {
  TRY(const std::vector<PastRequest> requests, last_requests(trial));
  std::shared_ptr<const Published> published;
  std::size_t persons = 0;
  Globals globals;
  for (const PastRequest& past : requests) {
    std::unique_lock lock(mutex_);
    const auto basis = basis_of(past.person);
    lock.unlock();
    if (!basis.ok() && basis.error().code == Code::kNotFound) continue;  // erased this moment
    if (!basis.ok()) return basis.error();
    if (!published) published = basis->published;
    ++persons;
    for (std::size_t i = 0; i < trial.variants.size(); ++i) {
      Placement variant = trial.variants[i];
      variant.epsilon = 0;
      Rng rng(1);
      const Occasion on{variant, *published, basis->time};
      const Asker asker{basis->person, basis->person.position != 0, raw(basis->members.front())};
      TRY(const Decision made, attune::decide(past.request, asker, on, rng, ""));
      TRY(const Decision global, globals.get(i, past.request, on));
      use(i, made, global);
    }
  }
  return persons;
}

}  // namespace attune
