// Vowpal Wabbit's text: [label] [importance] ['tag] ("|" [namespace[":"weight]]
// (feature[":"value])*)+. A namespace is a field; a feature is hashed with its namespace's name.
// Usual rows are read from separator to separator (Marks); a row with anything rare or wrong is
// read again, more slowly, by what knows all rules and says what is wrong. Both give the same.
#include <fmt/format.h>
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "format/example_readers.h"
#include "format/feature_hash.h"
#include "format/marks.h"
#include "format/namespaces.h"
#include "format/sparse_reader.h"

namespace attune {
namespace {

bool is_end(char c) { return c == ' ' || c == '\t' || c == '|'; }

class VwReader final : public SparseReader {
 public:
  using SparseReader::SparseReader;

 protected:
  Parsed parse(std::string_view line, Target& target, Examples& out) override {
    const std::size_t bar = line.find('|');
    if (bar == std::string_view::npos) return refuse("", "no |: nothing says where features begin");
    if (!header(line.substr(0, bar), target)) return Parsed::kBad;
    line.remove_prefix(bar);
    if (!names() && read_usual(line)) {
      out.features.insert(out.features.end(), features_.begin(), features_.begin() + found_);
      out.fields.insert(out.fields.end(), fields_.begin(), fields_.begin() + found_);
      return Parsed::kRow;
    }
    while (!line.empty()) {
      line.remove_prefix(1);  // the bar
      if (!features(line, out)) return Parsed::kBad;
    }
    return Parsed::kRow;
  }

 private:
  // `line` begins with a bar. False when features() must have a look.
  bool read_usual(std::string_view line) {
    if (features_.size() < line.size() / 2 + 1) {
      features_.resize(line.size() / 2 + 1);
      fields_.resize(line.size() / 2 + 1);
    }
    found_ = 0;
    Marks marks(line);
    const auto is = [&](std::size_t at, char c) { return at < line.size() && line[at] == c; };
    std::size_t at = marks.next();
    while (at < line.size()) {  // at a bar
      const std::size_t end = marks.next();
      if (is(end, ':')) return false;
      const Namespace* const space = known_.find(line.substr(at + 1, end - at - 1), field_names());
      if (space == nullptr) return false;
      at = end;
      while (at < line.size() && line[at] != '|') {  // at a space
        const std::size_t begin = at + 1, stop = at = marks.next();
        float value = 1;
        if (is(stop, ':')) {
          at = marks.next();
          if (is(at, ':') || stop == begin) return false;
          const auto parsed = parse_float(line.substr(stop + 1, at - stop - 1));
          if (!parsed || std::abs(*parsed) > kMaxFeatureValue) return false;
          value = *parsed;
        }
        if (stop == begin) continue;
        features_[static_cast<std::size_t>(found_)] = {hash_of(line, begin, stop, space->salt),
                                                       value};
        fields_[static_cast<std::size_t>(found_++)] = space->number;
      }
    }
    return true;
  }

  // token_hash() by one load; up to 8 bytes after the line are read.
  static std::uint32_t hash_of(std::string_view line, std::size_t begin, std::size_t end,
                               std::uint64_t salt) {
    const std::size_t size = end - begin;
    if (size > 8) return token_hash(salt, line.substr(begin, size));
    std::uint64_t word = 0;
    std::memcpy(&word, line.data() + begin, sizeof word);
    return short_token_hash(salt, _bzhi_u64(word, static_cast<unsigned>(8 * size)), size);
  }

  bool refuse_header(std::string column, std::string reason) {
    refuse(std::move(column), std::move(reason));
    return false;
  }

