#include "model/row_block.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/hash.h"
#include "model/eight_features.h"

namespace attune {
namespace {

// Flags.
constexpr std::uint32_t kHasWeights = 1, kValuesAreOne = 2, kSameFields = 4, kAllFlags = 7;

template <class T>
void put(const std::vector<T>& column, std::string& out) {
  out.append(reinterpret_cast<const char*>(column.data()), column.size() * sizeof(T));
}

// The next n numbers as a column.
template <class T>
bool take(Reader& r, std::size_t n, std::vector<T>& column) {
  const std::string_view bytes = r.bytes(n * sizeof(T));
  if (!r.ok()) return false;
  column.resize(n);
  if (n > 0) std::memcpy(column.data(), bytes.data(), bytes.size());
  return true;
}

// Every row has as many features as the first, of the same fields.
bool has_same_fields(const Examples& rows) {
  const auto first = rows.fields_of(0);
  for (std::size_t r = 1; r < rows.size(); ++r) {
    if (!std::ranges::equal(first, rows.fields_of(r))) return false;
  }
  return true;
}

bool take_fields(Reader& r, std::size_t rows, std::size_t features, Examples& out) {
  if (!take(r, rows, out.ends) || !take(r, features, out.fields)) return false;
  std::uint32_t last = 0;
  for (const std::uint32_t end : out.ends) {
    if (end < last) return false;
    last = end;
  }
  return last == features;
}

bool repeat_fields(Reader& r, std::size_t width, std::size_t rows, Examples& out) {
  const std::string_view bytes = r.bytes(width * sizeof(std::uint16_t));
  if (!r.ok()) return false;
  out.ends.resize(rows);
  out.fields.resize(rows * width);
  for (std::size_t row = 0; row < rows; ++row) {
    out.ends[row] = static_cast<std::uint32_t>((row + 1) * width);
  }
  if (out.fields.empty()) return true;
  std::memcpy(out.fields.data(), bytes.data(), bytes.size());
  for (std::size_t done = width; done < out.fields.size();) {  // what is there, again
    const std::size_t count = std::min(done, out.fields.size() - done);
    std::copy_n(out.fields.begin(), count, out.fields.begin() + static_cast<std::ptrdiff_t>(done));
    done += count;
  }
  return true;
}

bool take_features(Reader& r, std::size_t features, bool are_one, Examples& out) {
  const std::string_view hashes = r.bytes(features * sizeof(std::uint32_t));
  const std::string_view values = are_one ? hashes : r.bytes(features * sizeof(float));
  if (!r.ok()) return false;
  out.features.resize(features);
  Feature* const to = out.features.data();
  const __m256i ones = _mm256_castps_si256(_mm256_set1_ps(1));
  const auto eight = [](std::string_view of, std::size_t i) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(of.data() + 4 * i));
  };
  std::size_t i = 0;
  for (; i + 8 <= features; i += 8) {
    store_features(eight(hashes, i), are_one ? ones : eight(values, i), to + i);
  }
  for (; i < features; ++i) {
    std::memcpy(&to[i].hash, hashes.data() + 4 * i, 4);
    to[i].value = 1;
    if (!are_one) std::memcpy(&to[i].value, values.data() + 4 * i, 4);
  }
  return true;
}

}  // namespace

void encode_block(const Examples& rows, std::string& out) {
  const std::size_t begin = out.size();
  const bool are_one = std::ranges::all_of(
      rows.features, [](float v) { return v == 1; }, &Feature::value);
  const bool is_same = has_same_fields(rows);
  std::uint32_t flags = rows.weights.empty() ? 0 : kHasWeights;
  if (are_one) flags |= kValuesAreOne;
  if (is_same) flags |= kSameFields;
  Writer w(out);
  w.u32(flags);
  w.u32(static_cast<std::uint32_t>(is_same ? rows.row(0).size() : 0));
  put(rows.labels, out);
  put(rows.weights, out);
  for (const Feature& f : rows.features) w.u32(f.hash);
  for (std::size_t i = 0; !are_one && i < rows.features.size(); ++i) w.f32(rows.features[i].value);
  if (is_same) {
    for (const std::uint16_t field : rows.fields_of(0)) {
      out.append(reinterpret_cast<const char*>(&field), sizeof field);
    }
  } else {
    put(rows.ends, out);
    put(rows.fields, out);
  }
  w.u64(hash64(std::string_view(out).substr(begin)));
}

bool decode_block(std::string_view bytes, std::size_t rows, std::size_t features, Examples& out) {
  if (bytes.size() < 16) return false;
  const std::string_view content = bytes.substr(0, bytes.size() - 8);
  if (Reader(bytes.substr(content.size())).u64() != hash64(content)) return false;
  Reader r(content);
  const std::uint32_t flags = r.u32(), width = r.u32();
  const bool is_same = (flags & kSameFields) != 0;
  if (flags > kAllFlags || (is_same && std::uint64_t{width} * rows != features)) return false;
  if (!take(r, rows, out.labels)) return false;
  if (!take(r, (flags & kHasWeights) != 0 ? rows : 0, out.weights)) return false;
  if (!take_features(r, features, (flags & kValuesAreOne) != 0, out)) return false;
  const bool has_fields =
      is_same ? repeat_fields(r, width, rows, out) : take_fields(r, rows, features, out);
  return has_fields && r.done();
}

}  // namespace attune
