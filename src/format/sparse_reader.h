// SparseReader: what the readers of text with named or numbered features share: lines, blocks, bad
// rows, field numbers. A kind parses one line. One thread.
#pragma once
#include <string>
#include <unordered_map>

#include "format/bad_rows.h"
#include "format/example_reader.h"
#include "format/text_lines.h"

namespace attune {

class SparseReader : public ExampleReader {
 public:
  SparseReader(TextWindow window, ExampleOptions options);
  Result<bool> next(std::size_t most, Examples& out) final;
  std::uint64_t bad_rows() const final { return bad_.count(); }
  std::span<const BadRow> first_bad() const final { return bad_.first(); }
  std::span<const std::string> field_names() const final { return field_names_; }
  const ByteSource& bytes() const final { return lines_.window().bytes(); }

 protected:
  struct Target {
    float label;
    float weight;
  };
  enum class Parsed {
    kRow,
    kNothing,
    kBad
  };  // kNothing: a comment, say; kBad: refuse() was called
  // Adds the features of a line, which is not empty, to `out`.
  virtual Parsed parse(std::string_view line, Target& target, Examples& out) = 0;
  Parsed refuse(std::string column, std::string reason);
  // False, and refused, when there are too many.
  bool number_of(std::string_view field, std::uint16_t& number);
  void add_field(std::string name);
  const NameSink& names() const { return names_; }

 private:
  TextLines lines_;
  const NameSink names_;
  std::vector<std::string> field_names_;
  std::unordered_map<std::string, std::uint16_t> numbers_;
  BadRows bad_;
  std::optional<Error> fault_;
};

// A finite decimal number, the whole text; nullopt if it is not one.
std::optional<float> parse_float(std::string_view text);
// A value a model takes (kMaxFeatureValue); `why` says what is wrong with others.
std::optional<float> parse_value(std::string_view text, std::string& why);
// -1 becomes 0, as the learners' label of "no"; all others stay.
inline float label_of(float label) { return label == -1.0F ? 0.0F : label; }
// The next piece of `text` up to a space or tab, taken off it; "" at the end.
std::string_view take_token(std::string_view& text);

}  // namespace attune
