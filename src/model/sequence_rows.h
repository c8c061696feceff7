// SequenceRows: rows of which what sequences hold is set apart: first the other features as they
// come, then those of each sequence, each id turned into that of the field the sequence is like.
// Used again and again. One thread.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/examples.h"
#include "model/model.h"

namespace attune {

class SequenceRows {
 public:
  // Rows [begin, end) of a block, which are then known by their numbers there.
  void read(const Examples& rows, std::size_t begin, std::size_t end,
            std::span<const SequenceField> sequences);
  Row row_if_any(std::size_t row) const {
    if (row < first_ || row - first_ >= lines_.size()) return {};
    const Line& line = line_of(row);
    return Row(features_).subspan(line.begin, line.end - line.begin);
  }
  std::span<const std::uint16_t> fields_of(std::size_t row) const {
    const Line& line = line_of(row);
    return std::span(fields_).subspan(line.begin, line.end - line.begin);
  }
  // Which feature of the row as it was each is.
  std::span<const std::uint32_t> places_of(std::size_t row) const {
    const Line& line = line_of(row);
    return std::span(places_).subspan(line.begin, line.end - line.begin);
  }
  // Features of a row before those of its first sequence.
  std::size_t plain(std::size_t row) const { return line_of(row).plain; }

 private:
  struct Line {
    std::size_t begin, end, plain;
  };
  const Line& line_of(std::size_t row) const { return lines_[row - first_]; }
  void add(const Examples& rows, std::size_t feature, std::size_t begin, std::uint32_t turn);

  std::size_t first_ = 0;
  std::vector<Line> lines_;
  std::vector<Feature> features_;
  std::vector<std::uint16_t> fields_;
  std::vector<std::uint32_t> places_;
};

}  // namespace attune
