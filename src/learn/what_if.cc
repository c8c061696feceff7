#include "learn/what_if.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "base/nearest.h"
#include "base/rng.h"
#include "feature/cell.h"
#include "learn/block_source.h"
#include "learn/fit.h"
#include "stat/measure.h"

namespace attune {
namespace {

constexpr int kShuffles = 3;
constexpr std::size_t kCandidates = 40;  // values tried for a counterfactual, of a column
constexpr double kLeastMove = 0.01;      // of a probability, or of the spread of a number
constexpr double kNearlyAll = 0.9;       // of the largest move
constexpr double kMostlyNumbers = 0.8;   // of the cells that are there

// The columns its features read.
std::set<std::string, std::less<>> columns_of(const Plan& plan) {
  std::set<std::string, std::less<>> out;
  for (const PlanFeature& feature : plan.features) {
    for (const std::string& input : feature.of) out.emplace(input_name(input).name);
  }
  return out;
}

// Values to try: of a number evenly taken of those that occur, rising; of texts the most frequent.
struct Values {
  bool is_number = false;
  std::vector<std::string> values;
  std::vector<std::uint64_t> counts;
};

Values values_of(const RowSample& rows, std::size_t column, std::size_t most) {
  std::vector<std::pair<double, std::string_view>> numbers;
  std::map<std::string_view, std::uint64_t> counts;
  std::size_t filled = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::string_view cell = rows.cell(row, column);
    ++counts[cell];
    filled += !cell.empty();
    if (const auto number = number_of(cell)) numbers.emplace_back(*number, cell);
  }
  Values out;
  out.is_number =
      filled > 0 && static_cast<double>(numbers.size()) >= kMostlyNumbers * double(filled);
  if (out.is_number) {
    std::sort(numbers.begin(), numbers.end());
    const std::size_t n = std::min(most, numbers.size());
    double last = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto& [number, cell] = numbers[n == 1 ? 0 : i * (numbers.size() - 1) / (n - 1)];
      if (out.values.empty() || number != last) {
        out.values.emplace_back(cell);
        out.counts.push_back(0);
      }
      last = number;
      out.counts.back() += numbers.size() / n;
    }
    return out;
  }
  std::vector<std::pair<std::uint64_t, std::string_view>> texts;
  for (const auto& [text, count] : counts) texts.emplace_back(count, text);
  std::stable_sort(texts.begin(), texts.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  texts.resize(std::min(texts.size(), most));
  for (const auto& [count, text] : texts) {
    out.values.emplace_back(text);
    out.counts.push_back(count);
  }
  return out;
}

double mean_of(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value);
  return sum / static_cast<double>(values.size());
}

double share_of(std::vector<float> values, double share) {
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return static_cast<double>(*at);
}

}  // namespace

Result<RowSample> RowSample::read(const Trained& trained, const std::string& file,
                                  const TableOptions& table, const RowSampleOptions& options) {
  if (!trained.rows) {
    return Error{Code::kInvalid,
                 fmt::format("the model reads {}, which has no columns to change", trained.input),
                 "model", "models of tables can be asked what if"};
  }
  TRY(const auto reader, TableReader::open(file, table));
  const std::vector<std::string>& columns = reader->shape().columns;
  auto bound = trained.rows->bind(columns);
  if (!bound.ok()) {
    Error error = std::move(bound).error();
    error.message = fmt::format("{}: {}, which the model needs", file, error.message);
    return error;
  }
  RowSample sample(trained, std::move(bound).value());
  sample.columns_ = columns;
  const auto used = columns_of(trained.rows->plan());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (used.contains(columns[i])) sample.used_.push_back(i);
  }
  Rng rng(options.seed);
  std::vector<std::vector<std::string>> kept;
  std::optional<std::vector<std::string>> first;
  std::uint64_t number = 0, good = 0;
  while (true) {
    TRY(const TableReader::Next next, reader->next());
    if (next == TableReader::Next::kEnd) break;
    ++number;
    if (next == TableReader::Next::kBad) continue;
    const auto cells = reader->cells();
    if (number == options.row) {
      first.emplace(cells.begin(), cells.end());
      continue;
    }
    ++good;  // each is kept with the same chance (Vitter 1985, algorithm R)
    const std::uint64_t place = good <= options.most ? good - 1 : rng.below(good);
    if (place >= options.most) continue;
    std::vector<std::string> row(cells.begin(), cells.end());
    if (place == kept.size()) {
      kept.push_back(std::move(row));
    } else {
      kept[place] = std::move(row);
    }
  }
  if (options.row > 0 && !first) {
    return Error{Code::kInvalid,
                 fmt::format("--row {}: {} has {} rows, or that one cannot be read", options.row,
                             file, number),
                 "row", ""};
  }
  if (first) kept.insert(kept.begin(), std::move(*first));
  if (kept.empty()) return Error{Code::kInvalid, file + ": no rows", "file", ""};
  for (auto& row : kept) {
    sample.cells_.insert(sample.cells_.end(), std::make_move_iterator(row.begin()),
                         std::make_move_iterator(row.end()));
  }
  return sample;
}

