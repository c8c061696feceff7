// RunLog: what was trained, one JSON line a run in DIR/runs.jsonl: parameters, measures, hash of
// the data, version of the program, id of the model. Only ever appended to, a whole line at a time:
// trainings may share it.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace attune {

struct Run {
  std::string id;         // "r_" and 12 hexadecimal digits
  std::string time;       // ISO-8601, when it ended
  std::string version;    // of the program
  std::string file;       // or workspace
  std::string data_hash;  // hexadecimal; "" = not known
  std::string kind, model_id, output;
  double seconds = 0;
  std::vector<std::pair<std::string, std::string>> parameters;  // by name
  std::vector<std::pair<std::string, double>> metrics;          // of the best kind
};

// The same run with the same time has the same id.
std::string run_id(const Run& run);
std::string run_json(const Run& run);  // one object, no newline

// Makes the folder when absent. A line cut short by a crash before it stays a line of its own.
Status append_run(const std::string& folder, const Run& run);

struct RunList {
  std::vector<Run> runs;        // the oldest first
  std::uint64_t bad_lines = 0;  // left out
};
// kNotFound without such a file; kInvalid beyond 256 MB.
Result<RunList> read_runs(const std::string& folder);

// By id, by the beginning of one, or "latest". kNotFound; kInvalid when several begin so.
Result<Run> find_run(const RunList& list, const std::string& name);

struct RunDifference {
  std::string name;
  std::vector<std::string> values;  // one a run; "" = it has none
};
struct RunComparison {
  std::vector<RunDifference> parameters;  // those that are not the same in all runs
  std::vector<RunDifference> metrics;     // all
};
RunComparison compare_runs(const std::vector<Run>& runs);

}  // namespace attune
