// attune runs: what was trained, and how one run differs from another.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/words.h"
#include "learn/run_log.h"

namespace attune {
namespace {

constexpr std::size_t kWidestCell = 32;

struct RunsOptions {
  std::string folder, workspace;
  std::vector<std::string> names;
  std::size_t most = 20;
  bool is_json = false;
};

Result<RunList> runs_of(const RunsOptions& options) {
  if (options.folder.empty() == options.workspace.empty()) {
    return Error{Code::kInvalid, "runs: name either --runs DIR or --workspace", "runs",
                 "attune runs list --runs runs"};
  }
  TRY(RunList list,
      read_runs(options.folder.empty() ? options.workspace + "/runs" : options.folder));
  if (list.bad_lines > 0) {
    std::fprintf(stderr, "attune: %llu lines that are no runs left out\n",
                 static_cast<unsigned long long>(list.bad_lines));
  }
  return list;
}

std::string metric(const Run& run, std::string_view name) {
  for (const auto& [known, value] : run.metrics) {
    if (known == name) return fmt::format("{:.4f}", value);
  }
  return "";
}

// Columns as wide as their widest cell; the last as it is.
void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::min(kWidestCell, std::max(widths[i], columns(row[i])));
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += left(row[i], widths[i]) + "  ";
    line.erase(line.find_last_not_of(' ') + 1);
    std::printf("%s\n", line.c_str());
  }
}

Status list_runs(const RunsOptions& options) {
  TRY(const RunList list, runs_of(options));
  const std::size_t n = std::min(list.runs.size(), options.most);
  const std::vector<Run> shown(list.runs.rbegin(),
                               list.runs.rbegin() + static_cast<std::ptrdiff_t>(n));
  if (options.is_json) {
    std::string out = "{\"runs\":[";
    for (const Run& run : shown) out += (out.back() == '[' ? "" : ",") + run_json(run);
    std::printf("%s]}\n", out.c_str());
    return ok_status();
  }
  std::vector<std::vector<std::string>> rows = {
      {"run", "when", "kind", "auc", "log_loss", "rmse", "seconds", "of"}};
  for (const Run& run : shown) {
    rows.push_back({run.id, run.time.substr(0, 19), run.kind, metric(run, "auc"),
                    metric(run, "log_loss"), metric(run, "rmse"),
                    fmt::format("{:.1f}", run.seconds), run.file});
  }
  print_table(rows);
  if (n < list.runs.size()) std::printf("and %zu earlier ones: --most\n", list.runs.size() - n);
  return ok_status();
}

Status show_run(const RunsOptions& options) {
  TRY(const RunList list, runs_of(options));
  TRY(const Run run, find_run(list, options.names.front()));
  if (options.is_json) {
    std::printf("%s\n", run_json(run).c_str());
    return ok_status();
  }
  std::vector<std::vector<std::string>> rows = {{"run", run.id},
                                                {"when", run.time},
                                                {"model", run.model_id},
                                                {"file", run.output},
                                                {"learned from", run.file},
                                                {"data hash", run.data_hash},
                                                {"attune", run.version},
                                                {"seconds", fmt::format("{:.2f}", run.seconds)}};
  for (const auto& [name, value] : run.parameters) rows.push_back({name, value});
  for (const auto& [name, value] : run.metrics)
    rows.push_back({name, fmt::format("{:.6g}", value)});
  print_table(rows);
  return ok_status();
}

void write_differences(JsonWriter& json, const char* name, const std::vector<RunDifference>& all) {
  json.key(name).begin_object();
  for (const RunDifference& one : all) {
    json.key(one.name).begin_array();
    for (const std::string& value : one.values) value.empty() ? json.null() : json.value(value);
    json.end_array();
  }
  json.end_object();
}

Status compare(const RunsOptions& options) {
  TRY(const RunList list, runs_of(options));
  std::vector<Run> runs;
  for (const std::string& name : options.names) {
    TRY(Run run, find_run(list, name));
    runs.push_back(std::move(run));
  }
  const RunComparison comparison = compare_runs(runs);
  if (options.is_json) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("runs").begin_array();
    for (const Run& run : runs) json.value(run.id);
    json.end_array();
    write_differences(json, "parameters", comparison.parameters);
    write_differences(json, "metrics", comparison.metrics);
    json.end_object();
    std::printf("%s\n", out.c_str());
    return ok_status();
  }
  std::vector<std::vector<std::string>> rows = {{""}};
  for (const Run& run : runs) rows.front().push_back(run.id);
  const auto add = [&](const std::vector<RunDifference>& all) {
    for (const RunDifference& one : all) {
      rows.push_back({one.name});
      for (const std::string& value : one.values) {
        rows.back().push_back(value.empty() ? "-" : value);
      }
    }
  };
  add(comparison.parameters);
  add(comparison.metrics);
  print_table(rows);
  if (comparison.parameters.empty()) std::printf("all parameters are the same\n");
  return ok_status();
}

}  // namespace

void add_runs(Command& app, Action& chosen) {
  Command* runs = add_command(app, kLearnGroup, "runs",
                              "What was trained, and how one run differs from another",
                              "attune runs list --runs runs\n"
                              "attune runs compare r_1a2b r_3c4d --runs runs");
  runs->require_subcommand(1);
  const auto add = [&](const char* name, const char* summary, const char* examples,
                       Status (*act)(const RunsOptions&)) {
    const auto options = std::make_shared<RunsOptions>();
    Command* command = add_command(*runs, "Commands", name, summary, examples);
    command->add_option("--runs", options->folder, "folder of attune train --runs");
    command->add_option("--workspace", options->workspace, "the trainings on its decisions");
    command->add_flag("--json", options->is_json, "one JSON object on stdout");
    command->callback([options, act, &chosen] { chosen = [=] { return act(*options); }; });
    return std::pair(command, options);
  };
  const auto [list, list_options] =
      add("list", "The latest runs, newest first", "attune runs list --workspace shop", list_runs);
  list->add_option("--most", list_options->most, "at most so many")->check(range(1, 1000000));
  const auto [show, show_options] =
      add("show", "All that is known of one run", "attune runs show latest --runs runs", show_run);
  show->add_option("run", show_options->names, "its id, the beginning of it, or latest")
      ->required()
      ->expected(1);
  const auto [both, both_options] = add("compare", "The parameters that differ, and all measures",
                                        "attune runs compare r_1a2b latest --runs runs", compare);
  both->add_option("run", both_options->names, "ids, beginnings of them, or latest")
      ->required()
      ->expected(2, 20);
}

}  // namespace attune
