#include "format/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

namespace attune {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::string_view kSaveAsFloat = "numpy.save(FILE, array.astype('<f4'))";

Error refuse(std::string what, std::string_view hint) {
  return {Code::kInvalid, std::move(what), "", std::string(hint)};
}

// The entries of the header's dictionary, taken from the front.
class Literal {
 public:
  explicit Literal(std::string_view text) : text_(text) {}

  bool take(char wanted) {
    skip_space();
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    skip_space();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  // Without escapes: NumPy writes none.
  bool take_text(std::string_view& out) {
    skip_space();
    if (!text_.starts_with('\'') && !text_.starts_with('"')) return false;
    const std::size_t end = text_.find(text_[0], 1);
    if (end == std::string_view::npos) return false;
    out = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return true;
  }
  bool take_number(std::uint64_t& out) {
    skip_space();
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), out);
    if (error != std::errc()) return false;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    (void)take('L');  // of Python 2
    return true;
  }
  bool take_shape(std::vector<std::uint64_t>& axes) {
    constexpr std::size_t kMostAxes = 64;
    if (!take('(')) return false;
    while (!take(')')) {
      if (axes.size() == kMostAxes || !take_number(axes.emplace_back())) return false;
      if (take(',')) continue;
      return take(')');
    }
    return true;
  }
  bool is_over() {
    skip_space();
    return text_.empty();
  }

 private:
  void skip_space() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t\n"), text_.size()));
  }
  std::string_view text_;
};

struct Entries {
  std::string_view descr;
  std::vector<std::uint64_t> shape;
  bool is_fortran = false;
  unsigned seen = 0;  // a bit per entry
};

bool take_entry(Literal& literal, Entries& out) {
  std::string_view key;
  if (!literal.take_text(key) || !literal.take(':')) return false;
  const unsigned bit = key == "descr" ? 1U : key == "fortran_order" ? 2U : key == "shape" ? 4U : 0U;
  if (bit == 0 || (out.seen & bit) != 0) return false;
  out.seen |= bit;
  if (bit == 1) return literal.take_text(out.descr);
  if (bit == 4) return literal.take_shape(out.shape);
  out.is_fortran = literal.take_word("True");
  return out.is_fortran || literal.take_word("False");
}

Result<Entries> entries_of(std::string_view text) {
  const Error wrong = refuse("its header is not that of an array of numbers", kSaveAsFloat);
  Literal literal(text);
  Entries entries;
  if (!literal.take('{')) return wrong;
  while (!literal.take('}')) {
    if (!take_entry(literal, entries)) return wrong;
    if (literal.take(',')) continue;
    if (!literal.take('}')) return wrong;
    break;
  }
  if (entries.seen != 7 || !literal.is_over()) return wrong;
  return entries;
}

std::size_t width_of(NpyType type) {
  return type == NpyType::kFloat16 ? 2 : type == NpyType::kFloat32 ? 4 : 8;
}

template <class T>
T load(const char* bytes) {
  static_assert(std::endian::native == std::endian::little);
  T out;
  std::memcpy(&out, bytes, sizeof(out));
  return out;
}

// IEEE 754 binary16.
float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = half >> 10 & 0x1fU;
  const std::uint32_t fraction = half & 0x3ffU;
  if (exponent == 0) {  // zero, or a multiple of 2^-24
    const float size = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -size : size;
  }
  const std::uint32_t wide = exponent == 0x1f ? 0xffU : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

// Beyond the range of float: infinity, as a number that is not finite is refused later.
float narrowed(double number) {
  constexpr double kMost = std::numeric_limits<float>::max();
  if (number > kMost) return std::numeric_limits<float>::infinity();
  if (number < -kMost) return -std::numeric_limits<float>::infinity();
  return static_cast<float>(number);
}

float number_at(const char* bytes, NpyType type) {
  if (type == NpyType::kFloat16) return half_to_float(load<std::uint16_t>(bytes));
  if (type == NpyType::kFloat32) return load<float>(bytes);
  return narrowed(load<double>(bytes));
}

