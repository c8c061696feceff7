#include "learn/trained.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/bytes.h"
#include "base/json.h"
#include "model/model_file.h"

namespace attune {
namespace {

// Sections of the file beside those every model file may have (docs/reference/model-format.md).
constexpr const char* kAbout = "train";  // input, known rate, fields, learned until, has numbers
constexpr const char* kReport = "report";
constexpr const char* kRows = "table_rows";
constexpr const char* kInputs = "inputs";
constexpr const char* kCalibration = "calibration";
constexpr const char* kFurtherCalibrations = "calibrations";
constexpr std::uint8_t kVersion = 3;  // of kAbout; 2: learned until; 3: has numbers

std::string encoded_about(const Trained& trained) {
  std::string out;
  Writer w(out);
  w.u8(kVersion);
  w.str(trained.input);
  w.f64(trained.known_rate);
  w.varint(trained.fields.size());
  for (const std::string& field : trained.fields) w.str(field);
  w.svarint(to_us(trained.learned_until));
  w.u8(trained.has_numbers ? 1 : 0);
  return out;
}

std::string encoded_maps(const std::vector<CalibrationMap>& maps) {
  std::string out, one;
  Writer w(out);
  w.varint(maps.size());
  for (const CalibrationMap& map : maps) {
    one.clear();
    map.encode(one);
    w.str(one);
  }
  return out;
}

Result<std::vector<CalibrationMap>> decoded_maps(std::string_view bytes, std::size_t count) {
  std::vector<CalibrationMap> maps;
  Reader r(bytes);
  if (r.varint() != count) return Error{Code::kCorrupt, "a head has no calibration", "model", ""};
  for (std::size_t i = 0; i < count; ++i) {
    TRY(CalibrationMap map, CalibrationMap::decode(r.str()));
    maps.push_back(std::move(map));
  }
  if (r.ok() && r.done()) return maps;
  return Error{Code::kCorrupt, "the calibrations of the heads make no sense", "model", ""};
}

Status read_about(std::string_view bytes, const std::string& path, Trained& trained) {
  Reader r(bytes);
  const std::uint8_t version = r.u8();
  if (version == 0 || version > kVersion) {
    return Error{Code::kInvalid,
                 fmt::format("{}: section {} of version {}, this program reads up to version {}",
                             path, kAbout, version, kVersion),
                 "model", "use the program that saved it, or train again"};
  }
  trained.input = r.str();
  trained.known_rate = r.f64();
  const std::uint64_t fields = r.varint();
  for (std::uint64_t i = 0; i < fields && r.ok(); ++i) trained.fields.emplace_back(r.str());
  if (version > 1) trained.learned_until = time_from_us(r.svarint());
  if (version > 2) trained.has_numbers = r.u8() != 0;
  if (r.ok() && r.done()) return ok_status();
  return Error{Code::kCorrupt, fmt::format("{}: section {} makes no sense", path, kAbout), "model",
               ""};
}

}  // namespace

std::string short_report(std::string_view report, std::string_view by) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("by", by);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (!parser.parse(simdjson::padded_string(report)).get(root)) {
    for (const char* name : {"auc", "log_loss", "calibration", "rmse", "recall"}) {
      double value = 0;
      if (!root[name].get(value)) json.field(name, value);
    }
    for (const char* name :
         {"rows", "test_rows", "persons", "items", "pairs", "lists", "lists_looked_at"}) {
      std::uint64_t value = 0;
      if (!root[name].get(value)) json.field(name, value);
    }
    std::string_view measured_on;
    if (!root["measured_on"].get(measured_on)) json.field("measured_on", measured_on);
  }
  json.end_object();
  return out;
}

bool needs_inputs(std::string_view kind) { return kind == "mlp"; }

ModelOptions options_for(const ModelOptions& base, const std::string& kind,
                         const std::vector<std::pair<std::string, double>>& settings,
                         bool is_binary) {
  ModelOptions out = base;
  out.kind = kind;
  out.settings.insert(out.settings.end(), settings.begin(), settings.end());
  if (is_tree_kind(kind) && !is_binary) out.settings.emplace_back("value", 1);
  return out;
}

