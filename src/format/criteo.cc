// Criteo's TSV: label, 13 integers, 26 categories, any but the label empty; without the label when
// it is not known. Integers are ids of steps, or numbers for who can use their order. One pass over
// the line finds its tabs, 64 bytes at a time; a category of 8 characters is one load and one
// multiplication, an integer of 8 digits one load and three.
#include <fmt/format.h>
#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "format/bad_rows.h"
#include "format/example_readers.h"
#include "format/feature_hash.h"
#include "format/integer_token.h"
#include "format/text_lines.h"

namespace attune {
namespace {

constexpr std::size_t kIntegers = 13, kCategories = 26, kFields = kIntegers + kCategories;
constexpr std::size_t kLongestToken = 256;
constexpr std::size_t kSmall = 4096;  // integers with a table of their own

using Tabs = std::array<std::uint32_t, kFields + 1 + 64>;  // room for all of the last 64 bytes

std::uint64_t tabs_of(const char* at) {
  const __m256i tab = _mm256_set1_epi8('\t');
  const auto* block = reinterpret_cast<const __m256i*>(at);
  const auto mask = [&](const __m256i* half) {
    return static_cast<std::uint32_t>(
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256(half), tab)));
  };
  return mask(block) | std::uint64_t{mask(block + 1)} << 32;
}

// Where the tabs of a line are; how many. Stops beyond kFields, so that too many is seen. Eight
// places are written at once, whether there are so many or not: the branches are then almost always
// the same. Reads up to 63 bytes after the line.
std::size_t find_tabs(std::string_view line, Tabs& tabs) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < line.size() && count <= kFields; at += 64) {
    std::uint64_t mask = tabs_of(line.data() + at);
    if (line.size() - at < 64) mask = _bzhi_u64(mask, static_cast<unsigned>(line.size() - at));
    const auto found = static_cast<std::size_t>(_mm_popcnt_u64(mask));
    std::uint32_t* to = &tabs[count];
    for (std::size_t done = 0; done < found; done += 8) {
      for (std::size_t i = 0; i < 8; ++i, mask &= mask - 1) {
        *to++ = static_cast<std::uint32_t>(at + _tzcnt_u64(mask));
      }
    }
    count += found;
  }
  return count;
}

