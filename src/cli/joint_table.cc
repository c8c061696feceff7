#include "cli/joint_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/words.h"
#include "learn/train_report.h"

namespace attune {
namespace {

constexpr std::size_t kNarrowest = 8;

std::size_t width_of(const JointReport& report) {
  std::size_t width = kNarrowest;
  for (const HeadReport& head : report.heads) width = std::max(width, columns(head.target));
  if (report.learned.second) width = std::max(width, report.learned.second->name.size());
  return width;
}

// "0.7712 (0.7650 to 0.7774)"
std::string measured(const std::vector<Measure>& measures, const char* name, std::size_t width) {
  const Measure* const measure = find_measure(measures, name);
  if (measure == nullptr || !measure->value) return left("undefined", width);
  std::string text = fmt::format("{:.4f}", *measure->value);
  if (measure->interval) {
    text += fmt::format(" ({:.4f} to {:.4f})", measure->interval->low, measure->interval->high);
  }
  return left(text, width);
}

std::string alone_line(const HeadReport& head, std::size_t width) {
  const AloneReport& alone = *head.alone;
  std::string line = left("  alone", width) + "  " + left("", 28) +
                     measured(alone.measures, "auc", 28) + measured(alone.measures, "log_loss", 28);
  if (alone.difference && alone.interval) {
    line += fmt::format("together {:+.5f} ({:+.5f} to {:+.5f}): {}", *alone.difference,
                        alone.interval->low, alone.interval->high, verdict_name(alone.verdict));
  }
  return line;
}

std::string part_line(const LossPart& learned, const LossPart& tested, std::size_t width) {
  return fmt::format("{}  {:>8.4g} {:>11.5f} {:>11.5f} {:>11.5f}", left(learned.name, width),
                     learned.weight, learned.mean(), tested.mean(), tested.weight * tested.mean());
}

}  // namespace

std::vector<std::string> head_table(const JointReport& report) {
  const std::size_t width = width_of(report);
  std::vector<std::string> lines = {left("target", width) + "  " + left("base rate (95 %)", 28) +
                                    left("auc (95 %)", 28) + "log loss (95 %)"};
  for (const HeadReport& head : report.heads) {
    std::string line = left(head.target, width) + "  " + measured(head.measures, "base_rate", 28) +
                       measured(head.measures, "auc", 28) + measured(head.measures, "log_loss", 28);
    if (head.unlabelled > 0) line += thousands(head.unlabelled) + " rows without a label  ";
    if (const auto error = head.after.error()) {
      line += fmt::format("calibration error {:.4f}, without {:.4f}", *error,
                          head.before.error().value());
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
    if (head.alone) lines.push_back(alone_line(head, width));
  }
  return lines;
}

std::vector<std::string> joint_loss_table(const JointReport& report) {
  const std::size_t width = width_of(report);
  std::vector<std::string> lines = {fmt::format("{}  {:>8} {:>11} {:>11} {:>11}",
                                                left("loss", width), "weight", "learning", "tested",
                                                "of the sum")};
  for (std::size_t i = 0; i < report.learned.tasks.size(); ++i) {
    lines.push_back(part_line(report.learned.tasks[i], report.tested.tasks[i], width));
  }
  if (report.learned.second) {
    lines.push_back(part_line(*report.learned.second, *report.tested.second, width));
  }
  lines.push_back(fmt::format("{}  {:>8} {:>11.5f} {:>11.5f} {:>11.5f}", left("sum", width), "",
                              report.learned.total(), report.tested.total(),
                              report.tested.total()));
  return lines;
}

}  // namespace attune
