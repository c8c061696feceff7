#include "learn/column_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "feature/cell.h"
#include "stat/order_scores.h"

namespace attune {
namespace {

constexpr double kPriorRows = 5;  // of no difference, before the first row of a text

struct Sum {
  double rows = 0, sum = 0;
  double mean() const { return sum / (rows + kPriorRows); }
};

class Search {
 public:
  Search(const LabelledTable& labelled, const RowGroups& groups,
         std::span<const std::uint32_t> rows)
      : labelled_(labelled), rows_(rows) {
    for (const std::uint32_t row : rows) by_group_[groups.of_row[row]].push_back(row);
    for (const auto& [group, own] : by_group_) {
      double mean = 0;
      for (const std::uint32_t row : own) mean += double{labelled.label(row)};
      mean /= static_cast<double>(own.size());
      for (const std::uint32_t row : own) differs_[row] = double{labelled.label(row)} - mean;
    }
  }

  // The order by this column, and what share of pairs it has right.
  std::pair<ColumnOrder, double> judge(std::size_t column) {
    ColumnOrder order;
    order.column = column;
    order.is_number = labelled_.table.shape().types[column] == ColumnType::kNumber;
    std::unordered_map<std::string_view, Sum> means;
    if (!order.is_number) means = add_up(column);
    OrderedPairs all;
    std::vector<float> scores, labels;
    for (const auto& [group, rows] : by_group_) {
      scores.clear();
      labels.clear();
      std::map<std::string_view, Sum> own;
      for (const std::uint32_t row : rows) {
        Sum& sum = own[text(row, column)];
        sum.rows += 1;
        sum.sum += differs_[row];
      }
      for (const std::uint32_t row : rows) {
        labels.push_back(labelled_.label(row));
        scores.push_back(order.is_number ? order.score(text(row, column))
                                         : without(means, own, text(row, column)));
      }
      const OrderedPairs pairs = ordered_pairs(scores, labels);
      all.pairs += pairs.pairs;
      all.right += pairs.right;
    }
    double right = all.pairs > 0 ? all.right / all.pairs : 0.5;
    if (order.is_number && right < 0.5) {
      order.is_falling = true;
      right = 1 - right;
    }
    for (const auto& [value, sum] : means) order.means.emplace_back(value, sum.mean());
    std::sort(order.means.begin(), order.means.end());
    return {std::move(order), right};
  }

 private:
  std::string_view text(std::uint32_t row, std::size_t column) const {
    return trimmed(labelled_.table.cell(row, column));
  }
  std::unordered_map<std::string_view, Sum> add_up(std::size_t column) {
    std::unordered_map<std::string_view, Sum> out;
    for (const std::uint32_t row : rows_) {
      Sum& sum = out[text(row, column)];
      sum.rows += 1;
      sum.sum += differs_[row];
    }
    return out;
  }
  // What is known of a text from other groups than this one.
  static float without(const std::unordered_map<std::string_view, Sum>& means,
                       const std::map<std::string_view, Sum>& own, std::string_view text) {
    const Sum &all = means.at(text), &here = own.at(text);
    return static_cast<float>(Sum{all.rows - here.rows, all.sum - here.sum}.mean());
  }

  const LabelledTable& labelled_;
  const std::span<const std::uint32_t> rows_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> by_group_;
  std::unordered_map<std::uint32_t, double> differs_;  // of a row: its label less its group's mean
};

}  // namespace

float ColumnOrder::score(std::string_view cell) const {
  const std::string_view text = trimmed(cell);
  if (is_number) {
    const auto number = number_of(text);
    if (!number) return NAN;
    return static_cast<float>(is_falling ? -*number : *number);
  }
  const auto at =
      std::lower_bound(means.begin(), means.end(), text,
                       [](const auto& one, std::string_view b) { return one.first < b; });
  return at == means.end() || at->first != text ? 0.0F : static_cast<float>(at->second);
}

std::string ColumnOrder::words(std::string_view name) const {
  if (!is_number) return fmt::format("{}, by how the same text did in other groups", name);
  return fmt::format("{}, the {} first", name, is_falling ? "smallest" : "largest");
}

std::optional<ColumnOrder> best_column_order(const LabelledTable& labelled, const RowGroups& groups,
                                             std::span<const std::size_t> columns,
                                             std::span<const std::uint32_t> rows) {
  Search search(labelled, groups, rows);
  std::optional<ColumnOrder> best;
  double most = -1;
  for (const std::size_t column : columns) {
    auto [order, right] = search.judge(column);
    if (right <= most) continue;
    most = right;
    best = std::move(order);
  }
  return best;
}

}  // namespace attune
