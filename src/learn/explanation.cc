#include "learn/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace attune {
namespace {

Error no_parts(const Trained& trained) {
  const bool is_tree = is_tree_kind(trained.model->kind());
  return {Code::kInvalid,
          fmt::format("kind {} has no {} to show", trained.model->kind(),
                      is_tree ? "weight of a feature by itself" : "exact parts"),
          "model",
          is_tree ? "explain a row of a file: --row N FILE"
                  : "train the same rows with --kind ftrl or --kind fm to read weights"};
}

void largest_first(std::vector<RowPart>& parts) {
  std::sort(parts.begin(), parts.end(), [](const RowPart& a, const RowPart& b) {
    const double size_a = std::fabs(a.part), size_b = std::fabs(b.part);
    return size_a != size_b ? size_a > size_b : a.name < b.name;
  });
}

}  // namespace

Result<Explanation> explain_row(const Trained& trained, const Examples& row,
                                const std::vector<std::string>& names) {
  CHECK(row.size() == 1 && names.size() == row.features.size());
  if (trained.inputs) return no_parts(trained);
  const std::vector<float> parts = trained.model->parts(row.row(0), row.fields_of(0));
  const std::size_t n = row.features.size();
  if (parts.size() != n && parts.size() != n + 1) return no_parts(trained);
  Explanation out;
  out.bias = trained.model->bias();
  out.sum = out.bias;
  for (std::size_t i = 0; i < n; ++i) {
    out.parts.push_back(
        {names[i], static_cast<double>(row.features[i].value), static_cast<double>(parts[i])});
    out.sum += out.parts.back().part;
  }
  if (parts.size() > n && parts[n] != 0) {
    out.parts.push_back({kAbsentPart, 0, static_cast<double>(parts[n])});
    out.sum += out.parts.back().part;
  }
  largest_first(out.parts);
  float prediction = 0;
  trained.model->predict(row, std::span(&prediction, 1));
  out.raw = static_cast<double>(prediction);
  out.prediction = static_cast<double>(trained.calibrated(prediction));
  return out;
}

Result<std::vector<RowPart>> largest_weights(const Trained& trained, std::size_t most) {
  if (trained.inputs) return no_parts(trained);
  if (trained.names.size() == 0) {
    return Error{Code::kInvalid, "the model was saved without the names of its features", "model",
                 "train with --names"};
  }
  std::vector<RowPart> weights;
  bool has_parts = true;
  trained.names.each([&](std::uint32_t hash, std::string_view name) {
    const Feature feature{hash, 1};
    const std::uint16_t field = 0;
    const auto part = trained.model->parts(Row(&feature, 1), std::span(&field, 1));
    has_parts = part.size() == 1;
    if (has_parts && part[0] != 0) {
      weights.push_back({std::string(name), 1, static_cast<double>(part[0])});
    }
  });
  if (!has_parts) return no_parts(trained);
  largest_first(weights);
  weights.resize(std::min(weights.size(), most));
  return weights;
}

}  // namespace attune