ExampleOptions Trained::example_options(NameSink sink) const {
  return {.names = std::move(sink), .fields = fields, .has_numbers = has_numbers};
}

void Trained::predict_raw(Examples& block, std::vector<float>& out) const {
  if (inputs) inputs->apply(block);
  out.resize(block.size());
  model->predict(block, out);
}

float Trained::calibrated(float raw, std::size_t head) const {
  if (head > further_calibrations.size()) return raw;
  const CalibrationMap& map = head == 0 ? calibration : further_calibrations[head - 1];
  if (map.kind() == CalibrationKind::kNone) return raw;
  return static_cast<float>(map.apply(static_cast<double>(raw)));
}

void Trained::predict(Examples& block, std::vector<float>& out) const {
  predict_raw(block, out);
  if (calibration.kind() == CalibrationKind::kNone) return;
  for (float& p : out) p = calibrated(p);
}

void Trained::predict_heads_raw(Examples& block, std::vector<float>& out) const {
  if (inputs) inputs->apply(block);
  out.resize(block.size() * model->heads());
  model->predict_heads(block, out);
}

void Trained::predict_heads(Examples& block, std::vector<float>& out) const {
  predict_heads_raw(block, out);
  const std::size_t heads = model->heads();
  for (std::size_t at = 0; at < out.size(); ++at) out[at] = calibrated(out[at], at % heads);
}

Result<std::string> Trained::save(const std::string& path) const {
  const std::string about = encoded_about(*this);
  std::string encoded_names, encoded_rows, encoded_inputs, encoded_calibration, plan;
  std::vector<ModelSection> sections = {
      {"model", {}, model.get()}, {kAbout, about}, {kReport, report}};
  if (names.size() > 0) {
    names.encode(encoded_names);
    sections.push_back({"names", encoded_names});
  }
  if (rows) {
    plan = rows->plan().toml();
    sections.push_back({"plan", plan});
    rows->encode(encoded_rows);
    sections.push_back({kRows, encoded_rows});
  }
  if (!live_plan.empty()) sections.push_back({"plan", live_plan});
  if (inputs) {
    inputs->encode(encoded_inputs);
    sections.push_back({kInputs, encoded_inputs});
  }
  if (calibration.kind() != CalibrationKind::kNone) {
    calibration.encode(encoded_calibration);
    sections.push_back({kCalibration, encoded_calibration});
  }
  std::string encoded_further;
  if (!further_calibrations.empty()) {
    encoded_further = encoded_maps(further_calibrations);
    sections.push_back({kFurtherCalibrations, encoded_further});
  }
  return store_model_file(path, sections);
}

Result<Trained> Trained::load(const std::string& path) {
  TRY(const ModelFile file, ModelFile::open(path));
  if (!file.has(kAbout)) {
    return Error{Code::kInvalid, path + ": not a model of attune train", "model",
                 "attune train makes one"};
  }
  Trained trained;
  TRY(const std::string_view about, file.section(kAbout));
  TRY_OK(read_about(about, path, trained));
  if (file.has(kReport)) {
    TRY(trained.report, file.section(kReport));
  }
  if (file.has(kRows)) {
    TRY(const std::string_view bytes, file.section(kRows));
    TRY(trained.rows, TableRows::decode(bytes));
  }
  if (trained.input == kWorkspaceInput && file.has("plan")) {
    TRY(trained.live_plan, file.section("plan"));
  }
  if (file.has(kInputs)) {
    TRY(const std::string_view bytes, file.section(kInputs));
    TRY(trained.inputs, InputMap::decode(bytes));
  }
  if (file.has(kCalibration)) {
    TRY(const std::string_view bytes, file.section(kCalibration));
    TRY(trained.calibration, CalibrationMap::decode(bytes));
  }
  TRY(trained.names, file.names());
  TRY(trained.model, file.model());
  if (file.has(kFurtherCalibrations)) {
    TRY(const std::string_view bytes, file.section(kFurtherCalibrations));
    TRY(trained.further_calibrations, decoded_maps(bytes, trained.model->heads() - 1));
  }
  return trained;
}

}  // namespace attune
