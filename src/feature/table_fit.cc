#include "feature/table_fit.h"

#include <fmt/format.h>

namespace attune {

bool TableFit::needs(const PlanFeature& f) {
  using enum FeatureKind;
  return (f.kind == kNumber && f.is_standardised) || f.kind == kBins || f.kind == kVector ||
         f.min_count > 1;
}

void TableFit::add(const TableStep& step, std::string_view cell) {
  using enum FeatureKind;
  cell = trimmed(cell);
  if (cell.empty()) {
    ++missing_;
    return;
  }
  const auto count = [&](std::string_view token) {
    const std::uint32_t hash = step.hash_of(token);
    if (counts_.size() < kMostCounted) {
      ++counts_[hash];
    } else if (const auto at = counts_.find(hash); at != counts_.end()) {
      ++at->second;
    }
  };
  if (step.feature.kind == kNumber || step.feature.kind == kBins) return add_number(step, cell);
  if (step.feature.kind == kCategory) return count(cell);
  if (step.feature.kind == kBag) return each_token(cell, step.feature.separator, count);
  std::size_t n = 0;
  each_token(cell, step.feature.separator, [&](std::string_view) { ++n; });
  if (n <= kMostLength) ++lengths_[n];
}

void TableFit::add_number(const TableStep& step, std::string_view cell) {
  const auto number = number_of(cell);
  if (!number) {
    if (strange_++ == 0) first_strange_ = shown(cell);
    return;
  }
  const double x = step.measured(*number);
  n_ += 1;
  const double off = x - mean_;
  mean_ += off / n_;
  squares_ += off * (x - mean_);
  if (step.feature.kind != FeatureKind::kBins) return;
  if (sample_.size() < kSample) {
    sample_.push_back(x);
  } else if (const std::uint64_t at = rng_.below(static_cast<std::uint64_t>(n_)); at < kSample) {
    sample_[at] = x;
  }
}

Status TableFit::check_numbers(const TableStep& step) const {
  if (static_cast<double>(strange_) <= n_) return ok_status();
  return Error{Code::kInvalid,
               fmt::format("column {}: {} of {} cells are no numbers, the first is {}", step.stem,
                           strange_, strange_ + static_cast<std::uint64_t>(n_), first_strange_),
               step.feature.of[0], "kind = \"category\" takes texts"};
}

void TableFit::set_edges(TableStep& step) const {
  std::vector<double> sorted = sample_;
  std::sort(sorted.begin(), sorted.end());
  step.edges.clear();
  const auto bins = static_cast<std::size_t>(step.feature.bins);
  for (std::size_t i = 1; i < bins && !sorted.empty(); ++i) {
    const double edge = sorted[(i * sorted.size() - 1) / bins];
    const bool is_new = step.edges.empty() || edge > step.edges.back();
    if (is_new && edge < sorted.back()) step.edges.push_back(edge);
  }
}

Status TableFit::set_length(TableStep& step) const {
  std::uint64_t all = 0, most = 0;
  for (const auto& [length, count] : lengths_) {
    all += count;
    if (count <= most) continue;
    most = count;
    step.length = length;
  }
  if (2 * most >= all && (all == 0 || step.length > 0)) return ok_status();
  return Error{Code::kInvalid,
               fmt::format("column {}: no vectors: the most frequent length, {}, is that of {} of "
                           "{} cells",
                           step.stem, step.length, most, all),
               step.feature.of[0], "kind = \"bag\" takes lists of any length"};
}

Status TableFit::finish(TableStep& step) const {
  using enum FeatureKind;
  if (step.feature.kind == kNumber || step.feature.kind == kBins) TRY_OK(check_numbers(step));
  if (step.feature.kind == kNumber && n_ > 0 && step.feature.is_standardised) {
    const double deviation = std::sqrt(squares_ / n_);
    step.mean = mean_;
    step.deviation = deviation > 0 && std::isfinite(deviation) ? deviation : 1;
    if (!std::isfinite(mean_)) step.mean = 0;
  }
  if (step.feature.kind == kBins) set_edges(step);
  if (step.feature.kind == kVector) TRY_OK(set_length(step));
  if (step.feature.min_count <= 1) return ok_status();
  step.frequent.clear();
  for (const auto& [hash, count] : counts_) {
    if (count >= static_cast<std::uint32_t>(step.feature.min_count)) step.frequent.push_back(hash);
  }
  std::sort(step.frequent.begin(), step.frequent.end());
  return ok_status();
}

}  // namespace attune
