#include "learn/table_learner.h"

#include <algorithm>
#include <unordered_map>

#include "base/hash.h"
#include "learn/calibrating.h"
#include "learn/joint_scores.h"
#include "learn/split.h"
#include "stat/order_scores.h"

namespace attune {
namespace {

constexpr double kHeldBack = 0.1;      // of the rows, to find out how many passes are best
constexpr std::size_t kFewRows = 200;  // less than this: nothing is held back
constexpr std::size_t kPassesOfFew = 10;
constexpr std::uint32_t kLeastRowsOfAnInput = 5;

void append_rows(const TableRows& rows, const LoadedTable& table,
                 std::span<const std::uint32_t> numbers, Examples& out) {
  std::vector<std::string_view> cells;
  for (const std::uint32_t number : numbers) {
    table.cells(number, cells);
    rows.append(cells, out);
  }
}

Result<TableRows> fitted_rows(const LoadedTable& table, const Plan& plan,
                              std::span<const std::uint32_t> numbers) {
  TRY(TableRows rows, TableRows::make(plan, table.columns()));
  std::vector<std::string_view> cells;
  if (rows.needs_fit()) {
    for (const std::uint32_t number : numbers) {
      table.cells(number, cells);
      rows.fit(cells);
    }
  }
  TRY_OK(rows.finish_fit());
  return rows;
}

// Whether every field of its rows is one number: then fields are inputs as they are.
bool is_dense(const Plan& plan) {
  return std::all_of(plan.features.begin(), plan.features.end(), [](const PlanFeature& feature) {
    return feature.kind == FeatureKind::kNumber || feature.kind == FeatureKind::kVector;
  });
}

// Trees split a number wherever they like: its bins beside it are of no use to them.
Plan without_bins(const Plan& plan) {
  Plan out = plan;
  std::erase_if(out.features, [&](const PlanFeature& bins) {
    if (bins.kind != FeatureKind::kBins) return false;
    return std::any_of(plan.features.begin(), plan.features.end(), [&](const PlanFeature& other) {
      return other.kind == FeatureKind::kNumber && other.of == bins.of;
    });
  });
  return out;
}

struct Passes {
  std::size_t best = 0;
  std::vector<double> validations;
};

// The passes after which the rows held back were predicted best.
Result<Passes> best_passes(const Examples& examples, const TableLearnOptions& options) {
  if (is_tree_kind(options.model.kind)) return Passes{1, {}};
  if (options.passes != 0) return Passes{options.passes, {}};
  if (examples.size() < kFewRows) return Passes{kPassesOfFew, {}};
  const Split split = random_split(examples.labels, kHeldBack, options.model.seed);
  TRY(const auto model, make_model(options.model));
  TRY_OK(model->use_threads(options.threads));
  MemoryBlocks learned(examples, split.train), held_back(examples, split.test);
  learned.shuffled(options.model.seed);
  FitOptions fit_options{.passes = TableLearnOptions::kMostPasses,
                         .on_progress = options.on_progress,
                         .validate = [&] {
                           return model->heads() > 1 ? mean_joint_loss(*model, held_back)
                                                     : mean_loss(*model, held_back);
                         }};
  TRY(const FitReport report, fit(*model, learned, fit_options));
  return Passes{report.best_passes, report.validations};
}

}  // namespace

Examples MadeRows::more(const LoadedTable& table, std::span<const std::uint32_t> numbers) const {
  Examples out;
  append_rows(*rows, table, numbers, out);
  if (inputs) inputs->apply(out);
  return out;
}

Result<MadeRows> make_rows(const LoadedTable& table, const Plan& plan,
                           std::span<const std::uint32_t> rows, const std::string& kind) {
  MadeRows out;
  TRY(out.rows, fitted_rows(table, is_tree_kind(kind) ? without_bins(plan) : plan, rows));
  append_rows(*out.rows, table, rows, out.examples);
  if (reads_fields(kind)) out.model_inputs = out.rows->fields();
  if (takes_sequences(kind)) out.sequences = out.rows->sequences();
  if (!needs_inputs(kind)) return out;
  if (is_dense(plan)) {
    out.model_inputs = out.rows->fields();
  } else {
    out.inputs = InputMap::make(out.examples, kLeastRowsOfAnInput);
    out.inputs->apply(out.examples);
    out.model_inputs = out.inputs->inputs();
  }
  return out;
}

namespace {

void take_further_labels(const LoadedTable& table, std::span<const std::uint32_t> rows,
                         const TableLearnOptions& options, Examples& examples) {
  options.further->add_labels(table, rows, examples);
  if (!options.alone) return;
  for (std::size_t r = 0; r < examples.size(); ++r) {
    examples.labels[r] = examples.label(r, 1 + *options.alone);
  }
  examples.further_labels.clear();
}

// Labels as they differ from the mean of their group: the order is the same, and what is known of
// an id is no longer of which groups it was in.
void centre_groups(Examples& examples) {
  std::unordered_map<std::uint32_t, std::pair<double, double>> sums;  // of labels, rows
  for (std::size_t row = 0; row < examples.groups.size(); ++row) {
    auto& [sum, rows] = sums[examples.groups[row]];
    sum += double{examples.labels[row]};
    rows += 1;
  }
  for (std::size_t row = 0; row < examples.groups.size(); ++row) {
    const auto& [sum, rows] = sums[examples.groups[row]];
    examples.labels[row] = static_cast<float>(double{examples.labels[row]} - sum / rows);
  }
}

// Groups in an order by chance, the rows of each side by side.
std::vector<std::uint32_t> group_after_group(const Examples& examples,
                                             const TableLearnOptions& options) {
  std::vector<std::uint32_t> rows = every_row(examples.size());
  const auto place = [&](std::uint32_t row) {
    return std::pair(mix64(options.model.seed, examples.groups[row]), examples.groups[row]);
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return place(a) < place(b); });
  return rows;
}

Result<LearnedTable> learn_rows(const LoadedTable& table, const Plan& plan,
                                std::span<const std::uint32_t> rows,
                                const TableLearnOptions& options) {
  TRY(MadeRows made, make_rows(table, plan, rows, options.model.kind));
  if (options.further) take_further_labels(table, rows, options, made.examples);
  for (const std::uint32_t row : rows) {
    if (!options.groups.empty()) made.examples.groups.push_back(options.groups[row]);
  }
  if (!are_grades(made.examples.labels)) centre_groups(made.examples);
  const Examples& examples = made.examples;
  TableLearnOptions settled = options;
  settled.model.inputs = made.model_inputs;
  settled.model.sequences = made.sequences;
  TRY(Passes passes, best_passes(examples, settled));
  TRY(auto model, make_model(settled.model));
  TRY_OK(model->use_threads(options.threads));
  MemoryBlocks blocks(examples, options.groups.empty() ? every_row(examples.size())
                                                       : group_after_group(examples, settled));
  if (options.groups.empty()) blocks.shuffled(settled.model.seed);
  TRY(FitReport report,
      fit(*model, blocks,
          {.passes = passes.best, .clock_s = options.clock_s, .on_progress = options.on_progress}));
  TRY_OK(model->use_threads({1}));
  report.validations = std::move(passes.validations);
  LearnedTable learned{{.input = kTableInput,
                        .rows = std::move(made.rows),
                        .inputs = std::move(made.inputs),
                        .model = std::move(model)},
                       std::move(report)};
  return learned;
}

}  // namespace