// Of up to 8 bytes as they lie in memory, the first digit lowest; more than they can hold when one
// is no digit.
constexpr std::uint64_t kNoDigits = 100'000'000;
std::uint64_t parse_digits(std::uint64_t word, std::size_t size) {
  const auto shift = static_cast<unsigned>(64 - 8 * size);
  std::uint64_t x = (word << shift) - (0x3030303030303030ULL << shift);
  if (((x | (x + 0x7676767676767676ULL)) & 0x8080808080808080ULL) != 0) return kNoDigits;
  x = x * 10 + (x >> 8);  // pairs
  const std::uint64_t low = (x & 0x000000ff000000ffULL) * (100 + (1'000'000ULL << 32));
  const std::uint64_t high = ((x >> 16) & 0x000000ff000000ffULL) * (1 + (10'000ULL << 32));
  return (low + high) >> 32;
}

std::optional<std::int64_t> parse_integer(const char* text, std::size_t size) {
  const std::size_t sign = size > 0 && *text == '-' ? 1 : 0;
  if (size == sign || size > 18 + sign) return std::nullopt;
  std::int64_t value = 0;
  for (std::size_t i = sign; i < size; ++i) {
    const auto digit = static_cast<unsigned char>(text[i] - '0');
    if (digit > 9) return std::nullopt;
    value = value * 10 + digit;
  }
  return sign == 0 ? value : -value;
}

// Whole numbers up to the limit are exact in a float.
float as_number(std::int64_t x) {
  constexpr auto kMost = static_cast<std::int64_t>(kMaxFeatureValue);
  return static_cast<float>(std::clamp(x, -kMost, kMost));
}

std::string field_name(std::size_t field) {
  return field < kIntegers ? fmt::format("I{}", field + 1)
                           : fmt::format("C{}", field - kIntegers + 1);
}

class CriteoReader final : public ExampleReader {
 public:
  CriteoReader(TextWindow window, ExampleOptions options)
      : lines_(std::move(window), kMaxRowBytes),
        names_(std::move(options.names)),
        has_numbers_(options.has_numbers) {
    for (std::size_t field = 0; field < kFields; ++field) {
      field_numbers_[field] = static_cast<std::uint16_t>(field);
      salts_[field] = field_salt(static_cast<std::uint32_t>(field));
      if (field < kIntegers) number_hashes_[field] = token_hash(salts_[field], "");
      field_names_.push_back(field_name(field));
    }
    for (std::size_t x = 0; x < kSmall; ++x) {
      small_[x] = static_cast<std::uint16_t>(integer_token(static_cast<std::int64_t>(x)));
    }
    for (std::size_t field = 0; field < kIntegers; ++field) {
      for (std::size_t token = 0; token < kIntegerTokens; ++token) {
        integers_[field][token] = token_hash(salts_[field], integer_token_text(token));
      }
    }
  }

  Result<bool> next(std::size_t most, Examples& out) override {
    begin_block(most, out);
    std::size_t rows = 0;
    while (rows < most) {
      const auto kind = lines_.next();
      if (!kind.ok()) fault_ = kind.error();
      if (!kind.ok() || *kind == TextLines::Next::kEnd) break;
      if (*kind == TextLines::Next::kTooLong) {
        bad_.add(lines_.line(), "", "a row longer than 1 MB");
      } else if (!lines_.text().empty()) {
        rows += parse(out, rows) ? 1 : 0;
      }
    }
    end_block(rows, out);
    if (rows == 0 && fault_) return *fault_;
    return rows > 0;
  }

  std::uint64_t bad_rows() const override { return bad_.count(); }
  std::span<const BadRow> first_bad() const override { return bad_.first(); }
  std::span<const std::string> field_names() const override { return field_names_; }
  const ByteSource& bytes() const override { return lines_.window().bytes(); }

 private:
  // Nothing is cleared: a block of the size of the last one is written over it.
  void begin_block(std::size_t most, Examples& out) {
    at_ = 0;
    out.weights.clear();
    out.labels.resize(most);
    out.ends.resize(most);
    out.features.resize(most * kFields);
    out.fields.resize(most * kFields);
  }

  void end_block(std::size_t rows, Examples& out) const {
    out.labels.resize(rows);
    out.ends.resize(rows);
    out.features.resize(at_);
    out.fields.resize(at_);
  }

  bool parse(Examples& out, std::size_t row) {
    const std::string_view line = lines_.text();
    const std::size_t tabs = find_tabs(line, tabs_);
    if (tabs != kFields && tabs != kFields - 1) return refuse_width(tabs);
    tabs_[tabs] = static_cast<std::uint32_t>(line.size());
    std::size_t begin = 0, column = 0;
    out.labels[row] = std::numeric_limits<float>::quiet_NaN();
    if (tabs == kFields) {
      if (!label(line.substr(0, tabs_[0]), out.labels[row])) return false;
      begin = tabs_[0] + 1;
      column = 1;
    }
    Feature* const features = out.features.data() + at_;
    std::uint16_t* const fields = out.fields.data() + at_;
    std::memcpy(fields, field_numbers_.data(), sizeof field_numbers_);
    const std::size_t begin_of_categories = tabs_[column + kIntegers - 1] + 1;
    std::size_t count = kIntegers;
    if (has_numbers_) {
      if (!numbers(line.data(), begin, &tabs_[column], features, fields, count)) return false;
      std::memcpy(fields + count, &field_numbers_[kIntegers], kCategories * sizeof *fields);
    } else if (!integers(line.data(), begin, &tabs_[column], features)) {
      return false;
    }
    if (!categories(line.data(), begin_of_categories, &tabs_[column + kIntegers],
                    features + count)) {
      return false;
    }
    count += kCategories;
    at_ += count;
    out.ends[row] = static_cast<std::uint32_t>(at_);
    if (names_) {
      tell_names(line.data(), column == 0 ? 0 : tabs_[0] + 1, &tabs_[column], features);
    }
    return true;
  }

  bool label(std::string_view text, float& out) {
    if (text.empty()) return true;
    if (text.size() == 1 && (text[0] == '0' || text[0] == '1')) {
      out = text[0] == '1' ? 1.0F : 0.0F;
      return true;
    }
    bad_.add(lines_.line(), "label",
             fmt::format("\"{}\" is no label: it must be 0 or 1", text.substr(0, 40)));
    return false;
  }

  bool integers(const char* line, std::size_t begin, const std::uint32_t* ends, Feature* out) {
    for (std::size_t i = 0; i < kIntegers; ++i) {
      const std::size_t size = ends[i] - begin;
      std::size_t token = 0;
      if (size > 0) {
        const char* const text = line + begin;
        std::uint64_t word = 0;
        std::memcpy(&word, text, sizeof word);
        const std::uint64_t value = size <= 8 ? parse_digits(word, size) : kNoDigits;
        if (value < kSmall) {
          token = small_[value];
        } else if (value < kNoDigits) {
          token = integer_token(static_cast<std::int64_t>(value));
        } else {
          const auto any = parse_integer(text, size);
          if (!any) return refuse_integer(i, {text, size});
          token = integer_token(*any);
        }
      }
      out[i] = {integers_[i][token], 1.0F};
      begin = ends[i] + 1;
    }
    return true;
  }

  // Those that are there, and their fields; how many.
  bool numbers(const char* line, std::size_t begin, const std::uint32_t* ends, Feature* out,
               std::uint16_t* fields, std::size_t& count) {
    count = 0;
    for (std::size_t i = 0; i < kIntegers; ++i) {
      const std::size_t size = ends[i] - begin;
      if (size > 0) {
        const auto value = parse_integer(line + begin, size);
        if (!value) return refuse_integer(i, {line + begin, size});
        fields[count] = field_numbers_[i];
        out[count++] = {number_hashes_[i], as_number(*value)};
      }
      begin = ends[i] + 1;
    }
    return true;
  }

  bool categories(const char* line, std::size_t begin, const std::uint32_t* ends, Feature* out) {
    for (std::size_t i = kIntegers; i < kFields; ++i) {
      const std::size_t end = ends[i - kIntegers];
      const std::size_t size = end - begin;
      std::uint64_t word = 0;
      std::memcpy(&word, line + begin, sizeof word);
      std::uint32_t hash = 0;
      if (size <= 8) {
        hash = short_token_hash(salts_[i], _bzhi_u64(word, static_cast<unsigned>(8 * size)), size);
      } else if (size <= kLongestToken) {
        hash = token_hash(salts_[i], {line + begin, size});
      } else {
        bad_.add(lines_.line(), field_names_[i], "a category longer than 256 bytes");
        return false;
      }
      out[i - kIntegers] = {hash, 1.0F};
      begin = end + 1;
    }
    return true;
  }

  void tell_names(const char* line, std::size_t begin, const std::uint32_t* ends,
                  const Feature* features) const {
    for (std::size_t i = 0; i < kFields; ++i) {
      const std::string_view text(line + begin, ends[i] - begin);
      begin = ends[i] + 1;
      if (has_numbers_ && i < kIntegers && text.empty()) continue;
      const auto value = parse_integer(text.data(), text.size());
      const bool is_step = i < kIntegers && value.has_value();
      const std::string token =
          is_step ? integer_token_name(integer_token(*value)) : std::string(text);
      names_(features++->hash, field_names_[i] + "=" + token);
    }
  }

  bool refuse_width(std::size_t tabs) {
    bad_.add(lines_.line(), "",
             tabs > kFields ? "more than 40 columns"
                            : fmt::format("{} columns, must be 40, or 39 without label", tabs + 1));
    return false;
  }
  bool refuse_integer(std::size_t field, std::string_view text) {
    bad_.add(lines_.line(), field_names_[field],
             fmt::format("\"{}\" is no integer", text.substr(0, 40)));
    return false;
  }

  TextLines lines_;
  const NameSink names_;
  const bool has_numbers_;
  std::size_t at_ = 0;  // features of the block so far
  std::array<std::uint16_t, kFields> field_numbers_{};
  std::array<std::uint64_t, kFields> salts_{};
  std::array<std::uint32_t, kIntegers> number_hashes_{};
  std::array<std::array<std::uint32_t, kIntegerTokens>, kIntegers> integers_{};
  std::array<std::uint16_t, kSmall> small_{};  // token of an integer
  std::vector<std::string> field_names_;
  Tabs tabs_{};
  BadRows bad_;
  std::optional<Error> fault_;
};

}  // namespace

std::unique_ptr<ExampleReader> open_criteo(TextWindow window, ExampleOptions options) {
  return std::make_unique<CriteoReader>(std::move(window), std::move(options));
}

}  // namespace attune
