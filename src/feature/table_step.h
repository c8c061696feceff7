// A feature of a plan over columns: where its cells are, what was fitted, and how a row's cells
// become features. One emit() makes rows and their names, so they cannot differ.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "feature/cell.h"
#include "feature/table_rows.h"

namespace attune {

inline constexpr double kMostDeviations = 10;    // a standardised number is kept within
inline constexpr std::size_t kMostTokens = 256;  // of a cell; those beyond are left out
inline constexpr std::size_t kNameBytes = 256;   // of a value in a name

// What features that no token has are hashed by.
inline constexpr std::uint64_t kMissingToken = 0x6d697373'696e6721ULL;
inline constexpr std::uint64_t kRareToken = 0x72617265'72617265ULL;

struct TableStep {
  PlanFeature feature;
  std::vector<std::size_t> columns;  // places of feature.of
  std::string stem;                  // "job", "log age", "job x city"
  std::uint64_t salt = 0;
  std::uint16_t field = 0;          // the first of its fields
  const TableStep* like = nullptr;  // sequence: the category its tokens are values of
  // Fitted:
  double mean = 0, deviation = 1;       // number
  std::vector<double> edges;            // bins: bin b is (edges[b - 1], edges[b]]
  std::vector<std::uint32_t> frequent;  // category, bag with min_count > 1: sorted hashes
  std::size_t length = 0;               // vector

  std::size_t fields() const;  // of Examples::fields
  std::uint32_t hash_of(std::uint64_t token) const {
    return static_cast<std::uint32_t>(mix64(salt, token));
  }
  std::uint32_t hash_of(std::string_view token) const { return hash_of(hash64(token)); }
  bool is_rare(std::uint32_t hash) const;
  // A sequence's ids are, turned, those of what it is like, so that they are ids of their own to
  // kinds that do not ask.
  std::uint32_t turn() const { return hash_of(""); }
  std::uint32_t hash_of_value(std::string_view value) const {
    const std::uint32_t hash = hash_of(value);
    return is_rare(hash) ? hash_of(kRareToken) : hash;
  }
  // The number as it is fitted: of its logarithm where the plan says so.
  double measured(double x) const {
    if (!feature.is_log) return x;
    return x < 0 ? -std::log1p(-x) : std::log1p(x);
  }
  // Calls out(hash, value, field, name) for each feature; name() gives its text.
  template <class Out>
  void emit(Cells cells, const Out& out) const;

