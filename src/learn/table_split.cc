#include "learn/table_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "feature/cell.h"

namespace attune {
namespace {

constexpr std::size_t kFewestRows = 4;

Error invalid(const std::string& message, const std::string& field, const std::string& hint) {
  return {Code::kInvalid, message, field, hint};
}

class TableSplitter {
 public:
  TableSplitter(const LabelledTable& labelled, std::span<const std::uint32_t> rows,
                const TableSplitOptions& options)
      : labelled_(labelled), rows_(rows), table_(labelled.table), options_(options) {}

  Result<TableSplits> run() {
    const std::size_t rows = rows_.size();
    if (rows < kFewestRows) {
      return invalid(
          fmt::format("{} rows with a label are too few to learn from and test on", rows), "file",
          "add rows, or name a test file with --test");
    }
    put_together();
    TRY(const auto place, time_place());
    const std::size_t most_folds = units_.size() - (place ? 1 : 0);
    if (options_.folds > most_folds) {
      return invalid(fmt::format("--folds {}: only {} {} have a label", options_.folds,
                                 units_.size(), has_groups() ? "groups" : "rows"),
                     "folds", fmt::format("use at most {}", most_folds));
    }
    if (place) {
      TRY_OK(by_time(*place));
    } else {
      by_chance();
    }
    TRY_OK(check());
    return std::move(out_);
  }

 private:
  bool has_groups() const { return !options_.groups.empty(); }

  // What is dealt to one side as a whole: a row, or the rows of a group.
  void put_together() {
    std::unordered_map<std::uint32_t, std::size_t> known;
    for (std::uint32_t i = 0; i < rows_.size(); ++i) {
      const std::uint32_t group = has_groups() ? options_.groups[rows_[i]] : i;
      const auto [at, is_new] = known.try_emplace(group, units_.size());
      if (is_new) units_.emplace_back();
      units_[at->second].push_back(i);
    }
  }

  // Of each unit the largest value of its rows: one with a yes is dealt as a yes.
  template <class T>
  std::vector<T> largest(const std::vector<T>& of_rows) const {
    std::vector<T> out;
    for (const auto& unit : units_) {
      T most = of_rows[unit.front()];
      for (const std::uint32_t i : unit) most = std::max(most, of_rows[i]);
      out.push_back(most);
    }
    return out;
  }

  // "3,616 rows", "3,616 rows of 780 groups"
  std::string tested(const std::string& which) const {
    std::size_t rows = 0;
    for (const std::uint32_t unit : out_.splits[0].test) rows += units_[unit].size();
    if (!has_groups()) return fmt::format("{}{} rows", which, rows);
    return fmt::format("{}{} rows of {} groups", which, rows, out_.splits[0].test.size());
  }

  // The column rows are split by; nullopt = by chance.
  Result<std::optional<std::size_t>> time_place() {
    const auto& types = table_.shape().types;
    const auto at = std::find(types.begin(), types.end(), ColumnType::kTime);
    const auto guessed = at == types.end() ? std::optional<std::size_t>()
                                           : static_cast<std::size_t>(at - types.begin());
    if (options_.time_column.empty()) return guessed;
    if (options_.time_column != "none") {
      TRY(const std::size_t place, table_.need_column(options_.time_column, "time-column"));
      return std::optional(place);
    }
    if (guessed) {
      out_.warnings.push_back(fmt::format(
          "rows are split by chance although {} holds times: the model is tested on rows older "
          "than some it learned from; leave out --time-column none",
          table_.columns()[*guessed]));
    }
    return std::optional<std::size_t>();
  }

  // Times, or any numbers that rise with time: days, rounds.
  Result<std::vector<std::int64_t>> times(std::size_t place) const {
    std::vector<std::int64_t> times;
    for (const std::uint32_t row : rows_) {
      const std::string_view cell = table_.cell(row, place);
      const auto time = time_of(cell);
      const auto number = number_of(cell);
      if (!time && !number) {
        return invalid(fmt::format("--time-column {}: line {} has \"{}\", which is no time",
                                   table_.columns()[place], table_.line(row), cell.substr(0, 40)),
                       "time-column", "write times as 2026-11-02T10:00:00Z, or as numbers");
      }
      times.push_back(time ? to_us(*time) : std::llround(std::clamp(*number, -9e12, 9e12) * 1e6));
    }
    return times;
  }

  Status by_time(std::size_t place) {
    TRY(const std::vector<std::int64_t> of_rows, times(place));
    const std::vector<std::int64_t> when = largest(of_rows);
    const std::string& name = table_.columns()[place];
    if (options_.folds > 0) {
      out_.splits = time_folds(when, options_.folds);
      out_.measured_on =
          fmt::format("{} folds by {}, each after the rows it learned from", options_.folds, name);
    } else {
      out_.splits = {time_split(when, options_.share)};
      out_.measured_on = fmt::format("{} by {}", tested("the latest "), name);
    }
    return ok_status();
  }

  void by_chance() {
    std::vector<float> labels;
    for (const std::uint32_t row : rows_) labels.push_back(labelled_.label(row));
    labels = largest(labels);
    if (options_.folds > 0) {
      out_.splits = random_folds(labels, options_.folds, options_.seed);
      out_.measured_on =
          fmt::format("{} folds drawn at random (seed {})", options_.folds, options_.seed);
    } else {
      out_.splits = {random_split(labels, options_.share, options_.seed)};
      out_.measured_on = fmt::format("{} drawn at random (seed {})", tested(""), options_.seed);
    }
  }

  // Units become rows of the table; each side must have some, and two
  // classes to learn from.
  Status check() {
    for (Split& split : out_.splits) {
      for (auto* side : {&split.train, &split.test}) {
        std::vector<std::uint32_t> rows;
        for (const std::uint32_t unit : *side) {
          for (const std::uint32_t i : units_[unit]) rows.push_back(rows_[i]);
        }
        std::sort(rows.begin(), rows.end());
        *side = std::move(rows);
      }
      if (split.test.empty() || split.train.empty()) {
        const std::string have = has_groups() ? fmt::format("{} groups", units_.size())
                                              : fmt::format("{} rows", rows_.size());
        return invalid(fmt::format("{} are too few for this split", have), "split",
                       "add rows or use another --split");
      }
      TRY_OK(check_classes(split.train));
    }
    return ok_status();
  }

  Status check_classes(const std::vector<std::uint32_t>& rows) const {
    if (!labelled_.target.is_binary) return ok_status();
    const auto yes = static_cast<std::size_t>(std::count_if(
        rows.begin(), rows.end(), [&](std::uint32_t row) { return labelled_.is_yes(row); }));
    if (yes > 0 && yes < rows.size()) return ok_status();
    return invalid(fmt::format("0 {} examples among the {} rows to learn from: all of them are in "
                               "the rows to test on",
                               yes == 0 ? "positive" : "negative", rows.size()),
                   "split", "add rows of that class, or split by chance: --time-column none");
  }

  const LabelledTable& labelled_;
  const std::span<const std::uint32_t> rows_;
  const LoadedTable& table_;
  const TableSplitOptions& options_;
  std::vector<std::vector<std::uint32_t>> units_;  // places in rows_, of each unit
  TableSplits out_;
};

}  // namespace

Result<TableSplits> split_table(const LabelledTable& labelled, const TableSplitOptions& options) {
  return TableSplitter(labelled, labelled.rows, options).run();
}

Result<TableSplits> split_rows(const LabelledTable& labelled, std::span<const std::uint32_t> rows,
                               const TableSplitOptions& options) {
  return TableSplitter(labelled, rows, options).run();
}

}  // namespace attune
