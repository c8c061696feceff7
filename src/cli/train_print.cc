#include "cli/train_print.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/joint_table.h"
#include "cli/measure_table.h"
#include "cli/output.h"
#include "cli/words.h"

namespace attune {
namespace {

constexpr std::size_t kBadRowsShown = 3;
constexpr std::size_t kCandidatesShown = 12;

std::string head_line(const TrainReport& report) {
  std::string line = fmt::format("{}: {} rows", report.file, thousands(report.rows));
  if (!report.target.empty()) line += fmt::format(", target {}", report.target);
  if (!report.positive.empty()) {
    line += fmt::format(", \"{}\" means yes{}", report.positive,
                        report.is_positive_guessed ? " (a guess: --positive says it)" : "");
  }
  if (report.unlabelled == 0) return line;
  const bool is_journal = report.input == kWorkspaceInput;
  line += fmt::format(", {} {}", report.unlabelled,
                      is_journal ? "more whose windows are open" : "without a label");
  return line;
}

}  // namespace

void print_report(const TrainReport& report) {
  const KindReport& best = report.kinds.front();
  print_lines({head_line(report)});
  print_lines(plan_table(report.plan));
  print_lines({"", fmt::format("{}, {} {} over {} rows, tested on {}:", best.kind, best.passes,
                               best.passes == 1 ? "pass" : "passes", thousands(report.train_rows),
                               report.measured_on)});
  print_lines(measure_table(best.measures));
  if (!report.best_column.words.empty()) {
    print_lines({"", fmt::format("without a model, by {}:", report.best_column.words)});
    print_lines(measure_table(report.best_column.measures));
  }
  if (report.is_binary && find_measure(best.measures, "accuracy") != nullptr) {
    print_lines({fmt::format("yes = a probability of {} or more", report.threshold)});
  }
  if (const std::string line = calibration_line(best.calibration); !line.empty()) {
    print_lines({line});
  }
  if (best.joint) {
    print_lines({""});
    print_lines(head_table(*best.joint));
    print_lines({""});
    print_lines(joint_loss_table(*best.joint));
  }
  if (const std::string table = table_line(report); !table.empty()) print_lines({table});
  if (report.kinds.size() > 1) {
    print_lines({""});
    print_lines(kind_table(report));
  }
  if (!report.choice.reason.empty()) {
    print_lines({""});
    print_lines(candidate_table(report, kCandidatesShown));
    print_lines({report.choice.reason});
  }
  if (!report.rivals.empty()) {
    print_lines({""});
    print_lines(rival_table(report));
  }
}

void print_doubts(const TrainReport& report) {
  for (std::size_t i = 0; i < report.first_bad.size() && i < kBadRowsShown; ++i) {
    const BadRow& bad = report.first_bad[i];
    std::fprintf(stderr, "left out: line %llu%s%s: %s\n", static_cast<unsigned long long>(bad.line),
                 bad.column.empty() ? "" : ", column ", bad.column.c_str(), bad.reason.c_str());
  }
  if (report.bad_rows > kBadRowsShown) {
    std::fprintf(stderr, "left out: %s bad rows in all\n", thousands(report.bad_rows).c_str());
  }
  for (const std::string& warning : report.warnings) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
}

}  // namespace attune
