#include "learn/stream_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "learn/cached_blocks.h"
#include "learn/calibrating.h"
#include "learn/evaluation.h"
#include "learn/file_blocks.h"

namespace attune {
namespace {

constexpr std::size_t kInputSampleRows = 20'000;  // to number fields, or the inputs of a network
constexpr std::uint32_t kLeastRowsOfAnInput = 5;
constexpr double kVector = 8;             // numbers for each id, of a network
constexpr std::size_t kMostFields = 256;  // later ones count as the last

// What was said of each row before it was learned from, as measures.
std::vector<Measure> progressive_measures(const ProgressiveMetrics& seen) {
  const auto measure = [](const char* name, std::optional<double> value,
                          std::optional<Interval> interval, const char* method) {
    Measure one{.name = name, .value = value, .interval = interval, .method = method};
    if (!value) one.undefined = "the rows have one class";
    return one;
  };
  std::vector<Measure> out = {
      measure("base_rate", seen.base_rate(), seen.base_rate_interval(), "Wilson"),
      measure("auc", seen.auc(), seen.auc_interval(), "DeLong"),
      measure("log_loss", seen.log_loss(), seen.log_loss_interval(), "normal"),
      measure("calibration", seen.calibration(), seen.calibration_interval(), "normal")};
  out[1].baseline = 0.5;
  out[1].compared_with = "any order";
  out[2].baseline = seen.base_log_loss();
  out[2].compared_with = "always the base rate";
  return out;
}

bool has_setting(const ModelOptions& options, std::string_view name,
                 std::optional<double> value = std::nullopt) {
  return std::any_of(options.settings.begin(), options.settings.end(), [&](const auto& setting) {
    return setting.first == name && setting.second == value.value_or(setting.second);
  });
}

// One training.
class StreamTraining {
 public:
  explicit StreamTraining(const StreamTrainingOptions& options) : options_(options) {
    report_.file = options.file;
    report_.input = options.format_name;
    report_.threshold = options.threshold;
    report_.threads = {std::max<std::size_t>(options.threads, 1), options.is_hogwild};
    trained_.input = options.format_name;
  }

  Result<TrainedModel> run() {
    if (is_calibrated() && options_.file == "-") {
      return Error{Code::kInvalid, "--calibrate reads the rows held back once more: name a file",
                   "calibrate", "standard input can be read only once"};
    }
    TRY_OK(make());
    TRY_OK(trained_.model->use_threads(report_.threads));
    FileBlocks blocks(options_.file, options_.format, trained_.example_options(name_sink()));
    const std::size_t ahead = options_.threads == 1 ? 0 : blocks_ahead();
    blocks.read_ahead(ahead);
    std::unique_ptr<CachedBlocks> cached;
    if (!options_.cache.empty()) {
      TRY_OK(forget_cache());
      TRY(cached, CachedBlocks::open(blocks, options_.file, row_form(), options_.cache));
      cached->read_ahead(trained_.model->team() != nullptr ? 0 : ahead);
    }
    BlockSource& source = cached ? static_cast<BlockSource&>(*cached) : blocks;
    HeldBackRows learned(source, options_.model.seed, HeldBackRows::Side::kLearned);
    MappedRows rows(is_calibrated() ? learned : source, trained_.inputs);
    FitOptions fit_options{.passes = options_.passes, .clock_s = options_.clock_s};
    fit_options.on_progress = [this](const FitProgress& progress) {
      if (options_.on_stage) options_.on_stage(trained_.model->kind(), progress);
    };
    TRY(FitReport fitted, fit(*trained_.model, rows, fit_options));
    TRY_OK(trained_.model->use_threads({1}));
    if (cached) cached->read_ahead(ahead);
    const RowNotes notes =
        cached ? cached->notes() : RowNotes{blocks.fields(), blocks.bad_rows(), blocks.first_bad()};
    trained_.fields = notes.fields;
    report_.bad_rows = notes.bad_rows;
    report_.first_bad = notes.first_bad;
    report_.cache = options_.cache;
    report_.is_cache_reused = cached && cached->is_reused();
    TRY_OK(take(fitted));
    report_.warnings = trained_.model->doubts();
    TRY_OK(calibrate_on_held_back(source));
    TRY_OK(measure(fitted));
    for (std::string& doubt : doubts(report_)) report_.warnings.push_back(std::move(doubt));
    return TrainedModel{std::move(trained_), std::move(report_)};
  }

 private:
  bool is_calibrated() const { return options_.calibration != CalibrationKind::kNone; }

  // While the model learns from all it wants at once, as many are read.
  std::size_t blocks_ahead() const {
    const std::size_t at_once = trained_.model->blocks_at_once();
    return at_once == 1 ? Prefetch::kBlocks : at_once;
  }

  Status calibrate_on_held_back(BlockSource& source) {
    if (!is_calibrated()) return ok_status();
    HeldBackRows rows(source, options_.model.seed, HeldBackRows::Side::kHeldBack);
    TRY(calibration_.rows, calibrate(trained_, options_.calibration, rows, options_.passes));
    calibration_.kind = options_.calibration;
    report_.rows += calibration_.rows;
    return ok_status();
  }

