#include "learn/column_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/result.h"
#include "stat/delong.h"

namespace attune {
namespace {

constexpr double kGivesAway = 0.99;   // alone
constexpr double kStrong = 0.7;       // alone, of a column whose name speaks of an end
constexpr double kFarAhead = 0.1;     // of the next column, and
constexpr double kVeryStrong = 0.8;   // alone
constexpr double kLeastShare = 0.05;  // of the rows must have a number for its AUC to mean much

// Words of columns that are often known only once the outcome is.
constexpr std::array<std::string_view, 20> kAfterwards = {
    "duration", "elapsed",   "dwell",    "result",  "outcome_at", "resolved",  "closed",
    "cancel",   "refund",    "returned", "churned", "converted",  "ended",     "end_time",
    "end_date", "completed", "finished", "paid_at", "clicked",    "total_paid"};

std::optional<float> number_of(std::string_view text) {
  float number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

// Either way round.
std::optional<double> auc_of(std::vector<std::pair<float, bool>> scores) {
  std::sort(scores.begin(), scores.end());
  const auto value = tied_auc([&](const auto& f) {
    for (std::size_t i = 0; i < scores.size();) {
      const float score = scores[i].first;
      double no = 0, yes = 0;
      for (; i < scores.size() && scores[i].first == score; ++i) (scores[i].second ? yes : no) += 1;
      f(no, yes);
    }
  });
  if (!value) return std::nullopt;
  return std::max(*value, 1 - *value);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

ColumnScan::ColumnScan(std::vector<std::string> columns, std::vector<bool> is_number) {
  CHECK(columns.size() == is_number.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Column column;
    column.name = std::move(columns[i]);
    column.is_number = is_number[i];
    columns_.push_back(std::move(column));
  }
}

void ColumnScan::add(std::span<const std::string_view> cells, bool label) {
  CHECK(cells.size() == columns_.size());
  const std::size_t half = rows_++ % 2;
  positives_ += label ? 1 : 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    Column& column = columns_[i];
    if (cells[i].empty()) {
      ++column.missing;
      continue;
    }
    if (column.is_number) {
      if (const auto number = number_of(cells[i])) column.numbers.emplace_back(*number, label);
    } else if (!column.is_over) {
      ++column.values[std::string(cells[i])].rows[half][label ? 1 : 0];
      column.is_over = column.values.size() > kMostValues;
      if (column.is_over) column.values.clear();
    }
  }
}

namespace {

bool is_one_to_one(const std::vector<std::pair<float, bool>>& numbers) {
  std::optional<float> of_label[2];
  for (const auto& [number, label] : numbers) {
    auto& known = of_label[label ? 1 : 0];
    if (known && *known != number) return false;
    known = number;
  }
  return of_label[0] && of_label[1] && *of_label[0] != *of_label[1];
}

}  // namespace

ColumnFinding ColumnScan::finding(const Column& column) const {
  ColumnFinding found{.column = column.name, .auc = {}, .missing = column.missing};
  const auto rows = static_cast<double>(rows_);
  if (column.is_number) {
    const auto& numbers = column.numbers;
    if (numbers.empty()) return found;
    found.is_constant = std::all_of(numbers.begin(), numbers.end(), [&](const auto& one) {
      return one.first == numbers.front().first;
    });
    found.equals_label = numbers.size() == rows_ && is_one_to_one(numbers);
    if (static_cast<double>(numbers.size()) >= kLeastShare * rows) found.auc = auc_of(numbers);
    return found;
  }
  found.is_constant = column.values.size() == 1;
  if (column.values.empty() || column.is_over) return found;
  const double prior = static_cast<double>(positives_) / std::max(rows, 1.0);
  std::vector<std::pair<float, bool>> scores;
  int pure[2] = {}, mixed = 0;
  for (const auto& entry : column.values) {
    const Tally& tally = entry.second;
    const auto of = [&](int half, int label) { return double(tally.rows[half][label]); };
    for (const int half : {0, 1}) {
      const double yes = of(1 - half, 1), no = of(1 - half, 0);
      const auto rate = static_cast<float>((yes + prior) / (yes + no + 1));
      for (const int label : {0, 1}) {
        scores.insert(scores.end(), tally.rows[half][label], {rate, label == 1});
      }
    }
    const bool has_yes = of(0, 1) + of(1, 1) > 0, has_no = of(0, 0) + of(1, 0) > 0;
    ++(has_yes && has_no ? mixed : pure[has_yes ? 1 : 0]);
  }
  found.auc = auc_of(std::move(scores));
  found.equals_label = column.missing == 0 && mixed == 0 && pure[0] == 1 && pure[1] == 1;
  return found;
}

std::vector<ColumnFinding> ColumnScan::findings() const {
  std::vector<ColumnFinding> found;
  for (const Column& column : columns_) found.push_back(finding(column));
  return found;
}

std::vector<LeakWarning> find_leaks(std::span<const ColumnFinding> findings) {
  double best = 0, second = 0.5;
  for (const ColumnFinding& one : findings) {
    const double auc = one.auc.value_or(0.5);
    second = std::max(second, std::min(best, auc));
    best = std::max(best, auc);
  }
  std::vector<LeakWarning> leaks;
  for (const ColumnFinding& one : findings) {
    const double auc = one.auc.value_or(0.5);
    const std::string name = lower(one.column);
    const bool is_named = std::any_of(kAfterwards.begin(), kAfterwards.end(), [&](auto word) {
      return name.find(word) != std::string::npos;
    });
    const auto say = [&](const std::string& what) {
      leaks.push_back({one.column, fmt::format("{} {}: if it is known only after the outcome, add "
                                               "--drop {}",
                                               one.column, what, one.column)});
    };
    if (one.equals_label) {
      say("is the label under another name");
    } else if (auc > kGivesAway) {
      say(fmt::format("alone tells the label (AUC {:.3f})", auc));
    } else if (is_named && auc > kStrong) {
      say(fmt::format("alone gives AUC {:.3f}, and its name speaks of what comes after", auc));
    } else if (auc == best && auc > kVeryStrong && auc - second > kFarAhead) {
      say(fmt::format("alone gives AUC {:.3f}, the next best column {:.3f}", auc, second));
    }
  }
  return leaks;
}

}  // namespace attune