  // What stands right before the bar is a tag, unless it is a number.
  bool header(std::string_view text, Target& target) {
    std::string_view words[4];
    std::size_t count = 0;
    while (count < 4) {
      const std::string_view word = take_token(text);
      if (word.empty()) break;
      words[count++] = word;
      if (word[0] == '\'' || (text.empty() && !parse_float(word))) --count;  // the tag
      if (word[0] == '\'') break;
    }
    if (!take_token(text).empty()) return refuse_header("", "text between tag and |");
    if (count > 2) {
      return refuse_header("", "more than label, importance and tag before |");
    }
    if (count > 0) {
      const auto label = parse_float(words[0]);
      if (!label) {
        return refuse_header("label", fmt::format("\"{}\" is no number", words[0].substr(0, 40)));
      }
      target.label = label_of(*label);
    }
    if (count < 2) return true;
    const auto weight = parse_float(words[1]);
    if (weight && *weight >= 0) {
      target.weight = *weight;
      return true;
    }
    return refuse_header("importance",
                         fmt::format("\"{}\" is no number of 0 or more", words[1].substr(0, 40)));
  }

  // The namespace `line` begins with, up to the next bar, taken off it.
  bool features(std::string_view& line, Examples& out) {
    std::string_view name;
    float weight = 1.0F;
    if (!line.empty() && !is_end(line[0])) {
      std::string_view value;
      if (!take(line, name, value)) return false;
      if (value.data() != nullptr) {
        const auto parsed = parse_value(value, why_);
        if (!parsed) return refuse_header(std::string(name.substr(0, 40)), why_);
        weight = *parsed;
      }
    }
    const Namespace* const found = space_of(name);
    if (found == nullptr) return false;
    while (true) {
      while (!line.empty() && line[0] != '|' && is_end(line[0])) line.remove_prefix(1);
      if (line.empty() || line[0] == '|') return true;
      if (!feature(line, name, *found, weight, out)) return false;
    }
  }

  bool feature(std::string_view& line, std::string_view space_name, const Namespace& space,
               float weight, Examples& out) {
    std::string_view name, text;
    if (!take(line, name, text)) return false;
    if (name.empty()) return refuse_header(std::string(space_name), "a feature without a name");
    float value = weight;
    if (text.data() != nullptr) {
      const auto parsed = parse_value(text, why_);
      if (!parsed) return refuse_header(std::string(name.substr(0, 40)), why_);
      value *= *parsed;
    }
    const std::uint32_t hash = token_hash(space.salt, name);
    out.features.push_back({hash, value});
    out.fields.push_back(space.number);
    if (names()) {
      names()(hash,
              space_name.empty() ? std::string(name) : fmt::format("{}^{}", space_name, name));
    }
    return true;
  }

  // name[:value] off the front of `line`; value.data() is null when there is none.
  bool take(std::string_view& line, std::string_view& name, std::string_view& value) {
    std::size_t end = 0, colon = std::string_view::npos;
    while (end < line.size() && !is_end(line[end])) {
      if (line[end] == ':') {
        if (colon != std::string_view::npos) {
          return refuse_header(std::string(line.substr(0, std::min(end, std::size_t{40}))),
                               "a second : in a feature; names must not hold one");
        }
        colon = end;
      }
      ++end;
    }
    const bool has_value = colon != std::string_view::npos;
    name = line.substr(0, has_value ? colon : end);
    value = has_value ? line.substr(colon + 1, end - colon - 1) : std::string_view();
    line.remove_prefix(end);
    return true;
  }

  // Null, and refused, when there are too many.
  const Namespace* space_of(std::string_view name) {
    if (const Namespace* const known = known_.find(name, field_names())) return known;
    std::uint16_t number = 0;
    if (!number_of(name, number)) return nullptr;
    return &known_.add(name, number);
  }

  Namespaces known_;
  std::string why_;
  // Of the row that is read, found_ of them; never shorter.
  std::vector<Feature> features_;
  std::vector<std::uint16_t> fields_;
  std::ptrdiff_t found_ = 0;
};

}  // namespace

std::unique_ptr<ExampleReader> open_vw(TextWindow window, ExampleOptions options) {
  return std::make_unique<VwReader>(std::move(window), std::move(options));
}

}  // namespace attune
