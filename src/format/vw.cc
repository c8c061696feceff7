// Vowpal Wabbit's text: [label] [importance] ['tag] ("|" [namespace[":"weight]]
// (feature[":"value])*)+. A namespace is a field; a feature is hashed with its namespace's name.
#include <fmt/format.h>

#include <algorithm>

#include "format/example_readers.h"
#include "format/feature_hash.h"
#include "format/sparse_reader.h"

namespace attune {
namespace {

bool is_end(char c) { return c == ' ' || c == '\t' || c == '|'; }

struct Space {
  std::string name;
  std::uint64_t salt = 0;
  std::uint16_t number = 0;
};

class VwReader final : public SparseReader {
 public:
  using SparseReader::SparseReader;

 protected:
  Parsed parse(std::string_view line, Target& target, Examples& out) override {
    const std::size_t bar = line.find('|');
    if (bar == std::string_view::npos) return refuse("", "no |: nothing says where features begin");
    if (!header(line.substr(0, bar), target)) return Parsed::kBad;
    line.remove_prefix(bar);
    next_space_ = 0;
    while (!line.empty()) {
      line.remove_prefix(1);  // the bar
      if (!features(line, out)) return Parsed::kBad;
    }
    return Parsed::kRow;
  }

 private:
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
    const Space* found = space_of(name);
    if (found == nullptr) return false;
    while (true) {
      while (!line.empty() && line[0] != '|' && is_end(line[0])) line.remove_prefix(1);
      if (line.empty() || line[0] == '|') return true;
      if (!feature(line, *found, weight, out)) return false;
    }
  }

  bool feature(std::string_view& line, const Space& space, float weight, Examples& out) {
    std::string_view name, text;
    if (!take(line, name, text)) return false;
    if (name.empty()) return refuse_header(space.name, "a feature without a name");
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
              space.name.empty() ? std::string(name) : fmt::format("{}^{}", space.name, name));
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

  // Most rows have the same namespaces in the same order.
  const Space* space_of(std::string_view name) {
    if (next_space_ < order_.size() && order_[next_space_].name == name) {
      return &order_[next_space_++];
    }
    Space space{std::string(name), namespace_salt(name), 0};
    if (!number_of(name, space.number)) return nullptr;
    if (next_space_ < order_.size()) {
      order_[next_space_] = std::move(space);
    } else if (order_.size() < kMaxFields) {
      order_.push_back(std::move(space));
    } else {
      refuse("", fmt::format("more than {} namespaces", kMaxFields));
      return nullptr;
    }
    return &order_[next_space_++];
  }

  std::vector<Space> order_;  // of the namespaces of the last rows
  std::size_t next_space_ = 0;
  std::string why_;
};

}  // namespace

std::unique_ptr<ExampleReader> open_vw(TextWindow window, ExampleOptions options) {
  return std::make_unique<VwReader>(std::move(window), std::move(options));
}

}  // namespace attune
