#include "learn/train_report.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/json.h"

namespace attune {
namespace {

constexpr std::uint64_t kLeastTestRows = 1000;  // to judge a model by
constexpr double kManyCollisions = 0.2;         // share of ids from which it is worth a word
constexpr std::uint64_t kFewToCalibrate = 1000;
constexpr double kSkewed = 0.8;  // share of the common class from which accuracy says little

void write_strings(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_optional(JsonWriter& json, std::string_view name, const std::optional<double>& value) {
  json.key(name);
  value ? json.value(*value) : json.null();
}

void write_calibration(JsonWriter& json, const CalibrationReport& calibration) {
  if (calibration.kind == CalibrationKind::kNone) return;
  json.key("calibrated_by").begin_object();
  json.field("kind", calibration_kind_name(calibration.kind)).field("rows", calibration.rows);
  write_optional(json, "ece_before", calibration.before.error());
  write_optional(json, "ece", calibration.after.error());
  write_optional(json, "ece_by_chance", calibration.after.error_by_chance());
  write_optional(json, "ratio_before", calibration.before.ratio());
  write_optional(json, "ratio", calibration.after.ratio());
  json.end_object();
}

void write_kind(JsonWriter& json, const KindReport& kind) {
  json.begin_object().field("kind", kind.kind).field("passes", std::uint64_t{kind.passes});
  if (!kind.settings.empty()) json.field("settings", kind.settings);
  json.key("pass_losses").begin_array();
  for (const double loss : kind.losses) json.value(loss);
  json.end_array();
  if (!kind.validations.empty()) {
    json.key("pass_validations").begin_array();
    for (const double loss : kind.validations) json.value(loss);
    json.end_array();
  }
  json.field("converged", !kind.is_still_falling);
  write_measures(json, kind.measures);
  write_calibration(json, kind.calibration);
  if (!kind.folds.empty()) {
    json.key("folds").begin_array();
    for (const FoldReport& fold : kind.folds) {
      json.begin_object().field("train_rows", fold.train_rows).field("test_rows", fold.test_rows);
      write_measures(json, fold.measures);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
}

void write_choice(JsonWriter& json, const ChoiceReport& choice, std::string_view loss) {
  json.key("choice").begin_object().field("reason", choice.reason);
  json.field("held_rows", choice.held_rows);
  json.field("loss", loss);
  json.field("baseline", choice.baseline).key("candidates").begin_array();
  for (const CandidateReport& one : choice.candidates) {
    json.begin_object().field("kind", one.kind).field("settings", one.settings);
    json.field("rows", one.rows).field("passes", std::uint64_t{one.passes});
    json.field("loss", one.loss).key("interval");
    if (one.interval) {
      json.begin_array().value(one.interval->low).value(one.interval->high).end_array();
    } else {
      json.null();
    }
    json.end_object();
  }
  json.end_array().end_object();
}

void write_plan(JsonWriter& json, const std::vector<PlanLine>& plan) {
  json.key("plan").begin_array();
  for (const PlanLine& line : plan) {
    json.begin_object().field("column", line.column).field("use", line.use);
    json.field("reason", line.reason).end_object();
  }
  json.end_array();
}

void write_rivals(JsonWriter& json, const std::vector<RivalReport>& rivals) {
  json.key("rivals").begin_array();
  for (const RivalReport& rival : rivals) {
    json.begin_object().field("name", rival.name).field("rows", rival.rows);
    write_optional(json, "log_loss", rival.log_loss);
    write_optional(json, "difference", rival.difference);
    json.key("difference_interval");
    if (rival.interval) {
      json.begin_array().value(rival.interval->low).value(rival.interval->high).end_array();
    } else {
      json.null();
    }
    json.field("verdict", verdict_name(rival.verdict)).end_object();
  }
  json.end_array();
}

void write_table(JsonWriter& json, const TrainReport& report) {
  const TableCounts& table = report.table;
  json.key("table").begin_object().field("is_collision_free", report.is_collision_free);
  json.field("capacity", table.capacity).field("rows", table.rows);
  json.field("collisions", table.collisions).field("shared_uses", table.shared_uses);
  json.field("waiting_uses", table.waiting_uses).field("evicted", table.evicted);
  json.field("expired", table.expired).end_object();
}

// Of the ids that have a row, the share that have it with another.
double colliding_share(const TableCounts& table) {
  const std::uint64_t ids = table.rows + table.collisions;
  return ids == 0 ? 0 : static_cast<double>(table.collisions) / static_cast<double>(ids);
}

void write_bad_rows(JsonWriter& json, const TrainReport& report) {
  json.field("bad_rows", report.bad_rows).key("first_bad_rows").begin_array();
  for (const BadRow& bad : report.first_bad) {
    json.begin_object().field("line", bad.line).field("column", bad.column);
    json.field("reason", bad.reason).end_object();
  }
  json.end_array();
}

void write_groups(JsonWriter& json, const TrainReport& report) {
  json.field("objective", report.is_ranking ? "ranking" : "prediction");
  json.field("group", report.group);
  if (report.best_column.words.empty()) return;
  json.key("best_column").begin_object().field("order", report.best_column.words);
  write_measures(json, report.best_column.measures);
  json.end_object();
}

double per_second(std::uint64_t rows, double seconds) {
  return seconds > 0 ? static_cast<double>(rows) / seconds : 0;
}

std::optional<double> value_of(const KindReport& kind, std::string_view name) {
  const Measure* measure = find_measure(kind.measures, name);
  return measure != nullptr ? measure->value : std::nullopt;
}

}  // namespace

std::string_view verdict_name(PairedLoss::Verdict verdict) {
  if (verdict == PairedLoss::Verdict::kBetter) return "better";
  return verdict == PairedLoss::Verdict::kWorse ? "worse" : "no clear difference";
}

std::string_view choice_loss(const TrainReport& report) {
  if (!report.kinds.empty() && report.kinds.front().joint) return "joint_log_loss";
  return report.is_binary ? "log_loss" : "squared_error";
}

std::string report_json(const TrainReport& report) {
  std::string out;
  JsonWriter json(out);
  const KindReport none, &best = report.kinds.empty() ? none : report.kinds.front();
  json.begin_object().field("file", report.file).field("input", report.input);
  json.field("kind", best.kind);
  if (!report.target.empty()) json.field("target", report.target);
  if (!report.positive.empty()) json.field("positive", report.positive);
  json.field("rows", report.rows).field("train_rows", report.train_rows);
  json.field("test_rows", report.test_rows).field("unlabelled_rows", report.unlabelled);
  json.field("measured_on", report.measured_on);
  write_measures(json, best.measures);
  write_calibration(json, best.calibration);
  if (best.joint) write_joint(json, *best.joint);
  if (report.is_binary && !report.is_ranking) json.field("threshold", report.threshold);
  if (!report.group.empty()) write_groups(json, report);
  json.field("passes", std::uint64_t{best.passes}).field("converged", !best.is_still_falling);
  json.field("threads", report.threads.count);
  if (report.threads.is_hogwild) json.field("hogwild", true);
  json.field("seconds", report.seconds).field("cpu_seconds", report.cpu_seconds);
  json.field("rows_per_second", per_second(report.rows_learned, report.seconds));
  json.field("pass_rows_per_second", per_second(report.rows_learned, report.pass_seconds));
  json.field("learner_rows_per_second", per_second(report.rows_learned, report.learner_seconds));
  json.field("peak_rss_bytes", report.peak_rss_bytes).field("output", report.output);
  json.field("id", report.model_id);
  if (!report.run.empty()) json.field("run", report.run);
  if (!report.cache.empty()) {
    json.field("cache", report.cache).field("is_cache_reused", report.is_cache_reused);
  }
  write_strings(json, "warnings", report.warnings);
  json.key("kinds").begin_array();
  for (const KindReport& kind : report.kinds) write_kind(json, kind);
  json.end_array();
  if (!report.choice.reason.empty()) write_choice(json, report.choice, choice_loss(report));
  write_plan(json, report.plan);
  if (!report.rivals.empty()) {
    write_rivals(json, report.rivals);
    const auto reason = reason_not_to_promote(report);
    json.field("can_be_promoted", !reason).field("not_promoted_because", reason.value_or(""));
  }
  if (report.table.capacity > 0) write_table(json, report);
  write_bad_rows(json, report);
  json.end_object();
  return out;
}

double loss_to_compare(const KindReport& kind) {
  if (kind.joint) return kind.joint->tested.total();
  for (const auto* name : {"log_loss", "rmse"}) {
    if (const auto value = value_of(kind, name)) return *value;
  }
  return std::numeric_limits<double>::infinity();
}

std::optional<std::string> reason_not_to_promote(const TrainReport& report) {
  if (report.test_rows < kLeastTestRows) {
    return fmt::format("only {} shown items were tested on, {} are needed to judge",
                       report.test_rows, kLeastTestRows);
  }
  const Measure* const loss = find_measure(report.kinds.front().measures, "log_loss");
  if (loss == nullptr || !loss->value || !loss->baseline || *loss->value >= *loss->baseline) {
    return "it is no better than always saying the base rate";
  }
  for (auto rival = report.rivals.rbegin(); rival != report.rivals.rend(); ++rival) {
    if (rival->rows < kLeastTestRows) continue;
    if (rival->verdict != PairedLoss::Verdict::kWorse) return std::nullopt;
    return fmt::format("its log loss is {:.5f} higher than that of {} on the same {} shown items",
                       *rival->difference, rival->name, rival->rows);
  }
  return fmt::format(
      "nothing was compared with it on {} shown items or more that were new to both; --against "
      "names what to compare with",
      kLeastTestRows);
}

std::string table_line(const TrainReport& report) {
  const TableCounts& table = report.table;
  if (table.capacity == 0) return "";
  std::string line = fmt::format("table: {} of {} rows taken, ", table.rows, table.capacity);
  if (!report.is_collision_free) {
    return line + fmt::format("about {} ids share one with another", table.collisions);
  }
  line += "no two ids share one";
  if (table.waiting_uses > 0) line += fmt::format("; {} uses of ids too rare", table.waiting_uses);
  if (table.evicted > 0) line += fmt::format("; {} ids gave way to newer ones", table.evicted);
  if (table.expired > 0) line += fmt::format("; {} ids not seen for long dropped", table.expired);
  return line;
}

void CalibrationReport::add(float raw, float calibrated, float label) {
  if (kind == CalibrationKind::kNone || std::isnan(label)) return;
  before.add(static_cast<double>(raw), label > 0.5F);
  after.add(static_cast<double>(calibrated), label > 0.5F);
}

std::string calibration_line(const CalibrationReport& calibration) {
  if (calibration.kind == CalibrationKind::kNone) return "";
  std::string line = fmt::format("calibrated: {} by {} rows held back",
                                 calibration_kind_name(calibration.kind), calibration.rows);
  const auto before = calibration.before.error(), after = calibration.after.error();
  if (!before || !after) return line;
  line +=
      fmt::format("; calibration error on the tested rows {:.4f}, without {:.4f}", *after, *before);
  return line + fmt::format(" ({:.4f} by chance alone)", *calibration.after.error_by_chance());
}

std::vector<std::string> doubts(const TrainReport& report) {
  std::vector<std::string> out;
  if (report.kinds.empty()) return out;
  const KindReport& best = report.kinds.front();
  if (const Measure* auc = find_measure(best.measures, "auc"); auc != nullptr && !auc->value) {
    out.push_back(fmt::format("auc is undefined: {}", auc->undefined));
  }
  const auto rate = value_of(best, "base_rate");
  if (rate && (*rate > kSkewed || *rate < 1 - kSkewed) && *rate > 0 && *rate < 1) {
    out.push_back(fmt::format(
        "accuracy says little here: always \"{}\" is right in {:.1f} % of the rows; look at auc, "
        "log_loss, precision and recall",
        *rate > 0.5 ? "yes" : "no", 100 * std::max(*rate, 1 - *rate)));
  }
  for (const auto* name : {"log_loss", "rmse"}) {
    const Measure* loss = find_measure(best.measures, name);
    if (loss == nullptr || !loss->value || !loss->baseline || *loss->value < *loss->baseline) {
      continue;
    }
    out.push_back(fmt::format("no better than {}: {} is {:.4f}, without a model {:.4f}",
                              loss->compared_with, name, *loss->value, *loss->baseline));
  }
  if (report.is_binary && best.kind == "linear") {
    out.emplace_back(
        "linear regression on labels 0 and 1: its predictions are not probabilities and may leave "
        "[0, 1]; use --kind ftrl");
  }
  if (colliding_share(report.table) > kManyCollisions) {
    out.push_back(fmt::format(
        "about {:.0f} % of the ids share a weight with another: add --bits for more weights, or "
        "--collision-free",
        100 * colliding_share(report.table)));
  }
  if (report.is_ranking) {
    const auto own = value_of(best, "pairwise_accuracy");
    const Measure* column = find_measure(report.best_column.measures, "pairwise_accuracy");
    const double without = column != nullptr ? column->value.value_or(0.5) : 0.5;
    if (own && *own <= std::max(0.5, without)) {
      out.push_back(fmt::format(
          "no better than one column alone ({}): it has {:.1f} % of the pairs in the right order, "
          "the model {:.1f} %",
          report.best_column.words, 100 * without, 100 * *own));
    }
  }
  const CalibrationReport& calibrated = best.calibration;
  if (calibrated.kind == CalibrationKind::kIsotonic && calibrated.rows < kFewToCalibrate) {
    out.push_back(
        fmt::format("calibrated by {} rows only: isotonic steps of so few are mostly "
                    "chance; use --calibrate platt",
                    calibrated.rows));
  }
  if (best.is_still_falling && best.losses.size() > 1) {
    const double last = best.losses.back(), before = best.losses[best.losses.size() - 2];
    out.push_back(fmt::format(
        "not converged: the loss still fell by {:.1f} % in pass {}, the last; add --passes {}",
        100 * (before - last) / before, best.passes, 2 * best.passes));
  }
  return out;
}

}  // namespace attune
