#include "model/sequence_rows.h"

#include <algorithm>

namespace attune {

void SequenceRows::add(const Examples& rows, std::size_t feature, std::size_t begin,
                       std::uint32_t turn) {
  Feature turned = rows.features[feature];
  turned.hash ^= turn;
  features_.push_back(turned);
  fields_.push_back(rows.fields[feature]);
  places_.push_back(static_cast<std::uint32_t>(feature - begin));
}

void SequenceRows::read(const Examples& rows, std::size_t begin, std::size_t end,
                        std::span<const SequenceField> sequences) {
  first_ = begin;
  lines_.clear();
  features_.clear();
  fields_.clear();
  places_.clear();
  const auto is_sequence = [&](std::uint16_t field) {
    return std::any_of(sequences.begin(), sequences.end(),
                       [&](const SequenceField& s) { return s.field == field; });
  };
  for (std::size_t r = begin; r < end; ++r) {
    const std::size_t from = rows.begin_of(r), to = rows.ends[r];
    Line line{features_.size(), 0, 0};
    for (std::size_t i = from; i < to; ++i) {
      if (!is_sequence(rows.fields[i])) add(rows, i, from, 0);
    }
    line.plain = features_.size() - line.begin;
    for (const SequenceField& sequence : sequences) {
      for (std::size_t i = from; i < to; ++i) {
        if (rows.fields[i] == sequence.field) add(rows, i, from, sequence.turn);
      }
    }
    line.end = features_.size();
    lines_.push_back(line);
  }
}

}  // namespace attune