  Status make() {
    ModelOptions options = options_.model;
    if (is_tree_kind(options.kind) && options_.test_file.empty()) {
      return Error{Code::kInvalid,
                   fmt::format("kind {} learns when it has seen all rows, so they cannot tell how "
                               "good it is: name a file to test on",
                               options.kind),
                   "test", "--test FILE, with rows that are not in the first file"};
    }
    trained_.has_numbers = is_tree_kind(options.kind) && options_.format == ExampleFormat::kCriteo;
    // With so many rows the rates of few ids say as much as a column for each, for less time.
    if (trained_.has_numbers && !has_setting(options, "few")) {
      options.settings.emplace_back("few", 1);
    }
    const bool is_network = needs_inputs(options.kind);
    if (is_network && !has_setting(options, "k")) options.settings.emplace_back("k", kVector);
    if (is_network || reads_fields(options.kind)) {
      TRY(const auto reader, ExampleReader::open(options_.file, options_.format));
      Examples sample;
      TRY([[maybe_unused]] const bool has_rows, reader->next(kInputSampleRows, sample));
      options.inputs = std::min(std::max<std::size_t>(reader->fields(), 1), kMostFields);
      if (is_network && has_setting(options, "k", 0)) {
        trained_.inputs = InputMap::make(sample, kLeastRowsOfAnInput);
        options.inputs = trained_.inputs->inputs();
      }
    }
    TRY(trained_.model, make_model(options));
    return ok_status();
  }

  // Rows of another form are not those a cache holds.
  std::string row_form() const {
    return trained_.has_numbers ? options_.format_name + " with numbers" : options_.format_name;
  }

  // A cache holds no names of features.
  Status forget_cache() const {
    if (!options_.keeps_names) return ok_status();
    std::error_code fault;
    std::filesystem::remove(options_.cache, fault);
    return ok_status();
  }

  NameSink name_sink() {
    if (!options_.keeps_names) return nullptr;
    return [this](std::uint32_t hash, std::string_view name) { trained_.names.add(hash, name); };
  }

  Status take(const FitReport& fitted) {
    report_.is_binary = trained_.model->is_probability();
    report_.rows = fitted.rows + fitted.unlabelled + report_.bad_rows;
    report_.train_rows = fitted.rows;
    report_.unlabelled = fitted.unlabelled;
    report_.rows_learned = fitted.rows * fitted.best_passes;
    report_.table = trained_.model->counts();
    report_.is_collision_free = trained_.model->options().collision_free;
    report_.pass_seconds = fitted.passes_s;
    report_.learner_seconds = fitted.learner_s;
    const auto invalid = [&](const std::string& what) {
      std::string hint;
      if (!report_.first_bad.empty()) {
        const BadRow& bad = report_.first_bad.front();
        hint = fmt::format("the first of {} bad rows is line {}: {}", report_.bad_rows, bad.line,
                           bad.reason);
      }
      return Error{Code::kInvalid, options_.file + ": " + what, "file", hint};
    };
    if (fitted.rows == 0) return invalid("no row has a label to learn from");
    if (!report_.is_binary) return ok_status();
    const std::uint64_t yes = fitted.positives;
    trained_.known_rate = static_cast<double>(yes) / static_cast<double>(fitted.rows);
    if (yes == 0) return invalid(fmt::format("0 positive examples in {} rows", fitted.rows));
    if (yes == fitted.rows) return invalid(fmt::format("0 negative examples in {} rows", yes));
    return ok_status();
  }

  Status measure(const FitReport& fitted) {
    KindReport kind{.kind = std::string(trained_.model->kind()),
                    .settings = {},
                    .passes = fitted.best_passes,
                    .losses = fitted.losses,
                    .is_still_falling = fitted.is_still_falling(),
                    .measures = {},
                    .folds = {},
                    .calibration = {}};
    if (options_.test_file.empty()) {
      report_.measured_on = "each row before it was learned from, in the first pass";
      if (is_calibrated()) report_.measured_on += ", not calibrated yet";
      report_.test_rows = fitted.rows;
      if (report_.is_binary) kind.measures = progressive_measures(fitted.progressive);
    } else {
      report_.measured_on = options_.test_file;
      Evaluation evaluation({report_.is_binary, options_.threshold, trained_.known_rate});
      TRY_OK(score(evaluation));
      report_.test_rows = evaluation.rows();
      kind.measures = evaluation.measures();
    }
    kind.calibration = std::move(calibration_);
    report_.kinds = {std::move(kind)};
    return ok_status();
  }

  Status score(Evaluation& evaluation) {
    FileBlocks blocks(options_.test_file, options_.format, trained_.example_options());
    TRY_OK(blocks.begin(0));
    Examples block;
    std::vector<float> predicted;
    FitProgress progress;
    while (true) {
      TRY(const bool has_rows, blocks.next(block));
      if (!has_rows) break;
      trained_.predict_raw(block, predicted);
      for (std::size_t i = 0; i < predicted.size(); ++i) {
        const float calibrated = trained_.calibrated(predicted[i]);
        evaluation.add(calibrated, block.labels[i]);
        calibration_.add(predicted[i], calibrated, block.labels[i]);
      }
      progress.share = blocks.share();
      progress.rows = evaluation.rows();
      if (options_.on_stage) options_.on_stage("testing", progress);
    }
    report_.bad_rows += blocks.bad_rows();
    if (evaluation.rows() > 0) return ok_status();
    return Error{Code::kInvalid, options_.test_file + ": no row has a label to test against",
                 "test", ""};
  }

  const StreamTrainingOptions& options_;
  Trained trained_;
  TrainReport report_;
  CalibrationReport calibration_;
};

}  // namespace

Result<TrainedModel> train_stream(const StreamTrainingOptions& options) {
  return StreamTraining(options).run();
}

}  // namespace attune
