// attune report: what there is to know of data before anything learns from it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/command_line.h"
#include "base/hash.h"
#include "cli/access.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/plot.h"
#include "cli/screen.h"
#include "cli/words.h"
#include "collect/quality_view.h"
#include "engine/observe.h"
#include "format/table.h"

namespace attune {
namespace {

constexpr std::size_t kMostShown = 60;  // columns in the text

struct ReportOptions {
  std::string file, workspace, svg;
  QualityOptions quality;
  bool is_json = false;
};

Result<Quality> look_at_table(const ReportOptions& options) {
  TRY(const auto reader, TableReader::open(options.file, {}));
  TRY(Quality quality, Quality::make(reader->shape().columns, options.quality));
  Screen screen;
  while (true) {
    TRY(const TableReader::Next next, reader->next());
    if (next == TableReader::Next::kEnd) break;
    if (next == TableReader::Next::kRow) {
      quality.add(reader->cells(), reader->line());
    } else {
      quality.add_bad(reader->bad().line, reader->bad().reason);
    }
    if (quality.rows() % 8192 != 0 || !screen.is_due()) continue;
    screen.draw({fmt::format("{} rows", thousands(quality.rows()))});
  }
  if (screen.is_live()) screen.erase();
  return quality;
}

// What tells an event apart beside its cells.
std::uint64_t rest_of(const SeenEvent& seen) {
  std::uint64_t rest = raw(seen.person);
  for (const std::string* text :
       {&seen.event.properties, &seen.event.traits, &seen.event.context}) {
    rest = mix64(rest, hash64(*text));
  }
  return rest;
}

// How long after its own time it was received: nothing where that says nothing of a clock.
std::string behind_of(const SeenEvent& seen) {
  if (seen.is_imported || seen.clock == Clock::kEvent) return "";
  return fmt::format("{:.3f}",
                     static_cast<double>((seen.received - seen.event.time).count()) / 1e6);
}

// Each event as a row.
Result<Quality> look_at_workspace(const ReportOptions& options) {
  TRY_OK(require_workspace(options.workspace));
  const std::vector<std::string> columns = {"event",   "name",        "time",  "behind_s",
                                            "item_id", "decision_id", "value", "message_id"};
  QualityOptions quality_options = options.quality;
  quality_options.sparse = {columns.begin() + 1, columns.end()};  // not every event has them
  TRY(Quality quality, Quality::make(columns, quality_options));
  std::uint64_t place = 0;
  Observer observer;
  observer.event = [&](const SeenEvent& seen) {
    const Event& event = seen.event;
    const std::string time = format_iso8601(event.time);
    const std::string behind = behind_of(seen);
    const std::string value = event.value == 0 ? "" : fmt::format("{}", event.value);
    const std::vector<std::string_view> cells = {
        verb_name(event.verb), event.name,        time,  behind,
        event.item_id,         event.decision_id, value, event.message_id};
    quality.add(cells, ++place, rest_of(seen));
  };
  TRY(const Observed observed, observe(options.workspace, observer));
  if (observed.erased > 0) {
    std::fprintf(stderr, "attune: %llu records of erased persons cannot be read\n",
                 static_cast<unsigned long long>(observed.erased));
  }
  return quality;
}

void print_columns(const Quality& quality) {
  std::printf("%s %s %s %s  %s\n", left("column", 24).c_str(), left("kind", 7).c_str(),
              left("filled", 17).c_str(), right("different", 12).c_str(), "range");
  std::size_t shown = 0;
  for (const ColumnQuality& c : quality.columns()) {
    if (++shown > kMostShown) break;
    const double filled = static_cast<double>(c.filled());
    const double all = static_cast<double>(std::max<std::uint64_t>(c.rows(), 1));
    std::string range;
    if (c.is_number()) range = fmt::format("{:.6g} to {:.6g}", c.least.value, c.most.value);
    if (c.is_time()) {
      range = fmt::format("{} to {}", format_iso8601(c.first), format_iso8601(c.last));
    }
    const std::string different =
        (c.is_exact() ? "" : "~") + thousands(static_cast<std::uint64_t>(c.different()));
    std::printf("%s %s %s %4.0f %% %s  %s\n", left(cut(c.name(), 24), 24).c_str(),
                left(std::string(kind_of(c)), 7).c_str(), bar(filled, all, 10).c_str(),
                std::floor(100 * filled / all), right(different, 12).c_str(), range.c_str());
  }
  if (quality.columns().size() > kMostShown) {
    std::printf("and %zu more\n", quality.columns().size() - kMostShown);
  }
}

void print_volume(const Volume& volume) {
  if (volume.days.size() < 2) return;
  const auto line = [&](const std::string& name,
                        const std::map<std::int64_t, std::uint64_t>& days) {
    const std::int64_t first = volume.days.begin()->first;
    const std::int64_t span = volume.days.rbegin()->first - first + 1;
    std::vector<double> counts(static_cast<std::size_t>(std::min<std::int64_t>(span, 50)));
    std::uint64_t all = 0;
    for (const auto& [day, count] : days) {
      counts[static_cast<std::size_t>(day - first) * counts.size() /
             static_cast<std::size_t>(span)] += static_cast<double>(count);
      all += count;
    }
    const double most = *std::max_element(counts.begin(), counts.end());
    std::printf("%s %s %s\n", left(cut(name, 14), 14).c_str(), sparkline(counts, most).c_str(),
                thousands(all).c_str());
  };
  std::printf("\nby day, %s to %s (%s)\n", day_text(volume.days.begin()->first).c_str(),
              day_text(volume.days.rbegin()->first).c_str(), volume.time_column.c_str());
  line("all", volume.days);
  for (const auto& [verb, days] : volume.verbs) line(verb, days);
}

void print_findings(const std::vector<QualityFinding>& findings) {
  std::printf("\n%s\n", findings.empty() ? "no findings" : "findings");
  for (const QualityFinding& f : findings) {
    std::string lines;
    for (const std::uint64_t line : f.lines) lines += (lines.empty() ? "" : ", ") + thousands(line);
    const std::string where = f.column.empty() ? "" : f.column + ": ";
    std::printf("%-4s %s%s%s\n", std::string(weight_name(f.weight)).c_str(), where.c_str(),
                f.what.c_str(), lines.empty() ? "" : fmt::format(" [line {}]", lines).c_str());
    std::printf("     %s\n     -> %s\n", f.why.c_str(), f.fix.c_str());
  }
}

Status report_data(ReportOptions options) {
  if (options.file.empty() == options.workspace.empty()) {
    return Error{Code::kInvalid, "report data needs a FILE or --workspace", "file",
                 "attune report data train.csv --target y"};
  }
  options.quality.now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  TRY(const Quality quality,
      options.file.empty() ? look_at_workspace(options) : look_at_table(options));
  const std::vector<QualityFinding> findings = findings_of(quality);
  const std::string name = options.file.empty() ? options.workspace : options.file;
  if (!options.svg.empty()) {
    std::ofstream file(options.svg, std::ios::binary);
    file << quality_svg(quality, findings, std::filesystem::path(name).filename().string());
    if (!file.flush()) {
      return Error{Code::kUnavailable, "cannot write " + options.svg, "svg", ""};
    }
  }
  if (options.is_json) {
    std::printf("%s\n", quality_json(quality, findings).c_str());
    return ok_status();
  }
  std::printf("%s rows of %s\n\n", thousands(quality.rows()).c_str(), name.c_str());
  print_columns(quality);
  print_volume(quality.volume());
  print_findings(findings);
  return ok_status();
}

}  // namespace

void add_report(Command& app, Action& chosen) {
  Command* report = add_command(app, kUnderstandGroup, "report", "Reports on data",
                                "attune report data train.csv --target y");
  report->require_subcommand(1);
  const auto options = std::make_shared<ReportOptions>();
  Command* command =
      add_command(*report, "Commands", "data",
                  "Whether data can be trusted: what is wrong, why it matters, what to do",
                  "attune report data train.csv --target y\n"
                  "attune report data train.csv.gz --target y --svg quality.svg\n"
                  "attune report data --workspace shop --json");
  command->add_option("file", options->file, "a table: CSV, TSV or JSONL, packed or not");
  command->add_option("--workspace", options->workspace, "the events of a workspace instead");
  command->add_option("--target", options->quality.target, "the column to predict: finds leaks");
  command->add_option("--positive", options->quality.positive, "its text that means 1");
  command->add_option("--key", options->quality.key, "the column that names each row once");
  command->add_option("--svg", options->svg, "a picture of it, for light and dark");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return report_data(*options); }; });
}

}  // namespace attune