Result<std::size_t> RowSample::find(const std::string& name) const {
  std::vector<std::string> names;
  for (const std::size_t column : used_) {
    if (columns_[column] == name) return column;
    names.push_back(columns_[column]);
  }
  const std::string near = nearest(name, names);
  return Error{Code::kInvalid,
               fmt::format("--column {}: the model reads no such column{}", name,
                           near.empty() ? "" : ", did you mean " + near + "?"),
               "column", fmt::format("it reads {}", fmt::join(names, ", "))};
}

std::vector<float> RowSample::labels() const {
  std::vector<float> out;
  std::vector<std::string_view> cells(columns_.size());
  for (std::size_t row = 0; row < size(); ++row) {
    for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = cell(row, i);
    out.push_back(rows_.target() ? rows_.label(cells) : std::nanf(""));
  }
  return out;
}

std::vector<float> RowSample::predict(std::size_t from, std::size_t to, std::size_t column,
                                      const Change& change) const {
  std::vector<float> out, predicted;
  std::vector<std::string_view> cells(columns_.size());
  Examples block;
  for (std::size_t row = from; row < to; ++row) {
    for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = cell(row, i);
    if (change) cells[column] = change(row);
    rows_.append(cells, block);
    if (block.size() < kBlockRows && row + 1 < to) continue;
    trained_->predict(block, predicted);
    out.insert(out.end(), predicted.begin(), predicted.end());
    block.clear();
  }
  return out;
}

std::vector<ColumnImportance> importance(const RowSample& rows, std::uint64_t seed) {
  const std::size_t n = rows.size();
  const std::vector<float> labels = rows.labels(), before = rows.predict(0, n);
  const Model& model = *rows.trained().model;
  std::vector<ColumnImportance> out;
  std::vector<std::size_t> order(n);
  for (const std::size_t column : rows.used()) {
    ColumnImportance one{.column = rows.all()[column]};
    std::vector<double> losses(n);  // of each row, the mean over the shuffles
    Rng rng(seed);
    for (int shuffle = 0; shuffle < kShuffles; ++shuffle) {
      std::iota(order.begin(), order.end(), std::size_t{0});
      rng.shuffle(order);
      const auto after = rows.predict(
          0, n, column, [&](std::size_t row) { return rows.cell(order[row], column); });
      for (std::size_t i = 0; i < n; ++i) {
        one.moved += std::fabs(static_cast<double>(after[i] - before[i])) / double(n) / kShuffles;
        losses[i] += (loss_of(model, after[i], labels[i]) - loss_of(model, before[i], labels[i])) /
                     kShuffles;
      }
    }
    double labelled = 0, sum = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (std::isnan(labels[i])) continue;
      labelled += 1;
      sum += losses[i];
      squares += losses[i] * losses[i];
    }
    if (labelled > 0) one.loss = sum / labelled;
    one.interval = normal_interval(sum, squares, labelled);
    out.push_back(std::move(one));
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.loss.value_or(a.moved) > b.loss.value_or(b.moved);
  });
  return out;
}

