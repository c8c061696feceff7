#include "cli/calibration_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/plot.h"
#include "cli/words.h"

namespace attune {
namespace {

constexpr std::size_t kBar = 20, kWidestName = 40;

std::string ratio_text(const Reliability& r) {
  const auto ratio = r.ratio();
  const auto range = r.ratio_interval();
  if (!ratio || !range) return "undefined: no label is 1";
  return fmt::format("{:.3f} ({:.3f} to {:.3f})", *ratio, range->low, range->high);
}

std::string error_text(const Reliability& r) {
  return fmt::format("{:.4f} ({:.4f} by chance)", r.error().value_or(0),
                     r.error_by_chance().value_or(0));
}

std::string name_of(const CalibrationSlice& slice) {
  return slice.slice.empty() ? "(empty)" : slice.slice;
}

std::string worst_line(const CalibrationView& view) {
  const CalibrationSlice* const worst = worst_slice(view.slices);
  if (worst == nullptr) {
    return fmt::format("no slice of {} is off by more than chance (95 %, all together)",
                       view.column);
  }
  const double ratio = worst->reliability.ratio().value_or(1);
  return fmt::format("worst: {} {}, where {} is predicted {} {:.0f} % too {}", view.column,
                     name_of(*worst), view.outcome, "about", 100 * std::abs(ratio - 1),
                     ratio > 1 ? "often" : "seldom");
}

void slice_lines(const CalibrationView& view, std::size_t most, std::vector<std::string>& lines) {
  const std::size_t shown = std::min(view.slices.size(), most);
  std::size_t width = std::max<std::size_t>(columns(view.column), 7);
  for (std::size_t i = 0; i < shown; ++i) {
    width = std::max(width, columns(name_of(view.slices[i])));
  }
  width = std::min(width, kWidestName);
  lines.push_back("");
  lines.push_back(left(view.column, width) + "     rows   " +
                  left("predicted / observed (95 %)", 30) + "calibration error");
  for (std::size_t i = 0; i < shown; ++i) {
    const Reliability& r = view.slices[i].reliability;
    lines.push_back(left(name_of(view.slices[i]), width) + fmt::format(" {:>8}   ", r.rows()) +
                    left(ratio_text(r), 30) + error_text(r));
  }
  if (shown < view.slices.size()) {
    lines.push_back(fmt::format("and {} smaller slices", view.slices.size() - shown));
  }
  lines.push_back(worst_line(view));
}

}  // namespace

std::vector<std::string> calibration_table(const CalibrationView& view, std::size_t most) {
  const std::vector<ReliabilityBin> bins = view.all.bins();
  if (bins.empty()) return {};
  double top = 0;
  for (const ReliabilityBin& bin : bins) top = std::max({top, bin.predicted, bin.observed});
  std::vector<std::string> lines = {
      fmt::format("calibration of {}:", view.outcome),
      fmt::format("{:>9} {:>9}   {:9} {:20} rows", "predicted", "observed", "", "95 % interval")};
  for (const ReliabilityBin& bin : bins) {
    const bool is_off = bin.predicted < bin.interval.low || bin.predicted > bin.interval.high;
    lines.push_back(fmt::format("{:9.4f} {:9.4f} {} {} {:6.4f} to {:6.4f}     {:>8}", bin.predicted,
                                bin.observed, is_off ? "!" : " ", bar(bin.observed, top, kBar),
                                bin.interval.low, bin.interval.high, thousands(bin.rows)));
  }
  lines[1] = fmt::format("{:>9} {:>9}   {}{:20} {:>8}", "predicted", "observed",
                         std::string(kBar + 1, ' '), "95 % interval", "rows");
  lines.push_back("predicted / observed " + ratio_text(view.all) + ", calibration error " +
                  error_text(view.all));
  const AsItGoes& goes = view.as_it_goes;
  if (goes.rows > 0) {
    lines.push_back(
        fmt::format("corrected as it goes by the rows before: log loss {:.5f} instead of {:.5f}",
                    goes.recalibrated, goes.log_loss));
  }
  if (!view.column.empty()) slice_lines(view, most, lines);
  return lines;
}

void write_calibration_view(JsonWriter& json, const CalibrationView& view) {
  json.key("reliability").begin_object().field("outcome", view.outcome);
  write_reliability(json, view.all);
  json.end_object();
  if (view.as_it_goes.rows > 0) {
    json.key("recalibrated_as_it_goes").begin_object();
    json.field("log_loss_before", view.as_it_goes.log_loss);
    json.field("log_loss", view.as_it_goes.recalibrated).end_object();
  }
  if (view.column.empty()) return;
  json.key("worst_slice");
  const CalibrationSlice* const worst = worst_slice(view.slices);
  worst == nullptr ? json.null() : json.value(worst->slice);
}

}  // namespace attune