Result<LearnedTable> learn_table(const LoadedTable& table, const Plan& plan,
                                 std::span<const std::uint32_t> rows,
                                 const TableLearnOptions& options) {
  if (options.calibration == CalibrationKind::kNone) {
    return learn_rows(table, plan, rows, options);
  }
  std::vector<std::uint32_t> learned_from, held_back;
  for (const std::uint32_t row : rows) {
    (is_held_back(row, options.model.seed) ? held_back : learned_from).push_back(row);
  }
  TRY(LearnedTable learned, learn_rows(table, plan, learned_from, options));
  Examples examples;
  append_rows(*learned.trained.rows, table, held_back, examples);
  if (options.further) take_further_labels(table, held_back, options, examples);
  MemoryBlocks blocks(examples, every_row(examples.size()));
  TRY(learned.calibration_rows, calibrate(learned.trained, options.calibration, blocks, 0));
  return learned;
}

FeatureNames feature_names(const TableRows& rows, const LoadedTable& table,
                           std::span<const std::uint32_t> numbers) {
  FeatureNames names;
  std::vector<std::string_view> cells;
  for (const std::uint32_t number : numbers) {
    table.cells(number, cells);
    rows.name(cells, [&](std::uint32_t hash, std::string_view name) { names.add(hash, name); });
  }
  return names;
}

Result<HeadPredictions> predict_heads(const Trained& trained, const LoadedTable& table,
                                      std::span<const std::uint32_t> rows) {
  CHECK(trained.rows.has_value());
  TRY(const TableRows bound, trained.rows->bind(table.columns()));
  const std::size_t heads = trained.model->heads();
  Examples block;
  std::vector<float> raw;
  HeadPredictions out;
  for (std::size_t at = 0; at < rows.size(); at += kBlockRows) {
    block.clear();
    append_rows(bound, table, rows.subspan(at, std::min(kBlockRows, rows.size() - at)), block);
    trained.predict_heads_raw(block, raw);
    out.raw.insert(out.raw.end(), raw.begin(), raw.end());
  }
  for (std::size_t i = 0; i < out.raw.size(); ++i) {
    out.predicted.push_back(trained.calibrated(out.raw[i], i % heads));
  }
  return out;
}

Result<Predictions> predict_table(const Trained& trained, const LoadedTable& table,
                                  std::span<const std::uint32_t> rows) {
  CHECK(trained.rows.has_value());
  TRY(const TableRows bound, trained.rows->bind(table.columns()));
  Predictions out;
  Examples block;
  std::vector<float> predicted;
  for (std::size_t at = 0; at < rows.size(); at += kBlockRows) {
    block.clear();
    append_rows(bound, table, rows.subspan(at, std::min(kBlockRows, rows.size() - at)), block);
    trained.predict_raw(block, predicted);
    out.raw.insert(out.raw.end(), predicted.begin(), predicted.end());
    for (const float raw : predicted) out.predicted.push_back(trained.calibrated(raw));
    out.labels.insert(out.labels.end(), block.labels.begin(), block.labels.end());
  }
  return out;
}

}  // namespace attune
