// WhatIf: rows of a table predicted again with a column's cells changed: how much a column matters,
// how the prediction depends on it, and what would have changed one prediction. For any kind of
// model, through its predictions alone; what is said is of the model, not of the world. const calls
// are safe to share.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/table.h"
#include "learn/trained.h"
#include "stat/metrics.h"

namespace attune {

struct RowSampleOptions {
  std::size_t most = 2000;  // rows, drawn by the seed from all of the file
  std::uint64_t seed = 1;
  std::uint64_t row = 0;  // from 1, bad rows count: that row is the first of the sample; 0 = none
};

// Rows of a file as cells. The model must outlive it.
class RowSample {
 public:
  // kInvalid: not a table's model, a column is missing, no row of that number, no rows.
  static Result<RowSample> read(const Trained& trained, const std::string& file,
                                const TableOptions& table, const RowSampleOptions& options);
  std::size_t size() const { return cells_.size() / columns_.size(); }
  // Those the model reads, in the order of the file; a number is a place in all().
  const std::vector<std::size_t>& used() const { return used_; }
  const std::vector<std::string>& all() const { return columns_; }
  // Of the used ones; kInvalid names the nearest.
  Result<std::size_t> find(const std::string& name) const;
  std::string_view cell(std::size_t row, std::size_t column) const {
    return cells_[row * columns_.size() + column];
  }
  // Labels; NaN where there is none.
  std::vector<float> labels() const;
  // Of the rows [from, to), with the column's cells as told by the row, or as they are.
  using Change = std::function<std::string_view(std::size_t row)>;
  std::vector<float> predict(std::size_t from, std::size_t to, std::size_t column = 0,
                             const Change& change = nullptr) const;

  const Trained& trained() const { return *trained_; }

 private:
  RowSample(const Trained& trained, TableRows rows) : trained_(&trained), rows_(std::move(rows)) {}
  const Trained* trained_;
  TableRows rows_;  // bound to the file's columns
  std::vector<std::string> columns_;
  std::vector<std::size_t> used_;
  std::vector<std::string> cells_;
};

struct ColumnImportance {
  std::string column;
  double moved = 0;                       // mean |change| of the prediction
  std::optional<double> loss = {};        // mean increase of log loss, or of squared error
  std::optional<Interval> interval = {};  // 95 %, of the rows
};
// By giving each row another row's cell (Breiman 2001), three times: the one that costs the most
// loss, else moves the most, first.
std::vector<ColumnImportance> importance(const RowSample& rows, std::uint64_t seed);

struct DependencePoint {
  std::string value;             // of the column
  double mean = 0;               // of the predictions with it, over all rows (Friedman 2001)
  double low = 0, high = 0;      // a tenth of the rows are below, and above (of the ICE curves)
  std::vector<float> rows = {};  // of the first kCurves rows: their curves (Goldstein 2015)
  std::uint64_t count = 0;       // rows that have it, about
};
struct Dependence {
  static constexpr std::size_t kCurves = 20;
  std::string column;
  bool is_number = false;
  std::vector<DependencePoint> points;  // numbers rising; texts, the most frequent first
};
Dependence dependence(const RowSample& rows, std::size_t column, std::size_t most_points);

// The one change of one column that moves the first row's prediction most towards the other side of
// 1/2, or up for a number; the nearest value that does nine tenths of it.
struct Counterfactual {
  std::string column, was, value;
  bool is_number = false;
  bool is_or_beyond = false;  // any value further that way does as much
  bool is_below = false;      // that way
  double now = 0, would = 0;  // predictions
};
// nullopt: no change of one column moves it by 0.01 of what there is (of a number: its spread).
std::optional<Counterfactual> counterfactual(const RowSample& rows);
// "had age been 30 or below instead of 45, the chance would be 0.62 instead of 0.31"
std::string counterfactual_words(const Counterfactual& found, bool is_probability);

}  // namespace attune
