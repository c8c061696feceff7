// The picture: columns with how full they are and how their numbers lie, rows by day, findings.
#include <fmt/format.h>

#include <algorithm>

#include "base/svg.h"
#include "collect/quality_view.h"

namespace attune {
namespace {

constexpr double kWidth = 920;
constexpr double kRow = 24;
constexpr std::size_t kMostColumns = 40, kMostFindings = 16, kBins = 24, kMostBars = 120;

class Picture {
 public:
  Picture(const Quality& quality, const std::vector<QualityFinding>& findings)
      : q_(quality), findings_(findings) {}

  std::string draw(const std::string& title) {
    y_ = 36;
    text(20, "h", svg_text(title, 80));
    y_ += 22;
    text(20, "d",
         fmt::format("{} rows, {} columns, {} findings", q_.rows(), q_.columns().size(),
                     findings_.size()));
    y_ += 34;
    columns();
    days();
    findings();
    return svg_picture(kWidth, y_ + 16, "data quality", body_);
  }

 private:
  void text(double x, std::string_view style, const std::string& words) {
    body_ +=
        fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"{}\">{}</text>", x, y_, style, words);
  }
  void bar(double x, double y, double width, double height, std::string_view style) {
    body_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"{}\"/>", x, y,
        width, height, style);
  }
  void rule() {
    body_ += fmt::format("<line x1=\"20\" x2=\"{}\" y1=\"{:.0f}\" y2=\"{:.0f}\" class=\"l\"/>",
                         kWidth - 20, y_ + 8, y_ + 8);
  }
  void columns() {
    for (const auto& [x, head] : {std::pair{20, "column"},
                                  {240, "kind"},
                                  {320, "filled"},
                                  {500, "different"},
                                  {610, "spread"},
                                  {740, "range"}}) {
      text(x, "d", head);
    }
    rule();
    y_ += kRow;
    const std::size_t shown = std::min(q_.columns().size(), kMostColumns);
    for (std::size_t i = 0; i < shown; ++i) column(q_.columns()[i]);
    if (shown < q_.columns().size()) {
      text(20, "d", fmt::format("and {} more", q_.columns().size() - shown));
      y_ += kRow;
    }
    y_ += 14;
  }
  void column(const ColumnQuality& c) {
    text(20, "", svg_text(c.name(), 28));
    text(240, "d", std::string(kind_of(c)));
    const double filled =
        c.rows() == 0 ? 0 : static_cast<double>(c.filled()) / static_cast<double>(c.rows());
    bar(320, y_ - 10, 110, 11, "g");
    bar(320, y_ - 10, 110 * filled, 11, "b");
    text(438, "d", fmt::format("{:.0f} %", std::floor(100 * filled)));
    text(500, "d", fmt::format("{}{:.0f}", c.is_exact() ? "" : "about ", c.different()));
    if (c.is_number()) {
      const std::vector<double> shares = histogram_of(c, kBins);
      const double most = *std::max_element(shares.begin(), shares.end());
      for (std::size_t i = 0; i < shares.size(); ++i) {
        const double height = most > 0 ? 17 * shares[i] / most : 0;
        if (height > 0) bar(610 + 5 * static_cast<double>(i), y_ + 1 - height, 4, height, "b");
      }
      text(740, "d", fmt::format("{:.5g} to {:.5g}", c.least.value, c.most.value));
    } else if (c.is_time()) {
      text(740, "d",
           format_iso8601(c.first).substr(0, 10) + " to " + format_iso8601(c.last).substr(0, 10));
    }
    y_ += kRow;
  }
  // One bar a day, or a run of days where there are many.
  void days() {
    const auto& days = q_.volume().days;
    if (days.size() < 2) return;
    const std::int64_t first = days.begin()->first, span = days.rbegin()->first - first + 1;
    const std::int64_t run =
        (span + static_cast<std::int64_t>(kMostBars) - 1) / static_cast<std::int64_t>(kMostBars);
    std::vector<double> counts(static_cast<std::size_t>((span + run - 1) / run));
    for (const auto& [day, count] : days) {
      counts[static_cast<std::size_t>((day - first) / run)] += static_cast<double>(count);
    }
    const double most = *std::max_element(counts.begin(), counts.end());
    text(20, "s", fmt::format("Rows by {}", run == 1 ? "day" : fmt::format("{} days", run)));
    text(kWidth - 20, "d e", fmt::format("most: {:.0f}", most));
    y_ += 84;
    const double step = (kWidth - 40) / static_cast<double>(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const double height = 68 * counts[i] / most;
      bar(20 + step * static_cast<double>(i), y_ - height, std::max(step - 1, 0.5), height, "b");
    }
    rule();
    y_ += 26;
    text(20, "d", day_text(first));
    text(kWidth - 20, "d e", day_text(days.rbegin()->first));
    y_ += 34;
  }
  void findings() {
    text(20, "s", findings_.empty() ? "No findings" : "Findings");
    y_ += kRow;
    const std::size_t shown = std::min(findings_.size(), kMostFindings);
    for (std::size_t i = 0; i < shown; ++i) {
      const QualityFinding& f = findings_[i];
      const std::string name(weight_name(f.weight));
      text(20, name, name);
      text(66, "", svg_text((f.column.empty() ? "" : f.column + ": ") + f.what, 118));
      y_ += 17;
      text(66, "d", svg_text(f.fix, 120));
      y_ += kRow;
    }
    if (shown < findings_.size())
      text(20, "d", fmt::format("and {} more", findings_.size() - shown));
  }

  const Quality& q_;
  const std::vector<QualityFinding>& findings_;
  std::string body_;
  double y_ = 0;
};

}  // namespace

std::string quality_svg(const Quality& quality, const std::vector<QualityFinding>& findings,
                        const std::string& title) {
  return Picture(quality, findings).draw(title);
}

}  // namespace attune