 private:
  template <class Out>
  void emit_category(std::string_view cell, const Out& out) const;
  template <class Out>
  void emit_number(std::string_view cell, const Out& out) const;
  template <class Out>
  void emit_bin(std::string_view cell, const Out& out) const;
  template <class Out>
  void emit_bag(std::string_view cell, const Out& out) const;
  template <class Out>
  void emit_sequence(std::string_view cell, const Out& out) const;
  template <class Out>
  void emit_cross(Cells cells, const Out& out) const;
  template <class Out>
  void emit_vector(std::string_view cell, const Out& out) const;
  template <class Out>
  void emit_time(std::string_view cell, const Out& out) const;
};

// Fits into a name: cut at kNameBytes.
std::string shown(std::string_view value);
// "(25, 38]" of ascending edges.
std::string bin_text(const std::vector<double>& edges, std::size_t bin);
std::string_view weekday_name(unsigned day);  // 0 = Sunday

// Which hour (0-23) or weekday (0 = Sunday) a time is, UTC.
struct DayPart {
  unsigned hour = 0, weekday = 0;
};
DayPart day_part(Time time);

template <class Out>
void TableStep::emit(Cells cells, const Out& out) const {
  using enum FeatureKind;
  const std::string_view cell = columns.empty() ? std::string_view{} : cells[columns[0]];
  switch (feature.kind) {
    case kBias:
      return out(hash_of(""), feature.scale, field, [] { return std::string("bias"); });
    case kCategory:
      return emit_category(cell, out);
    case kNumber:
      return emit_number(cell, out);
    case kBins:
      return emit_bin(cell, out);
    case kBag:
      return emit_bag(cell, out);
    case kSequence:
      return emit_sequence(cell, out);
    case kCross:
      return emit_cross(cells, out);
    case kVector:
      return emit_vector(cell, out);
    case kTime:
      return emit_time(cell, out);
    default:
      return;
  }
}

template <class Out>
void TableStep::emit_category(std::string_view cell, const Out& out) const {
  const std::string_view value = trimmed(cell);
  if (value.empty()) {
    return out(hash_of(kMissingToken), feature.scale, field, [&] { return stem + " is missing"; });
  }
  const std::uint32_t hash = hash_of(value);
  if (is_rare(hash)) {
    return out(hash_of(kRareToken), feature.scale, field, [&] { return stem + " is rare"; });
  }
  out(hash, feature.scale, field, [&] { return stem + "=" + shown(value); });
}

// A number of 0 is left out: it would add nothing and teach nothing.
template <class Out>
void TableStep::emit_number(std::string_view cell, const Out& out) const {
  const auto number = number_of(cell);
  if (!number) {
    if (!feature.has_missing) return;
    return out(hash_of(kMissingToken), feature.scale, static_cast<std::uint16_t>(field + 1),
               [&] { return stem + " is no number"; });
  }
  double x = measured(*number);
  if (feature.is_standardised) {
    x = std::clamp((x - mean) / deviation, -kMostDeviations, kMostDeviations);
  }
  const auto value = static_cast<float>(x * double{feature.scale});
  if (value != 0) out(hash_of(""), value, field, [&] { return stem; });
}

template <class Out>
void TableStep::emit_bin(std::string_view cell, const Out& out) const {
  const auto number = number_of(cell);
  if (!number) {
    if (!feature.has_missing) return;
    return out(hash_of(kMissingToken), feature.scale, field, [&] { return stem + " in no bin"; });
  }
  const auto bin = static_cast<std::size_t>(std::lower_bound(edges.begin(), edges.end(), *number) -
                                            edges.begin());
  out(hash_of(std::uint64_t{bin}), feature.scale, field,
      [&] { return stem + " in " + bin_text(edges, bin); });
}

// Each token once.
template <class Out>
void TableStep::emit_bag(std::string_view cell, const Out& out) const {
  std::array<std::uint32_t, kMostTokens> hashes;     // NOLINT: filled below
  std::array<std::string_view, kMostTokens> tokens;  // NOLINT
  std::size_t n = 0;
  each_token(cell, feature.separator, [&](std::string_view token) {
    if (n == kMostTokens) return;
    std::uint32_t hash = hash_of(token);
    if (is_rare(hash)) hash = hash_of(kRareToken);
    if (std::find(hashes.begin(), hashes.begin() + n, hash) != hashes.begin() + n) return;
    tokens[n] = token;
    hashes[n++] = hash;
  });
  const auto value = static_cast<float>(double{feature.scale} / std::sqrt(static_cast<double>(n)));
  const std::uint32_t rare = hash_of(kRareToken);
  for (std::size_t i = 0; i < n; ++i) {
    out(hashes[i], value, field, [&] {
      return hashes[i] == rare ? stem + " has a rare one" : stem + " has " + shown(tokens[i]);
    });
  }
}

// The newest token is the last; a token counts at its newest place.
template <class Out>
void TableStep::emit_sequence(std::string_view cell, const Out& out) const {
  std::array<std::string_view, static_cast<std::size_t>(kMostLast)> ring;  // NOLINT
  const auto size = static_cast<std::size_t>(feature.last);
  std::size_t n = 0;
  each_token(cell, feature.separator, [&](std::string_view token) { ring[n++ % size] = token; });
  const std::size_t kept = std::min(n, size);
  double value = double{feature.scale};
  for (std::size_t place = 0; place < kept; ++place, value *= feature.decay) {
    const std::string_view token = ring[(n - 1 - place) % size];
    bool is_repeated = false;
    for (std::size_t newer = 0; newer < place && !is_repeated; ++newer) {
      is_repeated = ring[(n - 1 - newer) % size] == token;
    }
    if (is_repeated || value == 0) continue;
    const std::uint32_t hash = like ? like->hash_of_value(token) ^ turn() : hash_of(token);
    out(hash, static_cast<float>(value), field, [&] { return stem + " had " + shown(token); });
  }
}

// Left out when a cell is missing.
template <class Out>
void TableStep::emit_cross(Cells cells, const Out& out) const {
  std::uint64_t token = 0;
  for (const std::size_t column : columns) {
    const std::string_view value = trimmed(cells[column]);
    if (value.empty()) return;
    token = mix64(token, hash64(value));
  }
  out(hash_of(token), feature.scale, field, [&] {
    std::string name;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) name += " x ";
      name += std::string(input_name(feature.of[i]).name) + "=" + shown(trimmed(cells[columns[i]]));
    }
    return name;
  });
}

// Left out as a whole when it has another length or a place that is no number.
template <class Out>
void TableStep::emit_vector(std::string_view cell, const Out& out) const {
  std::size_t n = 0;
  bool is_whole = true;
  each_token(cell, feature.separator, [&](std::string_view token) {
    is_whole = is_whole && number_of(token).has_value();
    ++n;
  });
  if (!is_whole || n != length) return;
  std::size_t place = 0;
  each_token(cell, feature.separator, [&](std::string_view token) {
    const std::size_t at = place++;
    const auto value = static_cast<float>(*number_of(token) * double{feature.scale});
    if (value == 0) return;
    out(hash_of(std::uint64_t{at}), value, static_cast<std::uint16_t>(field + at),
        [&] { return stem + "[" + std::to_string(at) + "]"; });
  });
}

template <class Out>
void TableStep::emit_time(std::string_view cell, const Out& out) const {
  const auto time = time_of(cell);
  if (!time) return;
  const DayPart at = day_part(*time);
  const bool is_hour = feature.part == "hour";
  out(hash_of(std::uint64_t{is_hour ? at.hour : at.weekday}), feature.scale, field, [&] {
    return stem + "=" + (is_hour ? std::to_string(at.hour) : std::string(weekday_name(at.weekday)));
  });
}

}  // namespace attune
