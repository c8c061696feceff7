#include "learn/packed_rows.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"

namespace attune {
namespace {

void write_row(const std::vector<Feature>& row, Writer& w) {
  w.varint(row.size());
  for (std::size_t i = 0; i < row.size(); i += 8) {
    unsigned ones = 0;
    for (std::size_t k = i; k < std::min(row.size(), i + 8); ++k) {
      ones |= (row[k].value == 1 ? 1U : 0U) << (k - i);
    }
    w.u8(static_cast<std::uint8_t>(ones));
  }
  for (const Feature& f : row) w.u32(f.hash);
  for (const Feature& f : row) {
    if (f.value != 1) w.f32(f.value);
  }
}

// Appends to `row` unless it is null. False at bytes that write_row() does not give.
bool read_row(Reader& r, std::vector<Feature>* row) {
  const std::uint64_t size = r.varint();
  if (!r.ok() || size > r.left() / 4) return false;
  std::vector<std::uint8_t> ones((size + 7) / 8);
  for (std::uint8_t& byte : ones) byte = r.u8();
  const auto is_one = [&](std::size_t i) { return ((ones[i / 8] >> (i % 8)) & 1U) != 0; };
  std::vector<Feature> all(size);
  for (Feature& f : all) f.hash = r.u32();
  for (std::size_t i = 0; i < size; ++i) all[i].value = is_one(i) ? 1 : r.f32();
  if (row) *row = std::move(all);
  return r.ok();
}

}  // namespace

PackedRows PackedRows::of(const std::vector<ShownItem>& shown) {
  auto bytes = std::make_shared<std::string>();
  Writer w(*bytes);
  const std::size_t size = std::min(shown.size(), kMostShown);
  w.varint(size);
  for (std::size_t i = 0; i < size; ++i) w.u64(raw(item_key(shown[i].item_id)));
  std::vector<Feature> row;
  for (std::size_t i = 0; i < size; ++i) {
    row.clear();
    for (const Part& part : shown[i].parts) {
      if (part.hash == 0 && part.value == 0) continue;  // a model's bias
      if (std::abs(part.value) <= kMaxFeatureValue) row.push_back({part.hash, part.value});
    }
    write_row(row, w);
  }
  bytes->shrink_to_fit();
  PackedRows out;
  out.bytes_ = std::move(bytes);
  return out;
}

std::optional<PackedRows> PackedRows::from(std::string_view bytes) {
  Reader r(bytes);
  const std::uint64_t size = r.varint();
  if (size > kMostShown) return std::nullopt;
  for (std::uint64_t i = 0; i < size; ++i) r.u64();
  for (std::uint64_t i = 0; i < size; ++i) {
    if (!read_row(r, nullptr)) return std::nullopt;
  }
  if (!r.ok() || !r.done()) return std::nullopt;
  PackedRows out;
  out.bytes_ = std::make_shared<std::string>(bytes);
  return out;
}

std::size_t PackedRows::size() const { return Reader(bytes()).varint(); }

std::optional<std::size_t> PackedRows::find(ItemKey item) const {
  Reader r(bytes());
  const std::size_t size = r.varint();
  for (std::size_t i = 0; i < size; ++i) {
    if (ItemKey{r.u64()} == item) return i;
  }
  return std::nullopt;
}

ItemKey PackedRows::item(std::size_t place) const {
  Reader r(bytes());
  r.varint();
  for (std::size_t i = 0; i < place; ++i) r.u64();
  return ItemKey{r.u64()};
}

std::vector<Feature> PackedRows::row(std::size_t place) const {
  Reader r(bytes());
  const std::size_t size = r.varint();
  for (std::size_t i = 0; i < size; ++i) r.u64();
  std::vector<Feature> row;
  for (std::size_t i = 0; i <= place; ++i) (void)read_row(r, &row);
  return row;
}

}  // namespace attune
