#include "learn/stream_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/bytes.h"

namespace attune {
namespace {

constexpr double kClearlyWorse = 0.02;  // of the log loss; noise that is learned costs less

// By far more than chance: one alarm among many windows must not be one too many.
bool is_clearly_worse(const PairedLoss& pair) {
  const auto range = pair.interval();
  if (!range) return false;
  const double least = range->low - (range->high - range->low) / 2;
  return least > 0 && *pair.difference() > kClearlyWorse * *pair.other_log_loss();
}

}  // namespace

std::size_t StreamBlock::bytes() const {
  return rows.features.size() * (sizeof(Feature) + sizeof(std::uint16_t)) + rows.size() * 20;
}

void StreamMeasures::encode(std::string& out) const {
  Writer w(out);
  std::string part;
  progressive.encode(part);
  w.str(part);
  for (const PairedLoss* const pair : {&beside_live, &beside_registered, &beside_champion}) {
    part.clear();
    pair->encode(part);
    w.str(part);
  }
}

Result<StreamMeasures> StreamMeasures::decode(std::string_view bytes) {
  Reader r(bytes);
  StreamMeasures out;
  const std::string_view progressive = r.str();
  const std::array pairs = {&out.beside_live, &out.beside_registered, &out.beside_champion};
  for (PairedLoss* const pair : pairs) {
    TRY(*pair, PairedLoss::decode(r.str()));
  }
  if (!r.ok() || !r.done()) return Error{Code::kCorrupt, "measures of a model are cut short"};
  TRY(out.progressive, ProgressiveMetrics::decode(progressive));
  return out;
}

Status StreamModel::learn_from(const Open& open) {
  if (registered_->learns_at_end()) {
    return Error{
        Code::kInvalid,
        fmt::format("kind {} learns from all rows at once, not from a stream", registered_->kind()),
        "kind", "train with --kind ftrl, fm, fwfm, ffm, deepfm, dcnv2 or another network"};
  }
  for (Twin& twin : twins_) {
    TRY(twin.model, open());
  }
  has_twins_ = true;
  return ok_status();
}

// The twin to learn next: the newest, while nobody has it, for it has missed the least.
std::optional<std::size_t> StreamModel::free_twin() const {
  for (const std::size_t i : {newest_, 1 - newest_}) {
    if (twins_[i].loans->load(std::memory_order_acquire) == 0) return i;
  }
  return std::nullopt;
}

// Each block in a call of its own, so that mini-batches are the same for both.
void StreamModel::apply(Twin& twin, std::uint64_t until) {
  for (; twin.applied < until; ++twin.applied) {
    const Examples& rows = missed_[twin.applied - first_missed_]->rows;
    ignored_.resize(rows.size());
    twin.model->learn(rows, ignored_);
  }
}

void StreamModel::drop_applied() {
  const std::uint64_t by_both = std::min(twins_[0].applied, twins_[1].applied);
  for (; first_missed_ < by_both; ++first_missed_) {
    missed_bytes_ -= missed_.front()->bytes();
    missed_.pop_front();
  }
}

// Somebody has held the other for so long that to copy the newest costs less than what it missed.
void StreamModel::renew_lagging() {
  const Twin& ahead = twins_[newest_];
  Twin& behind = twins_[1 - newest_];
  if (missed_bytes_ < kMostMissedBytes || behind.applied == ahead.applied) return;
  std::string bytes;
  ahead.model->encode(bytes);
  auto copy = decode_model(bytes);
  if (!copy.ok()) return;  // what it lacks is learned later instead
  behind = {std::move(copy).value(), ahead.applied};
  drop_applied();
}

bool StreamModel::catch_up() {
  std::optional<std::size_t> twin;
  {
    const std::scoped_lock lock(mutex_);
    twin = free_twin();
    written_ = twin;
  }
  const std::uint64_t end = first_missed_ + missed_.size();
  if (twin) apply(twins_[*twin], end);
  {
    const std::scoped_lock lock(mutex_);
    written_.reset();
    if (twin) newest_ = *twin;
  }
  drop_applied();
  renew_lagging();
  return twins_[newest_].applied == end;
}

std::size_t StreamModel::waiting() const {
  return has_twins_ ? first_missed_ + missed_.size() - twins_[newest_].applied : 0;
}

std::span<const float> StreamModel::take(const std::shared_ptr<const StreamBlock>& block,
                                         std::span<const float> champion) {
  before_.resize(block->rows.size());
  if (!has_twins_) {
    registered_->predict(block->rows, before_);
    measure(*block, champion);
    return before_;
  }
  (void)catch_up();  // else it is predicted by fewer rows than there were
  twins_[newest_].model->predict(block->rows, before_);
  missed_.push_back(block);
  missed_bytes_ += block->bytes();
  (void)catch_up();
  measure(*block, champion);
  guard(*block);
  return before_;
}

void StreamModel::measure(const StreamBlock& block, std::span<const float> champion) {
  for (std::size_t r = 0; r < before_.size(); ++r) {
    if (block.is_counted[r] == 0) continue;
    const bool label = block.rows.labels[r] > 0.5F;
    measures.progressive.add(before_[r], label);
    measures.beside_live.add(before_[r], block.live[r], label);
    if (!champion.empty()) measures.beside_champion.add(before_[r], champion[r], label);
  }
}

void StreamModel::guard(const StreamBlock& block) {
  as_registered_.resize(before_.size());
  registered_->predict(block.rows, as_registered_);
  for (std::size_t r = 0; r < before_.size(); ++r) {
    if (!std::isfinite(before_[r])) fault_ = "a prediction was no number";
    if (block.is_counted[r] == 0) continue;
    const bool label = block.rows.labels[r] > 0.5F;
    measures.beside_registered.add(before_[r], as_registered_[r], label);
    lately_.add(before_[r], as_registered_[r], label);
  }
  if (!std::isfinite(twins_[newest_].model->bias())) fault_ = "its bias was no number";
  if (lately_.n() < kGuardRows) return;
  if (is_clearly_worse(lately_)) {
    fault_ = fmt::format("log loss {:.4f} on its latest {} rows, {:.4f} as it was registered",
                         *lately_.log_loss(), lately_.n(), *lately_.other_log_loss());
  }
  lately_ = {};
}

const Model* StreamModel::newest() const {
  return has_twins_ ? twins_[newest_].model.get() : nullptr;
}

std::shared_ptr<const Model> StreamModel::serving() {
  const std::scoped_lock lock(mutex_);
  if (!has_twins_) return nullptr;
  Twin& twin = twins_[newest_];
  if (auto lent = lent_.lock(); lent && (lent == twin.model || written_ == newest_)) return lent;
  if (written_ == newest_) return nullptr;
  twin.loans->fetch_add(1, std::memory_order_relaxed);
  std::shared_ptr<const Model> lent(twin.model.get(),
                                    [loans = twin.loans, keep = twin.model](const Model*) {
                                      loans->fetch_sub(1, std::memory_order_release);
                                    });
  lent_ = lent;
  return lent;
}

}  // namespace attune
