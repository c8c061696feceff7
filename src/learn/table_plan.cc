#include "learn/table_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "feature/derive_table.h"
#include "learn/block_source.h"

namespace attune {
namespace {

// What the plan must be told: a number is taken as it is.
std::string plan_positive(const LoadedTable& table, const Target& target) {
  const bool is_number = !target.is_binary || (target.positive == "1" && [&] {
    for (std::size_t row = 0; row < table.rows(); ++row) {
      const std::string_view cell = table.cell(row, target.column);
      if (!cell.empty() && cell != "0" && cell != "1") return false;
    }
    return true;
  }());
  return is_number ? "" : target.positive;
}

// Rows from all over the table, one of each class among them.
TableSample sample_of(const LoadedTable& table, const Target& target) {
  TableSample sample(table.columns());
  std::vector<std::string_view> cells;
  const auto add = [&](std::size_t row) {
    table.cells(row, cells);
    return sample.add(cells);
  };
  if (target.is_binary) {
    bool has_positive = false, has_negative = false;
    for (std::size_t row = 0; row < table.rows() && !(has_positive && has_negative); ++row) {
      const std::string_view label = table.cell(row, target.column);
      if (label.empty()) continue;
      bool& has = label == target.positive ? has_positive : has_negative;
      if (!has) add(row);
      has = true;
    }
  }
  const std::size_t step = (table.rows() + TableSample::kMostRows - 1) / TableSample::kMostRows;
  for (std::size_t row = 0; row < table.rows(); row += step) {
    if (!add(row)) break;
  }
  return sample;
}

std::string column_of(const std::string& input) { return std::string(input_name(input).name); }

}  // namespace

Result<ChosenPlan> classic_plan(const LoadedTable& table, const Target& target) {
  const auto& columns = table.columns();
  if (columns.size() <= kClassicInputs) {
    return Error{Code::kInvalid,
                 fmt::format("--preset mlp needs {} columns of numbers and then the label; there "
                             "are {} columns",
                             kClassicInputs, columns.size()),
                 "preset", "train without --preset: it takes any number of columns"};
  }
  ChosenPlan chosen;
  chosen.plan.target = target.name;
  chosen.plan.positive = plan_positive(table, target);
  for (std::size_t i = 0; i < kClassicInputs; ++i) {
    PlanFeature feature;
    feature.kind = FeatureKind::kNumber;
    feature.of = {"column." + columns[i]};
    feature.is_standardised = false;
    feature.has_missing = false;
    chosen.plan.features.push_back(feature);
    chosen.lines.push_back({columns[i], "number", "as it is"});
  }
  for (std::size_t i = kClassicInputs; i < columns.size(); ++i) {
    const bool is_target = i == target.column;
    chosen.lines.push_back({columns[i], is_target ? "target" : "left out",
                            is_target ? "the last column" : "not one of the first ten"});
  }
  return chosen;
}

Result<ChosenPlan> derived_plan(const LoadedTable& table, const Target& target,
                                const std::vector<std::string>& drop,
                                const std::vector<std::string>& allow) {
  for (const std::string& column : drop) TRY_OK(table.need_column(column, "drop"));
  DeriveOptions options;
  options.target = target.name;
  options.positive = plan_positive(table, target);
  options.drop = drop;
  options.allow = allow;
  TRY(DerivedPlan derived, derive_plan(sample_of(table, target), options));
  ChosenPlan chosen{std::move(derived.plan), {}};
  for (const PlanReason& reason : derived.reasons) {
    PlanLine line{column_of(reason.of), "", reason.reason};
    for (std::size_t i = reason.begin; i < reason.end; ++i) {
      line.use += (line.use.empty() ? "" : ", ");
      line.use += kind_name(chosen.plan.features[i].kind);
    }
    if (line.use.empty()) line.use = line.column == target.name ? "target" : "left out";
    chosen.lines.push_back(std::move(line));
  }
  return chosen;
}

Result<ChosenPlan> declared_plan(const Plan& plan, const LoadedTable& table, const Target& target) {
  if (!plan.target.empty() && plan.target != target.name) {
    return Error{Code::kInvalid,
                 fmt::format("the plan's target is {}, --target says {}", plan.target, target.name),
                 "target", "leave one of them out"};
  }
  ChosenPlan chosen{plan, {}};
  chosen.plan.target = target.name;
  chosen.plan.positive = plan_positive(table, target);
  for (const PlanFeature& feature : plan.features) {
    std::string columns;
    for (const std::string& input : feature.of) {
      columns += (columns.empty() ? "" : " x ") + column_of(input);
    }
    chosen.lines.push_back({columns, std::string(kind_name(feature.kind)), "as declared"});
  }
  return chosen;
}

Status weigh_rows(const std::string& column, const LoadedTable& table, const Target& target,
                  ChosenPlan& chosen) {
  TRY_OK(table.need_column(column, "weight"));
  if (column == target.name) {
    return Error{Code::kInvalid, fmt::format("--weight {}: it is the target", column), "weight",
                 "name a column of numbers"};
  }
  if (!chosen.plan.weight.empty() && chosen.plan.weight != column) {
    return Error{
        Code::kInvalid,
        fmt::format("the plan's weight is {}, --weight says {}", chosen.plan.weight, column),
        "weight", "leave one of them out"};
  }
  chosen.plan.weight = column;
  std::erase_if(chosen.lines, [&](const PlanLine& line) { return line.column == column; });
  chosen.lines.push_back({column, "weight", "how much a row counts in learning"});
  return ok_status();
}

}  // namespace attune
