// The picture: for each bin the observed share with its interval over what was predicted, on the
// diagonal where calibrated; all rows large, the largest slices small beside it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/svg.h"
#include "cli/calibration_report.h"

namespace attune {
namespace {

constexpr double kWidth = 920, kLarge = 420, kSmall = 130, kGap = 34;
constexpr std::size_t kMostSlices = 9, kSlicesAcross = 3;

// Both axes reach as far as anything in the plot.
double top_of(const std::vector<ReliabilityBin>& bins) {
  double top = 0;
  for (const ReliabilityBin& bin : bins) top = std::max({top, bin.predicted, bin.interval.high});
  return top > 0 ? std::min(1.0, top * 1.05) : 1;
}

class Picture {
 public:
  std::string draw(const CalibrationView& view, const std::string& title) {
    text(20, 36, "h", svg_text(title, 80));
    text(
        20, 58, "d",
        svg_text(fmt::format("calibration of {}: {} rows; predicted / observed {:.3f}, calibration "
                             "error {:.4f} ({:.4f} by chance)",
                             view.outcome, view.all.rows(), view.all.ratio().value_or(0),
                             view.all.error().value_or(0), view.all.error_by_chance().value_or(0)),
                 200));
    const bool has_slices = !view.column.empty();
    plot(60, 84, kLarge, view.all);
    if (has_slices) slices(view);
    return svg_picture(kWidth, 84 + kLarge + 60, "calibration", body_);
  }

 private:
  void text(double x, double y, std::string_view style, const std::string& words) {
    body_ +=
        fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"{}\">{}</text>", x, y, style, words);
  }
  void line(double x1, double y1, double x2, double y2, std::string_view style) {
    body_ += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"l\" "
        "style=\"{}\"/>",
        x1, y1, x2, y2, style);
  }
  void plot(double x, double y, double side, const Reliability& reliability) {
    const std::vector<ReliabilityBin> bins = reliability.bins();
    const double top = top_of(bins);
    const auto at = [&](double p) { return side * p / top; };
    line(x, y + side, x + side, y + side, "");
    line(x, y, x, y + side, "");
    line(x, y + side, x + side, y, "stroke-dasharray:4 4");
    if (side > kSmall) {
      text(x - 6, y + 10, "d e", fmt::format("{:.2g}", top));
      text(x - 6, y + side, "d e", "0");
      text(x + side, y + side + 18, "d e", fmt::format("{:.2g}", top));
      text(x, y + side + 18, "d", "predicted");
      text(x + 6, y + 10, "d", "observed, 95 %");
    }
    for (const ReliabilityBin& bin : bins) {
      const double across = x + at(bin.predicted), base = y + side;
      line(across, base - at(bin.interval.low), across, base - at(bin.interval.high),
           "stroke:var(--bar);stroke-width:2");
      body_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" class=\"b\"/>", across,
                           base - at(bin.observed), side > kSmall ? 4 : 2.5);
    }
  }
  void slices(const CalibrationView& view) {
    const CalibrationSlice* const worst = worst_slice(view.slices);
    const std::size_t shown = std::min(view.slices.size(), kMostSlices);
    for (std::size_t i = 0; i < shown; ++i) {
      const CalibrationSlice& slice = view.slices[i];
      const double x = 530 + (kSmall + 5) * static_cast<double>(i % kSlicesAcross);
      const double y = 84 + (kSmall + kGap) * static_cast<double>(i / kSlicesAcross);
      const std::string name = slice.slice.empty() ? "(empty)" : slice.slice;
      text(x, y - 4, &slice == worst ? "warn" : "d",
           svg_text(fmt::format("{} {:.2f}", name, slice.reliability.ratio().value_or(0)), 20));
      plot(x, y, kSmall - 15, slice.reliability);
    }
  }

  std::string body_;
};

}  // namespace

std::string calibration_svg(const CalibrationView& view, const std::string& title) {
  return Picture().draw(view, title);
}

}  // namespace attune
