// TableRows: the rows of a table by a plan: cells in, features out, by one piece of code for
// training, evaluation and prediction. What is learned from the data (means, bins, rare values) is
// fitted on training rows and saved with the model. The order of columns does not matter: a feature
// is salted by the names of its columns. append() is const and safe to share once fitted.
//
//   TRY(TableRows rows, TableRows::make(plan, columns));
//   if (rows.needs_fit()) for (cells of training rows) rows.fit(cells);
//   TRY_OK(rows.finish_fit());
//   for (cells of any rows) rows.append(cells, examples);
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feature/plan.h"
#include "model/examples.h"
#include "model/model.h"

namespace attune {

using Cells = std::span<const std::string_view>;  // parallel to the columns; "" = missing

class TableRows {
 public:
  // kInvalid: the plan names a column that is not there, or is one of decisions.
  static Result<TableRows> make(const Plan& plan, std::span<const std::string> columns);
  TableRows(TableRows&&) noexcept;
  TableRows& operator=(TableRows&&) noexcept;
  ~TableRows();

  // Whether any feature must see the training rows first.
  bool needs_fit() const;
  void fit(Cells cells);
  // kInvalid: most cells of a number's column are none, or a vector's have no length in common.
  Status finish_fit();

  // Adds one row. Its label: NaN when the target is missing or no number; without a target column
  // always NaN. No allocation once `out` has grown. Requires finish_fit().
  void append(Cells cells, Examples& out) const;
  float label(Cells cells) const;
  // Told the hash and name of each feature of the row, "job=technician", in the order of append().
  using Name = std::function<void(std::uint32_t hash, std::string_view name)>;
  void name(Cells cells, const Name& name) const;

  // The same rows from a file with these columns in any order; its target and weight may be absent.
  Result<TableRows> bind(std::span<const std::string> columns) const;

  const Plan& plan() const;
  const std::vector<std::string>& columns() const;
  // Places of the columns the plan knows; nullopt = none, or not in this file.
  std::optional<std::size_t> target() const;
  std::optional<std::size_t> weight() const;
  // Fields of a row: Examples::fields holds numbers below. One a feature; two where a number can be
  // missing; one a place of a vector. field_names()[f] = "age", "age is missing", "embedding[3]".
  std::size_t fields() const { return field_names().size(); }
  const std::vector<std::string>& field_names() const;
  // Of the features that say what their entries are values of.
  std::vector<SequenceField> sequences() const;

  // Canonical: plan, columns and what was fitted. decode() takes only what encode() gives, or says
  // kCorrupt.
  void encode(std::string& out) const;
  static Result<TableRows> decode(std::string_view bytes);

 private:
  struct State;
  explicit TableRows(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace attune
