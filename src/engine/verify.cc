// Replay against live: rebuilds every fold from base and journal, compares one hash per fold, and
// computes the feature rows of every decision again.
#include <deque>
#include <filesystem>

#include "base/bytes.h"
#include "engine/workspace.h"

namespace attune {
namespace {

constexpr std::size_t kVersionsKept = 64;  // published ones a decision may still have read

// Follows a replay and compares the rows of its decisions.
class RowCheck {
 public:
  RowCheck(State& state, VerifyReport& report) : state_(state), report_(report) {}

  Status operator()(Position at, Surrogate who, const Decision& decision) {
    if (at <= state_.across_from()) return ok_status();  // what was published then is not known
    remember(state_.published());
    (void)who;
    report_.rows_raced += decision.shown.size();
    return ok_status();
  }
  // At every tick and start, so that no version is missed.
  void remember(const std::shared_ptr<const Published>& published) {
    if (!versions_.empty() && versions_.back() == published) return;
    versions_.push_back(published);
    if (versions_.size() > kVersionsKept) versions_.pop_front();
  }

 private:
  std::shared_ptr<const Published> find(std::uint64_t version) const {
    for (auto it = versions_.rbegin(); it != versions_.rend(); ++it) {
      if ((*it)->version == version) return *it;
    }
    return nullptr;
  }

  State& state_;
  VerifyReport& report_;
  std::deque<std::shared_ptr<const Published>> versions_;
};

}  // namespace

Result<VerifyReport> Workspace::verify(int shards) {
  const std::scoped_lock lock(checkpoint_mutex_);
  VerifyReport report;
  Position end = 0;
  const auto open = [this](Surrogate who, std::string_view bytes) {
    return unseal(who, bytes).value_or("");
  };
  {
    const std::scoped_lock state_lock(mutex_);
    TRY_OK(tick_locked(now_locked()));
    end = journal_->end();
    TRY(report.live, state_.hashes(store_.get(), open));
  }
  TRY_OK(journal_->flush());
  std::unique_ptr<ProfileStore> base;
  if (std::filesystem::exists(path("base.db"))) {
    TRY(base, open_sqlite_store(path("base.db")));
  }
  const ProfileCache::Load load = [&](Surrogate identity) -> Result<std::string> {
    TRY(const std::string bytes, base->load(identity));
    return open(identity, bytes);
  };
  State rebuilt({.shards = shards, .denied_by_default = options_.denied_by_default},
                base ? load : ProfileCache::Load());
  if (base) TRY_OK(load_base(*base, rebuilt));
  RowCheck check(rebuilt, report);
  ReplayHooks hooks;
  hooks.decision = [&](Position at, Surrogate who, const Decision& decision) {
    return check(at, who, decision);
  };
  hooks.published = [&] { check.remember(rebuilt.published()); };
  TRY(const Position last,
      replay(*journal_, *keyring_, base ? base->position() + 1 : 1, end, rebuilt, hooks));
  (void)last;
  TRY(report.rebuilt, rebuilt.hashes(base.get(), open));
  report.is_equal = report.live == report.rebuilt;
  return report;
}

Status Workspace::load_base(ProfileStore& base, State& state) {
  const auto open = [this](Surrogate who, std::string_view bytes) { return unseal(who, bytes); };
  TRY_OK(load_folds(base, FoldPart::kAll, open, state.folds()));
  TRY(const std::string across, base.load_fold("across"));
  state.set_across_from(Reader(across).u64());
  return ok_status();
}

}  // namespace attune
