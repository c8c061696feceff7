#include "engine/row_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace attune {
namespace {

std::uint32_t bits(float number) { return std::bit_cast<std::uint32_t>(number); }

bool is_same(const Part& a, const Part& b, bool with_parts) {
  return a.hash == b.hash && bits(a.value) == bits(b.value) &&
         (!with_parts || bits(a.part) == bits(b.part));
}

// What belongs to no feature is not of the row.
std::vector<Part> row_of(std::vector<Part> parts) {
  std::erase_if(parts, [](const Part& part) { return part.hash == 0 && part.value == 0; });
  return parts;
}

std::string difference(const Part* stored, const Part* again) {
  const auto say = [](const Part* part) {
    if (part == nullptr) return std::string("nothing");
    return fmt::format("{} {:08x} value {} part {}", part->name, part->hash, part->value,
                       part->part);
  };
  return fmt::format("stored {}, recomputed {}", say(stored), say(again));
}

// "" = equal, bit for bit.
std::string first_difference(const std::vector<Part>& stored, const std::vector<Part>& again,
                             bool with_parts) {
  for (std::size_t i = 0; i < std::max(stored.size(), again.size()); ++i) {
    const Part* const a = i < stored.size() ? &stored[i] : nullptr;
    const Part* const b = i < again.size() ? &again[i] : nullptr;
    if (a == nullptr || b == nullptr || !is_same(*a, *b, with_parts)) return difference(a, b);
  }
  return {};
}

}  // namespace

// Not when the version it was made on is before the base, when an identity it was made of has been
// erased since, or when it was made elsewhere and came with an import, without rows.
bool RowCheck::is_comparable(Position at, Surrogate identity, const Decision& made,
                             State& state) const {
  if (at <= state.across_from()) return false;
  if (!made.shown.empty() &&
      std::all_of(made.shown.begin(), made.shown.end(),
                  [](const ShownItem& shown) { return shown.parts.empty(); })) {
    return false;
  }
  if (state.published()->version != made.model_version) return false;
  const auto members = state.graph().members(identity);
  return std::all_of(members.begin(), members.end(),
                     [this](Surrogate member) { return keyring_.has_key(member); });
}

void RowCheck::check(Position at, Surrogate identity, const Decision& made, State& state) {
  if (!is_comparable(at, identity, made, state)) {
    ++report_.not_comparable;
    return;
  }
  ++report_.decisions;
  // A model that has learned on since, or whose file is gone, cannot say again what it said.
  const bool with_parts = can_score_again(made, *state.published());
  const auto again = parts_again(made, state.person(identity), *state.published());
  for (std::size_t i = 0; i < made.shown.size(); ++i) {
    ++report_.rows;
    const std::string found =
        with_parts ? first_difference(made.shown[i].parts, again[i], true)
                   : first_difference(row_of(made.shown[i].parts), row_of(again[i]), false);
    if (found.empty()) continue;
    ++report_.differing;
    if (!report_.first_difference.empty()) continue;
    report_.first_difference =
        fmt::format("decision {}, item {}: {}", made.id, made.shown[i].item_id, found);
  }
}

}  // namespace attune
