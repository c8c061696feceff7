#include "feature/table_step.h"

#include <fmt/format.h>

namespace attune {

std::size_t TableStep::fields() const {
  if (feature.kind == FeatureKind::kVector) return length;
  return feature.kind == FeatureKind::kNumber && feature.has_missing ? 2 : 1;
}

bool TableStep::is_rare(std::uint32_t hash) const {
  return feature.min_count > 1 && !std::binary_search(frequent.begin(), frequent.end(), hash);
}

std::string bin_text(const std::vector<double>& edges, std::size_t bin) {
  if (edges.empty()) return "(-inf, inf)";
  if (bin == edges.size()) return fmt::format("({}, inf)", edges.back());
  if (bin == 0) return fmt::format("(-inf, {}]", edges[0]);
  return fmt::format("({}, {}]", edges[bin - 1], edges[bin]);
}

std::string shown(std::string_view value) {
  if (value.size() <= kNameBytes) return std::string(value);
  std::size_t end = kNameBytes;  // of a whole character
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xc0) == 0x80) --end;
  return std::string(value.substr(0, end)) + "...";
}

std::string_view weekday_name(unsigned day) {
  static constexpr std::array<std::string_view, 7> kNames = {"Sun", "Mon", "Tue", "Wed",
                                                             "Thu", "Fri", "Sat"};
  return kNames[day % 7];
}

DayPart day_part(Time time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  return {static_cast<unsigned>(floor<hours>(time - day).count()), weekday(day).c_encoding()};
}

}  // namespace attune