Result<std::string> read_header_text(ByteSource& bytes) {
  char head[12] = {};
  TRY(std::size_t got, read_full(bytes, {head, 8}));
  if (got < 8 || std::string_view(head, kMagic.size()) != kMagic) {
    return refuse("it is not a .npy file", kSaveAsFloat);
  }
  const int version = head[6];
  if (version < 1 || version > 3) {
    return refuse(fmt::format("it is of version {} of the .npy format, must be 1 to 3", version),
                  kSaveAsFloat);
  }
  const std::size_t width = version == 1 ? 2 : 4;
  TRY(got, read_full(bytes, {head + 8, width}));
  const std::size_t length =
      version == 1 ? load<std::uint16_t>(head + 8) : load<std::uint32_t>(head + 8);
  if (length > NpyReader::kMaxHeaderBytes) {
    return refuse(fmt::format("its header has {} bytes, must be at most {}", length,
                              NpyReader::kMaxHeaderBytes),
                  kSaveAsFloat);
  }
  std::string text(length, '\0');
  if (got == width) {
    TRY(got, read_full(bytes, text));
    if (got == length) return text;
  }
  return Error{Code::kCorrupt, "it is cut off within its header"};
}

}  // namespace

Result<NpyHeader> parse_npy_header(std::string_view text) {
  TRY(const Entries entries, entries_of(text));
  NpyHeader header;
  if (entries.descr == "<f2") {
    header.type = NpyType::kFloat16;
  } else if (entries.descr == "<f8") {
    header.type = NpyType::kFloat64;
  } else if (entries.descr != "<f4") {
    return refuse(fmt::format("its numbers are of type \"{}\", must be <f2, <f4 or <f8 "
                              "(float16, float32 or float64, little endian)",
                              entries.descr.substr(0, 20)),
                  kSaveAsFloat);
  }
  if (entries.shape.size() != 2) {
    return refuse(
        fmt::format("its shape is ({}), must be rows and columns", fmt::join(entries.shape, ", ")),
        "array.reshape(len(array), -1) makes two axes of any");
  }
  if (entries.is_fortran && entries.shape[0] > 1 && entries.shape[1] > 1) {
    return refuse("its numbers lie column by column (Fortran order)",
                  "numpy.save(FILE, numpy.ascontiguousarray(array))");
  }
  header.rows = entries.shape[0];
  header.columns = entries.shape[1];
  if (header.columns == 0 || header.columns > NpyReader::kMaxColumns ||
      header.rows > NpyReader::kMaxRows) {
    return refuse(
        fmt::format("its shape is ({}, {}), must be at most {} rows of 1 to {} numbers",
                    header.rows, header.columns, NpyReader::kMaxRows, NpyReader::kMaxColumns),
        "");
  }
  return header;
}

NpyReader::NpyReader(std::unique_ptr<ByteSource> bytes, const NpyHeader& header)
    : bytes_(std::move(bytes)),
      header_(header),
      raw_(header.columns * width_of(header.type)),
      row_(header.columns) {}

Result<NpyReader> NpyReader::open(std::unique_ptr<ByteSource> bytes) {
  const auto named = [&](Error error) {
    error.message = fmt::format("{}: {}", bytes->name(), error.message);
    return error;
  };
  const auto text = read_header_text(*bytes);
  if (!text.ok()) return named(text.error());
  const auto header = parse_npy_header(*text);
  if (!header.ok()) return named(header.error());
  return NpyReader(std::move(bytes), *header);
}

Error NpyReader::fault(std::string what) const {
  return {Code::kCorrupt, fmt::format("{}: {}", bytes_->name(), what), "", "save the array again"};
}

Result<std::span<const float>> NpyReader::next() {
  if (given_ == header_.rows) {
    TRY(const std::size_t more, bytes_->read({raw_.data(), 1}));
    if (more == 0) return std::span<const float>();
    return fault(fmt::format("it goes on after the {} rows of its header", header_.rows));
  }
  TRY(const std::size_t got, read_full(*bytes_, raw_));
  if (got < raw_.size()) {
    return fault(
        fmt::format("it ends in row {} of the {} of its header", given_ + 1, header_.rows));
  }
  ++given_;
  const std::size_t width = width_of(header_.type);
  for (std::size_t i = 0; i < row_.size(); ++i) {
    row_[i] = number_at(raw_.data() + i * width, header_.type);
  }
  return std::span<const float>(row_);
}

}  // namespace attune
