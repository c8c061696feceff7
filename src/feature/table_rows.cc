#include "feature/table_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bytes.h"
#include "feature/plan_kinds.h"
#include "feature/table_fit.h"

namespace attune {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMostColumns = 65'536;

std::optional<std::size_t> place_of(std::string_view name,
                                    const std::vector<std::string>& columns) {
  const auto at = std::find(columns.begin(), columns.end(), name);
  if (at == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(at - columns.begin());
}

Error no_column(std::string_view name, const std::vector<std::string>& columns) {
  std::string known;
  for (std::size_t i = 0; i < std::min<std::size_t>(columns.size(), 20); ++i) {
    known += (known.empty() ? "" : ", ") + columns[i];
  }
  if (columns.size() > 20) known += ", ...";
  return {Code::kInvalid, fmt::format("no column {}{}", name, did_you_mean(name, columns)),
          std::string(name), "the columns are " + known};
}

// What its features are called by, and salted by.
std::string stem_of(const PlanFeature& f) {
  std::string stem = f.is_log ? "log " : "";
  for (std::size_t i = 0; i < f.of.size(); ++i) {
    if (i > 0) stem += " x ";
    stem += input_name(f.of[i]).name;
  }
  if (f.kind == FeatureKind::kTime) stem += " " + f.part;
  return stem;
}

}  // namespace

struct TableRows::State {
  Plan plan;
  std::vector<std::string> columns;
  std::vector<TableStep> steps;
  std::vector<TableFit> fits;  // parallel to steps until fitted
  std::optional<std::size_t> target, weight;
  std::vector<std::string> field_names;
  bool is_fitted = false;

