// What a search found, as it is told and used.
#include <fmt/format.h>

#include <algorithm>

#include "learn/model_search.h"

namespace attune {
namespace {

constexpr int kFewestBits = 10;
constexpr std::uint64_t kMostRowBytes = 128;  // of a table of weights, of any kind searched
constexpr std::uint64_t kHeadBytes = 32;      // of it at most, for a further target

}  // namespace

std::vector<const SearchCandidate*> SearchResult::best_of_kinds() const {
  std::vector<const SearchCandidate*> out;
  for (const SearchCandidate& one : candidates) {
    const SearchCandidate& first = candidates.front();
    if (one.is_finalist != first.is_finalist) break;
    if (!one.is_finalist && one.rows != first.rows) break;
    const bool is_known = std::any_of(out.begin(), out.end(), [&](const SearchCandidate* other) {
      return other->kind == one.kind;
    });
    if (!is_known) out.push_back(&one);
  }
  return out;
}

ChoiceReport choice_report(const SearchResult& found) {
  ChoiceReport out{.reason = found.reason,
                   .candidates = {},
                   .held_rows = found.held_rows,
                   .baseline = found.baseline};
  for (const SearchCandidate& one : found.candidates) {
    out.candidates.push_back(
        {one.kind, settings_text(one.settings), one.rows, one.passes, one.loss, one.interval});
  }
  return out;
}

void limit_memory(std::uint64_t bytes, ModelOptions& options) {
  if (bytes == 0) return;
  for (const ModelKind& kind : model_kinds()) {
    if (options.bits == 0 && kind.name == options.kind) options.bits = kind.bits;
  }
  const std::uint64_t row = kMostRowBytes + kHeadBytes * options.tasks.size();
  while (options.bits > kFewestBits && (row << options.bits) > bytes) --options.bits;
  if (!is_tree_kind(options.kind)) return;
  options.settings.emplace_back("memory_mb",
                                static_cast<double>(std::max<std::uint64_t>(bytes >> 20, 1)));
}

std::string settings_text(const std::vector<std::pair<std::string, double>>& settings) {
  if (settings.empty()) return "its own settings";
  std::string text;
  for (const auto& [name, value] : settings) {
    text += fmt::format("{}{}={:.6g}", text.empty() ? "" : " ", name, value);
  }
  return text;
}

}  // namespace attune
