#include "cli/explain_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "cli/plot.h"
#include "cli/words.h"
#include "learn/what_if.h"

namespace attune {
namespace {

constexpr std::size_t kBar = 30, kWidestName = 32, kPoints = 20, kPlotRows = 8, kColumnsAPoint = 3;

std::string shown(const std::string& value) { return value.empty() ? "(empty)" : value; }

void write_interval(JsonWriter& json, const std::optional<Interval>& range) {
  if (!range) {
    json.null();
    return;
  }
  json.begin_array().value(range->low).value(range->high).end_array();
}

Status say_importance(const RowSample& rows, const ExplainModelOptions& options) {
  const std::vector<ColumnImportance> all = importance(rows, options.seed);
  const bool has_labels = !all.empty() && all.front().loss.has_value();
  if (options.is_json) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("rows", std::uint64_t{rows.size()}).key("columns").begin_array();
    for (const ColumnImportance& one : all) {
      json.begin_object().field("column", one.column).field("moved", one.moved).key("loss");
      one.loss ? json.value(*one.loss) : json.null();
      json.key("loss_interval");
      write_interval(json, one.interval);
      json.end_object();
    }
    json.end_array().end_object();
    std::printf("%s\n", out.c_str());
    return ok_status();
  }
  const bool is_probability = rows.trained().model->is_probability();
  std::printf("by mixing up each column over %s rows: %s, and how far predictions move\n",
              thousands(rows.size()).c_str(),
              !has_labels      ? "no labels"
              : is_probability ? "what it costs in log loss (95 %)"
                               : "what it costs in squared error (95 %)");
  double most = 0;
  std::size_t width = 6;
  for (const ColumnImportance& one : all) {
    most = std::max(most, one.loss.value_or(one.moved));
    width = std::max(width, std::min(kWidestName, columns(one.column)));
  }
  for (std::size_t i = 0; i < std::min(all.size(), options.top); ++i) {
    const ColumnImportance& one = all[i];
    std::string line = "  " + left(one.column, width) + " " +
                       bar(std::max(0.0, one.loss.value_or(one.moved)), most, kBar);
    if (one.loss) line += fmt::format(" {:+.4f}", *one.loss);
    if (one.interval)
      line += fmt::format(" ({:+.4f} to {:+.4f})", one.interval->low, one.interval->high);
    std::printf("%s  moves %.4f\n", line.c_str(), one.moved);
  }
  return ok_status();
}

void write_dependence(const RowSample& rows, const Dependence& found) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("column", found.column).field("is_number", found.is_number);
  json.field("rows", std::uint64_t{rows.size()}).key("points").begin_array();
  for (const DependencePoint& point : found.points) {
    json.begin_object().field("value", point.value).field("mean", point.mean);
    json.field("low", point.low).field("high", point.high).field("count", point.count);
    json.key("rows").begin_array();
    for (const float p : point.rows) json.value(static_cast<double>(p));
    json.end_array().end_object();
  }
  json.end_array().end_object();
  std::printf("%s\n", out.c_str());
}

void plot_numbers(const Dependence& found, double low, double high) {
  std::vector<double> means;
  for (const DependencePoint& point : found.points) {
    means.insert(means.end(), kColumnsAPoint, point.mean);
  }
  const auto lines = columns_plot(means, low, high, kPlotRows);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool is_edge = i == 0 || i + 1 == lines.size();
    std::printf("%s %s\n",
                is_edge ? fmt::format("{:9.4f}", i == 0 ? high : low).c_str() : "         ",
                lines[i].c_str());
  }
  const std::string& first = found.points.front().value;
  const std::string& last = found.points.back().value;
  const std::size_t width = std::max(means.size(), columns(first) + columns(last) + 1);
  std::printf("          %s%s\n\n", left(first, width - columns(last)).c_str(), last.c_str());
}

Status say_dependence(const RowSample& rows, const ExplainModelOptions& options) {
  TRY(const std::size_t column, rows.find(options.column));
  const Dependence found = dependence(rows, column, kPoints);
  if (options.is_json) {
    write_dependence(rows, found);
    return ok_status();
  }
  double low = found.points.front().mean, high = low;
  std::size_t width = 6;
  for (const DependencePoint& point : found.points) {
    low = std::min(low, point.mean);
    high = std::max(high, point.mean);
    width = std::max(width, std::min(kWidestName, columns(shown(point.value))));
  }
  std::printf("mean prediction were %s so for all of %s rows (a tenth below, above):\n\n",
              found.column.c_str(), thousands(rows.size()).c_str());
  if (found.is_number && found.points.size() > 1) plot_numbers(found, low, high);
  for (const DependencePoint& point : found.points) {
    std::printf("  %s %s %.4f (%.4f, %.4f)\n", left(shown(point.value), width).c_str(),
                bar(point.mean, std::max(high, 1e-9), kBar).c_str(), point.mean, point.low,
                point.high);
  }
  return ok_status();
}

Status say_counterfactual(const RowSample& rows, const ExplainModelOptions& options) {
  const auto found = counterfactual(rows);
  const bool is_probability = rows.trained().model->is_probability();
  if (options.is_json) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("row", std::uint64_t{options.row}).key("counterfactual");
    if (found) {
      json.begin_object().field("column", found->column).field("was", found->was);
      json.field("value", found->value).field("is_or_beyond", found->is_or_beyond);
      json.field("now", found->now).field("would", found->would);
      json.field("words", counterfactual_words(*found, is_probability)).end_object();
    } else {
      json.null();
    }
    json.end_object();
    std::printf("%s\n", out.c_str());
    return ok_status();
  }
  std::printf("%s\n", found ? counterfactual_words(*found, is_probability).c_str()
                            : "no change of a single column moves this prediction");
  return ok_status();
}

}  // namespace

bool asks_what_if(const ExplainModelOptions& options) {
  return options.is_importance || options.is_counterfactual || !options.column.empty();
}

Status explain_rows(const Trained& trained, const ExplainModelOptions& options) {
  const int asked =
      int{options.is_importance} + int{options.is_counterfactual} + int{!options.column.empty()};
  if (asked > 1) {
    return Error{Code::kInvalid, "--importance, --column and --counterfactual: one at a time",
                 "importance", ""};
  }
  if (options.file.file.empty()) {
    return Error{Code::kInvalid, "which rows? name a file with the columns of the model", "file",
                 "attune explain --model MODEL --importance FILE"};
  }
  if (options.is_counterfactual && options.row == 0) {
    return Error{Code::kInvalid, "--counterfactual needs --row N", "row", ""};
  }
  TRY(const TableOptions table, options.file.table());
  TRY(const RowSample rows, RowSample::read(trained, options.file.file, table,
                                            {.most = options.rows,
                                             .seed = options.seed,
                                             .row = options.is_counterfactual ? options.row : 0}));
  if (options.is_importance) return say_importance(rows, options);
  return options.is_counterfactual ? say_counterfactual(rows, options)
                                   : say_dependence(rows, options);
}

}  // namespace attune
