#include "learn/calibrating.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace attune {

namespace {

struct Head {
  std::vector<std::uint8_t> labels;
  std::vector<double> probabilities;
  void add(float said, float label) {
    if (std::isnan(label)) return;
    labels.push_back(label > 0.5F ? 1 : 0);
    probabilities.push_back(static_cast<double>(said));
  }
};

Result<CalibrationMap> fitted(CalibrationKind kind, const Head& head, const Trained& trained,
                              std::size_t task) {
  auto map = CalibrationMap::fit(kind, head.labels, head.probabilities);
  if (map.ok() || task == 0) return map;
  Error error = map.error();
  error.message = fmt::format("{}: {}", trained.model->options().tasks[task].name, error.message);
  return error;
}

}  // namespace

bool is_held_back(std::uint64_t row, std::uint64_t seed) {
  return static_cast<double>(mix64(row, seed) >> 11) * 0x1.0p-53 < kHeldBackToCalibrate;
}

Status HeldBackRows::begin(std::size_t pass) {
  at_ = 0;
  return rows_.begin(pass);
}

Result<bool> HeldBackRows::next(Examples& out) {
  while (true) {
    all_.resize(1);
    TRY(const bool has_rows, rows_.next(all_[0]));
    out.clear();
    if (!has_rows) return false;
    keep(all_[0], out);
    if (out.size() > 0) return true;
  }
}

Result<std::size_t> HeldBackRows::next_some(std::span<Examples> out, Team* team) {
  all_.resize(out.size());
  TRY(const std::size_t blocks, rows_.next_some(all_, team));
  for (std::size_t b = 0; b < blocks; ++b) keep(all_[b], out[b]);
  return blocks;
}

// Of the next rows those of this side.
void HeldBackRows::keep(const Examples& all, Examples& out) {
  out.clear();
  const std::uint64_t first = std::exchange(at_, at_ + all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (is_held_back(first + i, seed_) == (side_ == Side::kHeldBack)) append_row(all, i, out);
  }
}

Result<std::uint64_t> calibrate(Trained& trained, CalibrationKind kind, BlockSource& rows,
                                std::size_t pass) {
  if (kind == CalibrationKind::kNone) return 0;
  if (!trained.model->is_probability()) {
    return Error{Code::kInvalid,
                 fmt::format("--calibrate: kind {} predicts a number, not a probability",
                             trained.model->kind()),
                 "calibrate", "leave it out, or use another --kind"};
  }
  Examples block;
  std::vector<float> said;
  std::vector<Head> heads(trained.model->heads());
  TRY_OK(rows.begin(pass));
  while (true) {
    TRY(const bool has_rows, rows.next(block));
    if (!has_rows) break;
    trained.predict_heads_raw(block, said);
    for (std::size_t i = 0; i < said.size(); ++i) {
      heads[i % heads.size()].add(said[i], block.label(i / heads.size(), i % heads.size()));
    }
  }
  TRY(trained.calibration, fitted(kind, heads.front(), trained, 0));
  trained.further_calibrations.clear();
  for (std::size_t i = 1; i < heads.size(); ++i) {
    TRY(CalibrationMap map, fitted(kind, heads[i], trained, i));
    trained.further_calibrations.push_back(std::move(map));
  }
  return std::uint64_t{heads.front().labels.size()};
}

}  // namespace attune
