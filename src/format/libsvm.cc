// libsvm: label [qid:n] index:value ..., indices ascending, # begins a comment. An index is its own
// hash, so that a table larger than the largest index has no collisions. Libffm: label
// field:index:value ..., likewise. A row that begins with a feature has no label.
#include <fmt/format.h>

#include <charconv>

#include "format/example_readers.h"
#include "format/sparse_reader.h"

namespace attune {
namespace {

std::optional<std::uint32_t> parse_index(std::string_view text) {
  std::uint32_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return index;
}

class IndexReader final : public SparseReader {
 public:
  IndexReader(TextWindow window, ExampleOptions options, bool has_fields)
      : SparseReader(std::move(window), std::move(options)), has_fields_(has_fields) {
    if (!has_fields_ && fields() == 0) add_field("");
  }

 protected:
  Parsed parse(std::string_view line, Target& target, Examples& out) override {
    line = line.substr(0, line.find('#'));
    std::string_view token = take_token(line);
    if (token.empty()) return Parsed::kNothing;
    if (token.find(':') == std::string_view::npos) {
      const auto label = parse_float(token);
      if (!label) return refuse("label", fmt::format("\"{}\" is no number", token.substr(0, 40)));
      target.label = label_of(*label);
      token = take_token(line);
    }
    if (!has_fields_ && token.starts_with("qid:")) {
      if (!parse_index(token.substr(4))) return refuse("qid", "it must be a whole number");
      token = take_token(line);
    }
    std::int64_t last = -1;
    for (; !token.empty(); token = take_token(line)) {
      if (!(has_fields_ ? field_feature(token, out) : feature(token, last, out))) {
        return Parsed::kBad;
      }
    }
    return Parsed::kRow;
  }

 private:
  bool refuse_token(std::string_view token, std::string reason) {
    refuse(std::string(token.substr(0, 40)), std::move(reason));
    return false;
  }

  bool feature(std::string_view token, std::int64_t& last, Examples& out) {
    const std::size_t colon = token.find(':');
    const auto index = parse_index(token.substr(0, colon));
    if (colon == std::string_view::npos || !index) {
      return refuse_token(token, "not index:value with an index from 0 to 4294967295");
    }
    if (static_cast<std::int64_t>(*index) <= last) {
      return refuse_token(token, "indices must ascend");
    }
    last = *index;
    return add(token, colon, *index, 0, out);
  }

  bool field_feature(std::string_view token, Examples& out) {
    const std::size_t first = token.find(':');
    const std::size_t second = first == std::string_view::npos ? first : token.find(':', first + 1);
    if (second == std::string_view::npos) return refuse_token(token, "not field:index:value");
    const auto field = parse_index(token.substr(0, first));
    const auto index = parse_index(token.substr(first + 1, second - first - 1));
    if (!field || *field >= kMaxFields) {
      return refuse_token(token, fmt::format("the field must be from 0 to {}", kMaxFields - 1));
    }
    if (!index) return refuse_token(token, "the index must be from 0 to 4294967295");
    while (fields() <= *field) add_field(std::to_string(fields()));
    return add(token, second, *index, static_cast<std::uint16_t>(*field), out);
  }

  bool add(std::string_view token, std::size_t colon, std::uint32_t index, std::uint16_t field,
           Examples& out) {
    const auto value = parse_value(token.substr(colon + 1), why_);
    if (!value) return refuse_token(token, why_);
    out.features.push_back({index, *value});
    out.fields.push_back(field);
    if (names()) names()(index, token.substr(0, colon));
    return true;
  }

  const bool has_fields_;
  std::string why_;
};

}  // namespace

std::unique_ptr<ExampleReader> open_libsvm(TextWindow window, ExampleOptions options) {
  return std::make_unique<IndexReader>(std::move(window), std::move(options), false);
}

std::unique_ptr<ExampleReader> open_libffm(TextWindow window, ExampleOptions options) {
  return std::make_unique<IndexReader>(std::move(window), std::move(options), true);
}

}  // namespace attune
