// TreeColumns: hashed features as the columns of trees. A feature that is a number, or one of few
// of its field, has a column of its own; of a field of many, what is known of its ids stands for
// them: how their labels were, and how often they were seen. Which is which follows from the first
// rows learned from. A field of few may have a column besides, which has them in the order of
// their labels, so that one split parts them. learn() and rate() are one thread's; the rest is
// const and safe to share.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "model/examples.h"
#include "model/gathered_rows.h"
#include "model/id_sums.h"

namespace attune {

struct TreeColumnOptions {
  int bits = 26;         // ids of fields of many share 2^bits places
  std::size_t few = 64;  // a field of more ids is one of many
  double prior = 10;  // rows an id is thought to have had, with the mean of all, before its first
  bool is_value = false;  // labels are numbers, not 0 or 1
};

class TreeColumns {
 public:
  static constexpr std::size_t kMostOwn = 2000;  // columns of single features; the most frequent
  // Of them that are always 1: fields of fewer ids come first, the others are of many.
  static constexpr std::size_t kMostMarks = 128;
  static constexpr std::size_t kMostShared = 10'000;  // fields of many; further ones are left out
  explicit TreeColumns(const TreeColumnOptions& options) : options_(options), ids_(options.bits) {}
  // From rows like those to come.
  void choose(const Examples& sample);

  // When all rows are there, encoded and learned: adds the columns of fields of few.
  void rate(GatheredRows& rows);

  // Two a field of many; then one a feature, first those that are always 1; then one a field of
  // few, of how the labels of its ids were in all the rows.
  std::size_t shared() const { return 2 * shared_fields_; }
  std::size_t own() const { return own_.size(); }
  // The first so many are kept as well in half precision.
  std::size_t half() const;
  std::size_t rated() const { return rated_.size(); }
  std::size_t size() const { return shared() + own() + rated(); }
  std::size_t memory_bytes() const;

  // What a row is, by the rows learned before it; out: size() of them. A value that is not allowed
  // makes an empty row of it.
  void encode(Row row, std::span<const std::uint16_t> fields, std::span<float> out) const;
  // label: as the model takes it; weight above 0.
  void learn(Row row, std::span<const std::uint16_t> fields, float label, float weight);
  // Hands what each column did to the features of a row: a column of its own to its feature, those
  // of a field to its features there, evenly. What no feature of the row has to do with is left
  // over and returned.
  double attribute(Row row, std::span<const std::uint16_t> fields, std::span<const double> columns,
                   std::span<double> out) const;

  void encode(std::string& out) const;
  // Of the same options. has_rates: false for those encoded before there were any.
  bool restore(Reader& reader, bool has_rates = true);

 private:
  struct Own {
    std::uint32_t hash = 0;
    std::uint16_t field = 0;
    bool is_always_1 = true;  // absent means 0; else it means: not known
  };
  static constexpr std::uint32_t kNone = 0xffffffff;

  std::uint32_t shared_of(std::uint16_t field) const {
    return field < shared_places_.size() ? shared_places_[field] : kNone;
  }
  std::size_t few_of(const std::map<std::uint16_t, std::size_t>& ids) const;
  void set_shared(const std::vector<std::uint16_t>& fields);
  void set_own(std::vector<Own> own);
  std::vector<WeightedSum> fields_of_few() const;
  bool restore_rates(Reader& reader);
  class Rates;
  double mean() const;
  double deviation() const;

  TreeColumnOptions options_;
  std::vector<Own> own_;
  std::unordered_map<std::uint32_t, std::uint32_t> own_places_;  // by hash, in own_
  std::vector<WeightedSum> rated_;  // of the columns of a field's features, by their rates
  std::vector<std::uint32_t> shared_places_;  // by field; kNone
  std::size_t shared_fields_ = 0;
  IdSums ids_;  // of shared fields
  double rows_ = 0, labels_ = 0, squares_ = 0;
};

}  // namespace attune
