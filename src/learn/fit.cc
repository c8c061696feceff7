#include "learn/fit.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/float8.h"

namespace attune {
namespace {

constexpr std::uint64_t kProgressRows = 8 * kBlockRows;  // between two calls of on_progress
constexpr double kStillFalling = 0.005;                  // of the loss, in one pass

// Of probabilities: the logs of p and of 1 - p.
class Logs {
 public:
  void take(std::span<const float> predicted) {
    const std::size_t whole = (predicted.size() + 7) / 8 * 8;
    of_p_.assign(whole, 0.5F);
    of_rest_.resize(whole);
    std::ranges::copy(predicted, of_p_.begin());
    for (std::size_t i = 0; i < whole; i += 8) {
      const Float8 p = Float8::load(&of_p_[i]), least(1e-7F);
      natural_log(larger(p, least)).store(&of_p_[i]);
      natural_log(larger(Float8(1.0F) - p, least)).store(&of_rest_[i]);
    }
  }
  std::span<const float> of_p() const { return of_p_; }
  std::span<const float> of_rest() const { return of_rest_; }
  // Looked up, not jumped to: nobody can guess labels.
  float loss(std::size_t i, float label) const {
    const std::array<float, 2> logs{of_rest_[i], of_p_[i]};
    return -logs[label > 0.5F ? 1 : 0];
  }

 private:
  std::vector<float> of_p_, of_rest_;
};

// What a pass has added up.
struct Pass {
  double loss = 0, recent_loss = 0;
  std::uint64_t rows = 0, recent_rows = 0, unlabelled = 0, positives = 0;
};

// loss_of_row: by number.
template <class Loss>
void count(const Examples& block, const Loss& loss_of_row, Pass& pass) {
  double loss = 0;
  std::uint64_t rows = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (std::isnan(block.labels[i])) continue;
    loss += loss_of_row(i);
    ++rows;
    pass.positives += block.labels[i] > 0.5F ? 1 : 0;
  }
  pass.loss += loss;
  pass.recent_loss += loss;
  pass.rows += rows;
  pass.recent_rows += rows;
  pass.unlabelled += block.size() - rows;
}

class Fitter {
 public:
  Fitter(Model& model, BlockSource& rows, const FitOptions& options)
      : model_(model),
        rows_(rows),
        options_(options),
        passes_(model.learns_at_end() ? 1 : options.passes),
        blocks_(model.blocks_at_once()),
        before_(blocks_.size()) {}

  Result<FitReport> run() {
    for (std::size_t pass = 0; pass < passes_; ++pass) {
      const double begin = clock();
      TRY_OK(run_pass(pass));
      report_.passes_s += clock() - begin;
      if (model_.learns_at_end()) TRY_OK(finish());
      if (!options_.validate) continue;
      TRY(const double loss, options_.validate());
      report_.validations.push_back(loss);
      if (pass + 1 >= best() + options_.patience) break;
    }
    report_.best_passes = options_.validate ? best() : passes_;
    return std::move(report_);
  }

 private:
  // Passes until the least loss so far.
  std::size_t best() const {
    const auto least = std::min_element(report_.validations.begin(), report_.validations.end());
    return static_cast<std::size_t>(least - report_.validations.begin()) + 1;
  }
  double clock() const { return options_.clock_s ? options_.clock_s() : 0; }

  Status run_pass(std::size_t number) {
    Pass pass;
    TRY_OK(rows_.begin(number));
    has_more_ = true;
    while (true) {
      TRY(const std::size_t blocks, read_blocks());
      if (blocks == 0) break;
      const double begin = clock();
      model_.learn_blocks(std::span(blocks_).first(blocks), before_);
      report_.learner_s += clock() - begin;
      for (std::size_t b = 0; b < blocks; ++b) {
        count_block(blocks_[b], before_[b], number == 0, pass);
      }
      if (pass.recent_rows >= kProgressRows) say(number, pass);
    }
    say(number, pass);
    if (!model_.learns_at_end()) {
      report_.losses.push_back(pass.rows == 0 ? 0 : pass.loss / static_cast<double>(pass.rows));
    }
    report_.rows = pass.rows;
    report_.unlabelled = pass.unlabelled;
    report_.positives = pass.positives;
    return ok_status();
  }

  // As many as the model wants at once, less at the end; how many.
  Result<std::size_t> read_blocks() {
    if (!has_more_) return 0;
    TRY(const std::size_t blocks, rows_.next_some(blocks_, model_.team()));
    has_more_ = blocks == blocks_.size();
    for (std::size_t b = 0; b < blocks; ++b) before_[b].resize(blocks_[b].size());
    return blocks;
  }

  Status finish() {
    const double begin = clock();
    TRY_OK(model_.finish());
    report_.learner_s += clock() - begin;
    report_.is_cut_short = model_.is_still_falling();
    return ok_status();
  }

  void count_block(const Examples& block, std::span<const float> before, bool is_first_pass,
                   Pass& pass) {
    const auto loss = [&](std::size_t i) { return loss_of(model_, before[i], block.labels[i]); };
    if (!model_.is_probability() || model_.learns_at_end()) return count(block, loss, pass);
    logs_.take(before);
    count(
        block, [&](std::size_t i) { return double{logs_.loss(i, block.labels[i])}; }, pass);
    if (!is_first_pass) return;
    report_.progressive.add({before, logs_.of_p(), logs_.of_rest(), block.labels});
  }

  void say(std::size_t number, Pass& pass) {
    if (options_.on_progress && pass.recent_rows > 0) {
      options_.on_progress(
          {.pass = number,
           .passes = passes_,
           .share = rows_.share(),
           .rows = pass.rows,
           .recent_loss = pass.recent_loss / static_cast<double>(pass.recent_rows)});
    }
    pass.recent_loss = 0;
    pass.recent_rows = 0;
  }

  Model& model_;
  BlockSource& rows_;
  const FitOptions& options_;
  const std::size_t passes_;
  FitReport report_;
  std::vector<Examples> blocks_;
  std::vector<std::vector<float>> before_;
  Logs logs_;
  bool has_more_ = true;  // rows in this pass
};

}  // namespace

bool FitReport::is_still_falling() const {
  if (is_cut_short) return true;
  if (losses.size() < 2) return false;
  const double before = losses[losses.size() - 2];
  return before - losses.back() > kStillFalling * std::fabs(before);
}

double loss_of(const Model& model, float predicted, float label) {
  if (std::isnan(predicted) || std::isnan(label)) return 0;
  if (!model.is_probability()) {
    const double error = static_cast<double>(predicted) - static_cast<double>(label);
    return error * error;
  }
  const float p = std::clamp(label > 0.5F ? predicted : 1 - predicted, 1e-7F, 1.0F);
  return -static_cast<double>(std::log(p));
}

Result<FitReport> fit(Model& model, BlockSource& rows, const FitOptions& options) {
  CHECK(options.passes > 0 && options.patience > 0);
  return Fitter(model, rows, options).run();
}

Result<double> mean_loss(const Model& model, BlockSource& rows) {
  Examples block;
  std::vector<float> predicted;
  Pass pass;
  TRY_OK(rows.begin(0));
  while (true) {
    TRY(const bool has_rows, rows.next(block));
    if (!has_rows) break;
    predicted.resize(block.size());
    model.predict(block, predicted);
    const auto loss = [&](std::size_t i) { return loss_of(model, predicted[i], block.labels[i]); };
    count(block, loss, pass);
  }
  return pass.rows == 0 ? 0 : pass.loss / static_cast<double>(pass.rows);
}

}  // namespace attune
