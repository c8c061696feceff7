#include "cli/explain_model.h"

#include <fmt/format.h>

#include <cstdio>
#include <unordered_map>

#include "base/json.h"
#include "cli/explain_rows.h"
#include "cli/measure_table.h"
#include "learn/explanation.h"
#include "learn/scoring.h"

namespace attune {
namespace {

// A row as read, and the names of its features.
struct NamedRow {
  Examples row;
  std::vector<std::string> names;
};

Error no_row(const ExplainModelOptions& options, std::uint64_t rows) {
  return {Code::kInvalid,
          fmt::format("--row {}: {} has {} rows", options.row, options.file.file, rows), "row", ""};
}

Error bad_row(const ExplainModelOptions& options, const BadRow& bad) {
  return {Code::kInvalid,
          fmt::format("--row {}: line {} cannot be read: {}", options.row, bad.line, bad.reason),
          "row", ""};
}

Result<NamedRow> row_of_table(const Trained& trained, const ExplainModelOptions& options) {
  TRY(const TableOptions table, options.file.table());
  TRY(const auto reader, TableReader::open(options.file.file, table));
  TRY(const TableRows rows, trained.rows->bind(reader->shape().columns));
  NamedRow found;
  for (std::size_t number = 1;; ++number) {
    TRY(const TableReader::Next next, reader->next());
    if (next == TableReader::Next::kEnd) return no_row(options, number - 1);
    if (number < options.row) continue;
    if (next == TableReader::Next::kBad) return bad_row(options, reader->bad());
    rows.append(reader->cells(), found.row);
    rows.name(reader->cells(),
              [&](std::uint32_t, std::string_view name) { found.names.emplace_back(name); });
    return found;
  }
}

Result<NamedRow> row_of_examples(const Trained& trained, ExampleFormat format,
                                 const ExplainModelOptions& options) {
  std::unordered_map<std::uint32_t, std::string> names;
  const auto keep = [&](std::uint32_t hash, std::string_view name) { names[hash] = name; };
  TRY(const auto reader,
      ExampleReader::open(options.file.file, format, trained.example_options(keep)));
  NamedRow found;
  for (std::uint64_t good = 0;; ++good) {
    names.clear();
    TRY(const bool has_row, reader->next(1, found.row));
    const std::uint64_t rows = good + reader->bad_rows();
    if (rows >= options.row) return bad_row(options, reader->first_bad().back());
    if (!has_row) return no_row(options, rows);
    if (rows + 1 == options.row) break;
  }
  for (const Feature& feature : found.row.features) {
    const auto name = names.find(feature.hash);
    found.names.push_back(name == names.end() ? fmt::format("#{:08x}", feature.hash)
                                              : name->second);
  }
  return found;
}

void write_parts(JsonWriter& json, const char* name, std::span<const RowPart> parts) {
  json.key(name).begin_array();
  for (const RowPart& part : parts) {
    json.begin_object().field("name", part.name).field("value", part.value);
    json.field("part", part.part).end_object();
  }
  json.end_array();
}

Status explain_row_of(const Trained& trained, const ExplainModelOptions& options) {
  TRY(const auto format, options.file.example_for(trained));
  TRY_OK(check_input(trained, format));
  TRY(const NamedRow named,
      format ? row_of_examples(trained, *format, options) : row_of_table(trained, options));
  TRY(const Explanation explanation, explain_row(trained, named.row, named.names));
  const bool is_probability = trained.model->is_probability();
  const bool is_calibrated = trained.calibration.kind() != CalibrationKind::kNone;
  const bool is_logit = trained.model->adds_logits();
  const char* sum = is_logit ? "logit" : "value";
  if (options.is_json) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("row", std::uint64_t{options.row});
    json.field(is_probability ? "probability" : "prediction", explanation.prediction);
    if (is_calibrated) json.field("raw_probability", explanation.raw);
    json.field(sum, explanation.sum).field("bias", explanation.bias);
    write_parts(json, "parts", explanation.parts);
    json.end_object();
    std::printf("%s\n", out.c_str());
    return ok_status();
  }
  if (is_probability) {
    std::printf("row %zu: probability %.4f", options.row, explanation.prediction);
    if (is_calibrated) std::printf(", calibrated from %.4f", explanation.raw);
    std::printf(", %s %+.4f =\n", sum, explanation.sum);
  } else {
    std::printf("row %zu: %.4f =\n", options.row, explanation.sum);
  }
  if (explanation.bias != 0) std::printf("  %+9.4f  (bias)\n", explanation.bias);
  for (const std::string& line : part_table(explanation.parts, options.top)) {
    std::printf("%s\n", line.c_str());
  }
  return ok_status();
}

Status explain_weights(const Trained& trained, const ExplainModelOptions& options) {
  TRY(const std::vector<RowPart> weights, largest_weights(trained, options.top));
  if (options.is_json) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("kind", trained.model->kind()).field("bias", trained.model->bias());
    write_parts(json, "weights", weights);
    json.end_object();
    std::printf("%s\n", out.c_str());
    return ok_status();
  }
  for (const std::string& line : part_table(weights, options.top)) {
    std::printf("%s\n", line.c_str());
  }
  return ok_status();
}

}  // namespace

Status explain_model(const ExplainModelOptions& options) {
  if (asks_what_if(options)) {
    TRY(const Trained trained, Trained::load(options.model));
    return explain_rows(trained, options);
  }
  if (options.row > 0 && options.file.file.empty()) {
    return Error{Code::kInvalid, "--row needs the file it is a row of", "row",
                 "attune explain --model MODEL --row N FILE"};
  }
  if (options.row == 0 && !options.file.file.empty()) {
    return Error{Code::kInvalid, "which row of " + options.file.file + "? say --row N", "row", ""};
  }
  TRY(const Trained trained, Trained::load(options.model));
  return options.row > 0 ? explain_row_of(trained, options) : explain_weights(trained, options);
}

}  // namespace attune