Dependence dependence(const RowSample& rows, std::size_t column, std::size_t most_points) {
  const Values values = values_of(rows, column, most_points);
  Dependence out{.column = rows.all()[column], .is_number = values.is_number, .points = {}};
  for (std::size_t i = 0; i < values.values.size(); ++i) {
    const std::string& value = values.values[i];
    const auto predicted =
        rows.predict(0, rows.size(), column, [&](std::size_t) { return std::string_view(value); });
    DependencePoint point{.value = value,
                          .mean = mean_of(predicted),
                          .low = share_of(predicted, 0.1),
                          .high = share_of(predicted, 0.9),
                          .count = values.counts[i]};
    point.rows.assign(predicted.begin(),
                      predicted.begin() + static_cast<std::ptrdiff_t>(
                                              std::min(predicted.size(), Dependence::kCurves)));
    out.points.push_back(std::move(point));
  }
  return out;
}

namespace {

// The first row's predictions with each value of a column.
std::vector<double> tried(const RowSample& rows, std::size_t column, const Values& values) {
  std::vector<double> out;
  for (const std::string& value : values.values) {
    out.push_back(static_cast<double>(
        rows.predict(0, 1, column, [&](std::size_t) { return std::string_view(value); })[0]));
  }
  return out;
}

// Of a number: from the value it has outwards, the first that moves it nearly as far as the best.
void settle_number(const Values& values, const std::vector<double>& would, double sign,
                   std::size_t best, Counterfactual& found) {
  const auto was = number_of(found.was);
  const auto best_number = number_of(values.values[best]);
  if (!was || !best_number) return;
  const double wanted = found.now + kNearlyAll * (would[best] - found.now);
  found.is_below = *best_number < *was;
  const auto is_enough = [&](std::size_t i) { return sign * (would[i] - wanted) >= 0; };
  std::size_t chosen =
      best;  // values rise: below, the last that is enough is nearest; else the first
  for (std::size_t i = 0; i < values.values.size(); ++i) {
    const auto number = number_of(values.values[i]);
    if (!number || !is_enough(i)) continue;
    const bool is_between = found.is_below ? *number < *was && *number >= *best_number
                                           : *number > *was && *number <= *best_number;
    if (!is_between) continue;
    chosen = i;
    if (!found.is_below) break;
  }
  found.value = values.values[chosen];
  found.would = would[chosen];
  const std::size_t from = found.is_below ? 0 : chosen;
  const std::size_t to = found.is_below ? chosen + 1 : values.values.size();
  found.is_or_beyond = true;
  for (std::size_t i = from; i < to; ++i) {
    found.is_or_beyond &= is_enough(i);
  }
}

}  // namespace

std::optional<Counterfactual> counterfactual(const RowSample& rows) {
  const bool is_probability = rows.trained().model->is_probability();
  const double now = static_cast<double>(rows.predict(0, 1)[0]);
  const double sign = is_probability && now >= 0.5 ? -1 : 1;
  double least = kLeastMove;
  if (!is_probability) {
    const auto all = rows.predict(0, rows.size());
    least *= share_of(all, 0.9) - share_of(all, 0.1);
  }
  std::optional<Counterfactual> found;
  for (const std::size_t column : rows.used()) {
    const Values values = values_of(rows, column, kCandidates);
    if (values.values.empty()) continue;
    const std::vector<double> would = tried(rows, column, values);
    std::size_t best = 0;
    for (std::size_t i = 1; i < would.size(); ++i) {
      if (sign * would[i] > sign * would[best]) best = i;
    }
    const double moved = sign * (would[best] - now);
    if (!(moved > least) || (found && moved <= sign * (found->would - now))) continue;
    found = Counterfactual{.column = rows.all()[column],
                           .was = std::string(rows.cell(0, column)),
                           .value = values.values[best],
                           .is_number = values.is_number,
                           .now = now,
                           .would = would[best]};
    if (values.is_number) settle_number(values, would, sign, best, *found);
  }
  return found;
}

std::string counterfactual_words(const Counterfactual& found, bool is_probability) {
  const auto shown = [](const std::string& value) { return value.empty() ? "empty" : value; };
  const char* const way = !found.is_or_beyond ? "" : found.is_below ? " or below" : " or above";
  return fmt::format("had {} been {}{} instead of {}, the {} would be {:.4g} instead of {:.4g}",
                     found.column, shown(found.value), way, shown(found.was),
                     is_probability ? "chance" : "value", found.would, found.now);
}

}  // namespace attune