  Status place(std::span<const std::string> names, bool is_strict);
  Status number_fields();
  void link();
  Status read_fitted(Reader& in);
};

// Finds every column of the plan. is_strict: the target and the weight, too.
Status TableRows::State::place(std::span<const std::string> names, bool is_strict) {
  columns.assign(names.begin(), names.end());
  for (TableStep& step : steps) {
    step.columns.clear();
    for (const std::string& input : step.feature.of) {
      const std::string_view name = input_name(input).name;
      const auto at = place_of(name, columns);
      if (!at) return no_column(name, columns);
      step.columns.push_back(*at);
    }
  }
  link();
  target = plan.target.empty() ? std::nullopt : place_of(plan.target, columns);
  weight = plan.weight.empty() ? std::nullopt : place_of(plan.weight, columns);
  if (is_strict && !plan.target.empty() && !target) return no_column(plan.target, columns);
  if (is_strict && !plan.weight.empty() && !weight) return no_column(plan.weight, columns);
  return ok_status();
}

void TableRows::State::link() {
  for (TableStep& step : steps) {
    const auto at =
        step.feature.as.empty() ? std::nullopt : place_of_category(plan, step.feature.as);
    step.like = at ? &steps[*at] : nullptr;
  }
}

Status TableRows::State::number_fields() {
  field_names.clear();
  for (TableStep& step : steps) {
    step.field = static_cast<std::uint16_t>(field_names.size());
    const bool is_vector = step.feature.kind == FeatureKind::kVector;
    for (std::size_t i = 0; i < step.fields(); ++i) {
      field_names.push_back(is_vector ? fmt::format("{}[{}]", step.stem, i)
                            : i == 0  ? step.stem
                                      : step.stem + " is no number");
    }
    if (field_names.size() > std::numeric_limits<std::uint16_t>::max()) {
      return Error{Code::kInvalid, "plan: more than 65,535 fields in a row", step.stem,
                   "leave out some vectors"};
    }
  }
  return ok_status();
}

TableRows::TableRows(std::unique_ptr<State> state) : state_(std::move(state)) {}
TableRows::TableRows(TableRows&&) noexcept = default;
TableRows& TableRows::operator=(TableRows&&) noexcept = default;
TableRows::~TableRows() = default;

Result<TableRows> TableRows::make(const Plan& plan, std::span<const std::string> columns) {
  auto state = std::make_unique<State>();
  state->plan = plan;
  for (const PlanFeature& feature : plan.features) {
    const bool is_column = !feature.of.empty() && input_name(feature.of[0]).source == "column";
    if (!is_column && feature.kind != FeatureKind::kBias) {
      return Error{
          Code::kInvalid,
          fmt::format("a feature of kind {}{} is of decisions, not of a table",
                      kind_name(feature.kind), feature.of.empty() ? "" : " of " + feature.of[0]),
          "feature", "inputs of a table are column.NAME"};
    }
    for (const std::string& input : feature.of) {
      if (input_name(input).name != plan.target || plan.target.empty()) continue;
      return Error{Code::kInvalid, fmt::format("{} is the target and a feature", input), "feature",
                   "a model cannot see what it is to predict"};
    }
    TableStep& step = state->steps.emplace_back();
    step.feature = feature;
    step.stem = stem_of(feature);
    step.salt = mix64(hash64(kind_name(feature.kind)), hash64(step.stem));
  }
  TRY_OK(state->place(columns, true));
  state->fits.resize(state->steps.size());
  return TableRows(std::move(state));
}

bool TableRows::needs_fit() const {
  return std::any_of(state_->steps.begin(), state_->steps.end(),
                     [](const TableStep& step) { return TableFit::needs(step.feature); });
}

void TableRows::fit(Cells cells) {
  CHECK(!state_->is_fitted && cells.size() == state_->columns.size());
  for (std::size_t i = 0; i < state_->steps.size(); ++i) {
    const TableStep& step = state_->steps[i];
    if (TableFit::needs(step.feature)) state_->fits[i].add(step, cells[step.columns[0]]);
  }
}

Status TableRows::finish_fit() {
  CHECK(!state_->is_fitted);
  for (std::size_t i = 0; i < state_->steps.size(); ++i) {
    if (TableFit::needs(state_->steps[i].feature)) {
      TRY_OK(state_->fits[i].finish(state_->steps[i]));
    }
  }
  state_->fits.clear();
  TRY_OK(state_->number_fields());
  state_->is_fitted = true;
  return ok_status();
}

float TableRows::label(Cells cells) const {
  constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();
  if (!state_->target) return kUnknown;
  const std::string_view cell = trimmed(cells[*state_->target]);
  if (cell.empty()) return kUnknown;
  if (!state_->plan.positive.empty()) return cell == state_->plan.positive ? 1.0F : 0.0F;
  const auto number = number_of(cell);
  return number ? static_cast<float>(*number) : kUnknown;
}

void TableRows::append(Cells cells, Examples& out) const {
  CHECK(state_->is_fitted && cells.size() == state_->columns.size());
  for (const TableStep& step : state_->steps) {
    step.emit(cells, [&](std::uint32_t hash, float value, std::uint16_t field, const auto&) {
      out.features.push_back({hash, value});
      out.fields.push_back(field);
    });
  }
  out.labels.push_back(label(cells));
  if (state_->weight) {
    const double weight = number_of(cells[*state_->weight]).value_or(0);
    out.weights.push_back(weight > 0 ? static_cast<float>(weight) : 0.0F);
  }
  out.ends.push_back(static_cast<std::uint32_t>(out.features.size()));
}

void TableRows::name(Cells cells, const Name& name) const {
  CHECK(state_->is_fitted && cells.size() == state_->columns.size());
  for (const TableStep& step : state_->steps) {
    step.emit(cells, [&](std::uint32_t hash, float, std::uint16_t, const auto& text) {
      name(hash, text());
    });
  }
}

Result<TableRows> TableRows::bind(std::span<const std::string> columns) const {
  auto state = std::make_unique<State>(*state_);
  TRY_OK(state->place(columns, false));
  return TableRows(std::move(state));
}

const Plan& TableRows::plan() const { return state_->plan; }
const std::vector<std::string>& TableRows::columns() const { return state_->columns; }
std::optional<std::size_t> TableRows::target() const { return state_->target; }
std::optional<std::size_t> TableRows::weight() const { return state_->weight; }
const std::vector<std::string>& TableRows::field_names() const { return state_->field_names; }

std::vector<SequenceField> TableRows::sequences() const {
  std::vector<SequenceField> all;
  for (const TableStep& step : state_->steps) {
    const bool has_room = all.size() < kMostSequences;
    if (step.like && has_room) all.push_back({step.field, step.like->field, step.turn()});
  }
  return all;
}

void TableRows::encode(std::string& out) const {
  CHECK(state_->is_fitted);
  Writer w(out);
  w.u8(kVersion);
  w.str(state_->plan.toml());
  w.varint(state_->columns.size());
  for (const std::string& column : state_->columns) w.str(column);
  for (const TableStep& step : state_->steps) {
    w.f64(step.mean);
    w.f64(step.deviation);
    w.varint(step.edges.size());
    for (const double edge : step.edges) w.f64(edge);
    w.varint(step.frequent.size());
    for (const std::uint32_t hash : step.frequent) w.u32(hash);
    w.varint(step.length);
  }
}

Status TableRows::State::read_fitted(Reader& in) {
  const Error damaged{Code::kCorrupt, "stored plan of a table: what was fitted makes no sense"};
  for (TableStep& step : steps) {
    step.mean = in.f64();
    step.deviation = in.f64();
    // Lists end with the bytes: a wrong count allocates nothing.
    for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) step.edges.push_back(in.f64());
    for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) step.frequent.push_back(in.u32());
    step.length = in.varint();
    const bool is_sorted =
        std::is_sorted(step.edges.begin(), step.edges.end(), std::less_equal<>()) &&
        std::is_sorted(step.frequent.begin(), step.frequent.end(), std::less_equal<>());
    const bool is_number = std::isfinite(step.mean) && step.deviation > 0 &&
                           std::isfinite(step.deviation) &&
                           std::none_of(step.edges.begin(), step.edges.end(),
                                        [](double edge) { return !std::isfinite(edge); });
    if (!is_sorted || !is_number || step.length > TableFit::kMostLength) return damaged;
  }
  return in.ok() && in.done() ? ok_status() : Status(damaged);
}

Result<TableRows> TableRows::decode(std::string_view bytes) {
  Reader in(bytes);
  if (in.u8() != kVersion) {
    return Error{Code::kCorrupt, "stored plan of a table: unknown version"};
  }
  TRY(const Plan plan, Plan::parse(in.str(), "stored plan of a table"));
  std::vector<std::string> columns;
  const std::uint64_t count = in.varint();
  if (count > kMostColumns) return Error{Code::kCorrupt, "stored plan of a table: damaged"};
  for (std::uint64_t n = count; n > 0 && in.ok(); --n) columns.emplace_back(in.str());
  TRY(TableRows rows, make(plan, columns));
  rows.state_->fits.clear();
  TRY_OK(rows.state_->read_fitted(in));
  TRY_OK(rows.state_->number_fields());
  rows.state_->is_fitted = true;
  return rows;
}

}  // namespace attune
