// Trained: what a model file holds beside its weights: how its rows are read and made, the names of
// its weights, and the report of how good it is. const calls are safe to share.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "feature/table_rows.h"
#include "format/example_reader.h"
#include "learn/input_map.h"
#include "model/feature_names.h"
#include "model/model.h"
#include "stat/calibration.h"

namespace attune {

inline constexpr const char* kTableInput = "table";
inline constexpr const char* kWorkspaceInput = "workspace";  // rows of decisions

// Whether a kind of model reads numbered inputs instead of hashes.
bool needs_inputs(std::string_view kind);

// Options of a kind with these settings besides those of `base`; of numbers where it can be either.
ModelOptions options_for(const ModelOptions& base, const std::string& kind,
                         const std::vector<std::pair<std::string, double>>& settings,
                         bool is_binary);

// What the registry keeps of a report as train prints it: a few measures, on how many rows and how
// they were measured, and who made it. JSON object text; "by" alone when the report is none.
std::string short_report(std::string_view report, std::string_view by);

struct Trained {
  std::string input;  // kTableInput, kWorkspaceInput, or the name of a format: "criteo", "vw", ...
  std::vector<std::string> fields = {};  // of such a format, by number
  bool has_numbers = false;              // ExampleOptions::has_numbers of the rows learned from
  std::optional<TableRows> rows = {};    // of a table
  std::optional<InputMap> inputs = {};   // where needs_inputs()
  std::unique_ptr<Model> model;
  double known_rate = 0;                // base rate or mean of the rows learned from
  std::string live_plan = {};           // of a workspace: the plan its rows are made by, TOML
  Time learned_until{};                 // of a workspace: no later outcome was learned from
  FeatureNames names = FeatureNames();  // of its weights; may be empty
  std::string report = {};              // JSON, as train printed it
  CalibrationMap calibration = {};      // of its predictions; may change nothing
  // Of the heads after the first of a model of several tasks; empty = they change nothing.
  std::vector<CalibrationMap> further_calibrations = {};

  // How files of such a format are to be read for it.
  ExampleOptions example_options(NameSink sink = nullptr) const;
  // out[r] = the prediction of row r, calibrated. Changes the rows where needs_inputs().
  void predict(Examples& rows, std::vector<float>& out) const;
  // The same as the model says it, before calibration.
  void predict_raw(Examples& rows, std::vector<float>& out) const;
  float calibrated(float raw, std::size_t head = 0) const;
  // Of every task: out is (rows, heads), the first column as predict() has it.
  void predict_heads(Examples& rows, std::vector<float>& out) const;
  void predict_heads_raw(Examples& rows, std::vector<float>& out) const;

  // One model file (model/model_file.h), whole or not at all; gives its id. kUnavailable when it
  // cannot be written.
  Result<std::string> save(const std::string& path) const;
  // kNotFound, kCorrupt (damage), kInvalid (a newer version, or not of attune train).
  static Result<Trained> load(const std::string& path);
};

}  // namespace attune
