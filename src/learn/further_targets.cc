#include "learn/further_targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "feature/cell.h"

namespace attune {
namespace {

Error invalid(std::string what, std::string hint) {
  return {Code::kInvalid, std::move(what), "also", std::move(hint)};
}

Result<Target> find_one(const LoadedTable& table, const std::string& name) {
  TRY([[maybe_unused]] const std::size_t column, table.need_column(name, "also"));
  TRY(Target target, find_target(table, {.name = name, .positive = "", .kind = ""}));
  if (target.is_binary) return target;
  return invalid(fmt::format("--also {}: it holds {} different numbers, must be a yes or no", name,
                             target.distinct),
                 "train on a number by itself: --target with --kind linear or trees");
}

float label_of(const Target& target, std::string_view cell) {
  const std::string_view text = trimmed(cell);
  if (text.empty()) return NAN;
  return text == target.positive ? 1.0F : 0.0F;
}

}  // namespace

Status add_task(const std::string& name, std::vector<TaskOptions>& tasks) {
  const bool is_again = std::any_of(tasks.begin(), tasks.end(),
                                    [&](const TaskOptions& task) { return task.name == name; });
  if (is_again) return invalid(fmt::format("--also {}: it is a target already", name), "");
  tasks.push_back({name});
  return ok_status();
}

Status set_weights(const FurtherTargetOptions& options, std::vector<TaskOptions>& tasks) {
  std::vector<std::string> seen;
  for (const auto& [name, weight] : options.weights) {
    const auto task = std::find_if(tasks.begin(), tasks.end(),
                                   [&name = name](const TaskOptions& t) { return t.name == name; });
    if (task == tasks.end()) {
      return Error{Code::kInvalid, fmt::format("--weight-of {}: it is not among the targets", name),
                   "weight-of", "name one of --target or --also"};
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return Error{Code::kInvalid, fmt::format("--weight-of {}: it is given twice", name),
                   "weight-of"};
    }
    seen.push_back(name);
    task->weight = weight;
  }
  return ok_status();
}

Result<FurtherTargets> FurtherTargets::find(const LoadedTable& table, const Target& first,
                                            const FurtherTargetOptions& options) {
  FurtherTargets out;
  if (options.names.empty()) return out;
  if (!first.is_binary) {
    return invalid(fmt::format("--also: {}, the first target, is a number", first.name),
                   "several targets learn together when each is a yes or no");
  }
  out.tasks_.push_back({first.name});
  for (const std::string& name : options.names) {
    TRY_OK(add_task(name, out.tasks_));
    TRY(Target target, find_one(table, name));
    out.targets_.push_back(std::move(target));
  }
  if (out.tasks_.size() > kMostTasks) {
    return invalid(fmt::format("{} targets, must be at most {}", out.tasks_.size(), kMostTasks),
                   "");
  }
  TRY_OK(set_weights(options, out.tasks_));
  return out;
}

float FurtherTargets::label(std::size_t i, std::string_view cell) const {
  return label_of(targets_[i], cell);
}

Result<std::vector<float>> FurtherTargets::labels_with(const Target& first,
                                                       const LoadedTable& table,
                                                       std::span<const std::uint32_t> rows) const {
  TRY(const std::size_t first_column, table.need_column(first.name, "target"));
  std::vector<std::size_t> columns;
  for (const Target& target : targets_) {
    TRY(const std::size_t column, table.need_column(target.name, "also"));
    columns.push_back(column);
  }
  std::vector<float> labels;
  for (const std::uint32_t row : rows) {
    labels.push_back(label_of(first, table.cell(row, first_column)));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      labels.push_back(label(i, table.cell(row, columns[i])));
    }
  }
  return labels;
}

void FurtherTargets::add_labels(const LoadedTable& table, std::span<const std::uint32_t> rows,
                                Examples& out) const {
  out.further_labels.reserve(rows.size() * targets_.size());
  for (const std::uint32_t row : rows) {
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      out.further_labels.push_back(label(i, table.cell(row, targets_[i].column)));
    }
  }
}

Status FurtherTargets::check(const Plan& plan) const {
  for (const PlanFeature& feature : plan.features) {
    for (const std::string& input : feature.of) {
      for (const Target& target : targets_) {
        if (input_name(input).name != target.name) continue;
        return invalid(
            fmt::format("the plan makes a feature of {}, which --also predicts", target.name),
            "leave it out of one of the two");
      }
    }
  }
  return ok_status();
}

void FurtherTargets::mark(std::vector<PlanLine>& lines) const {
  for (const Target& target : targets_) {
    std::erase_if(lines, [&](const PlanLine& line) { return line.column == target.name; });
    lines.push_back({target.name, "target", "predicted too, and so no input"});
  }
}

}  // namespace attune
