#include "learn/block_source.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/rng.h"
#include "base/team.h"

namespace attune {

Result<std::size_t> BlockSource::next_some(std::span<Examples> out, Team* /*team*/) {
  std::size_t blocks = 0;
  while (blocks < out.size()) {
    TRY(const bool has_rows, next(out[blocks]));
    if (!has_rows) break;
    ++blocks;
  }
  return blocks;
}

void append_row(const Examples& from, std::size_t row, Examples& to) {
  const Row features = from.row(row);
  const auto fields = from.fields_of(row);
  to.labels.push_back(from.labels[row]);
  for (std::size_t t = 1; t <= from.further(); ++t) to.further_labels.push_back(from.label(row, t));
  if (!from.weights.empty()) to.weights.push_back(from.weights[row]);
  if (!from.groups.empty()) to.groups.push_back(from.groups[row]);
  to.features.insert(to.features.end(), features.begin(), features.end());
  to.fields.insert(to.fields.end(), fields.begin(), fields.end());
  to.ends.push_back(static_cast<std::uint32_t>(to.features.size()));
}

std::vector<std::uint32_t> every_row(std::size_t n) {
  std::vector<std::uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

MemoryBlocks::MemoryBlocks(const Examples& examples, std::vector<std::uint32_t> rows)
    : examples_(examples), rows_(std::move(rows)) {}

MemoryBlocks& MemoryBlocks::shuffled(std::uint64_t seed) {
  seed_ = seed;
  is_shuffled_ = true;
  return *this;
}

Status MemoryBlocks::begin(std::size_t pass) {
  at_ = 0;
  order_ = rows_;
  if (!is_shuffled_) return ok_status();
  Rng rng(seed_ + 0x51ed2701 * (pass + 1));
  rng.shuffle(order_);
  return ok_status();
}

Result<bool> MemoryBlocks::next(Examples& out) {
  copy(at_, out);
  at_ += out.size();
  return out.size() > 0;
}

Result<std::size_t> MemoryBlocks::next_some(std::span<Examples> out, Team* team) {
  if (team == nullptr) return BlockSource::next_some(out, team);
  const std::size_t left = order_.size() - at_;
  const std::size_t blocks = std::min(out.size(), (left + kBlockRows - 1) / kBlockRows);
  team->run(1, [this, out, blocks, members = team->size()](std::size_t, std::size_t member) {
    const std::size_t end = blocks * (member + 1) / members;
    for (std::size_t b = blocks * member / members; b < end; ++b) {
      copy(at_ + b * kBlockRows, out[b]);
    }
  });
  at_ += std::min(left, blocks * kBlockRows);
  return blocks;
}

// `out` becomes a block of the order.
void MemoryBlocks::copy(std::size_t begin, Examples& out) const {
  out.clear();
  const std::size_t end = std::min(order_.size(), begin + kBlockRows);
  for (std::size_t at = begin; at < end; ++at) append_row(examples_, order_[at], out);
}

double MemoryBlocks::share() const {
  if (order_.empty()) return 1;
  return static_cast<double>(at_) / static_cast<double>(order_.size());
}

}  // namespace attune
