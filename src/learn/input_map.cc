#include "learn/input_map.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "base/bytes.h"

namespace attune {

InputMap InputMap::make(const Examples& rows, std::uint32_t least) {
  struct Seen {
    std::uint16_t field = 0;
    std::uint32_t rows = 0;
  };
  std::unordered_map<std::uint32_t, Seen> seen;
  for (std::size_t i = 0; i < rows.features.size(); ++i) {
    Seen& one = seen[rows.features[i].hash];
    if (one.rows++ == 0) one.field = rows.fields[i];
  }
  std::vector<std::tuple<std::uint32_t, std::uint16_t, std::uint32_t>> kept;  // rows, field, hash
  for (const auto& [hash, one] : seen) {
    if (one.rows >= least) kept.emplace_back(one.rows, one.field, hash);
  }
  std::sort(kept.begin(), kept.end(), std::greater<>());
  kept.resize(std::min(kept.size(), kMostInputs));
  std::sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) {
    return std::tie(std::get<1>(a), std::get<2>(a)) < std::tie(std::get<1>(b), std::get<2>(b));
  });
  InputMap map;
  for (const auto& [rows_seen, field, hash] : kept) {
    map.places_.emplace(hash, static_cast<std::uint16_t>(map.places_.size()));
  }
  return map;
}

void InputMap::apply(Examples& rows) const {
  std::size_t kept = 0, begin = 0;
  for (std::uint32_t& end : rows.ends) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto place = places_.find(rows.features[i].hash);
      if (place == places_.end()) continue;
      rows.features[kept] = rows.features[i];
      rows.fields[kept++] = place->second;
    }
    begin = end;
    end = static_cast<std::uint32_t>(kept);
  }
  rows.features.resize(kept);
  rows.fields.resize(kept);
}

void InputMap::encode(std::string& out) const {
  std::vector<std::uint32_t> hashes(places_.size());
  for (const auto& [hash, place] : places_) hashes[place] = hash;
  Writer w(out);
  w.varint(hashes.size());
  for (const std::uint32_t hash : hashes) w.u32(hash);
}

Result<InputMap> InputMap::decode(std::string_view bytes) {
  const Error damaged{Code::kCorrupt, "model: its table of inputs makes no sense"};
  Reader r(bytes);
  const std::uint64_t n = r.varint();
  if (!r.ok() || n > kMostInputs) return damaged;
  InputMap map;
  for (std::uint64_t i = 0; i < n; ++i) {
    if (!map.places_.emplace(r.u32(), static_cast<std::uint16_t>(i)).second) return damaged;
  }
  if (!r.ok() || !r.done()) return damaged;
  return map;
}

}  // namespace attune
