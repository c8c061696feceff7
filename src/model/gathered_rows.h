// GatheredRows: rows of numbers that wait to be learned from all at once, in few bytes: columns of
// half precision first, then of single. Within a limit: when it is reached every second row is let
// go, and from then on every second one is taken; and so on. One thread.
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace attune {

// A column made of others: those from `begin` on, each times its factor.
struct WeightedSum {
  std::size_t begin = 0;
  std::vector<float> factors;

  float of(std::span<const float> row) const;  // the columns it is made of, and others
};

class GatheredRows {
 public:
  // limit: bytes of the rows. A few thousand rows are always kept.
  GatheredRows(std::size_t half_columns, std::size_t single_columns, std::uint64_t limit_bytes,
               bool has_groups = false);
  // row: half_columns, then single_columns numbers. group: kept where they are to be.
  void add(std::span<const float> row, float label, float weight, std::uint32_t group = 0);

  std::size_t size() const { return labels_.size(); }
  std::size_t given() const { return half_columns_ + single_columns_; }
  std::size_t columns() const { return given() + sums_.size(); }  // given, then made of those
  std::uint64_t seen() const { return seen_; }                    // given; size() of them are kept
  std::span<const float> labels() const { return labels_; }
  std::span<const float> weights() const { return weights_; }
  std::span<const std::uint32_t> groups() const { return groups_; }  // empty without
  // Columns to make of those that were given. They take no memory.
  void set_sums(std::vector<WeightedSum> sums) { sums_ = std::move(sums); }
  // Numbers for those missing (NaN) of the columns of single precision; one for each of columns().
  void fill_missing(std::span<const float> by);
  // These rows one after another; out has room for rows.size() * columns(), or given() without
  // those that are made.
  void copy(std::span<const std::uint32_t> rows, std::span<float> out, bool has_sums = true) const;
  std::size_t memory_bytes() const;

 private:
  static constexpr std::size_t kChunkRows = 4096;
  struct Chunk {
    std::vector<std::uint16_t> halves;
    std::vector<float> singles;
  };
  void thin();
  void append(std::span<const std::uint16_t> halves, std::span<const float> singles);

  std::size_t half_columns_, single_columns_, most_rows_;
  std::uint64_t seen_ = 0, stride_ = 1;
  std::size_t rows_ = 0;
  std::vector<Chunk> chunks_;
  std::vector<float> labels_, weights_;
  std::vector<WeightedSum> sums_;
  bool has_groups_;
  std::vector<std::uint32_t> groups_;
  std::vector<std::uint16_t> halves_;  // of the row that is being added
};

// What a number becomes in half precision.
float rounded_to_half(float x);

}  // namespace attune
