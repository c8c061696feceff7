#include "learn/search_space.h"

#include <cmath>

#include "base/hash.h"

namespace attune {
namespace {

constexpr SearchRange kLinear[] = {{"learning_rate", 0.1, 3, true, false}};
constexpr SearchRange kFtrl[] = {
    {"alpha", 0.02, 0.5, true, false}, {"l1", 0.01, 3, true, false}, {"l2", 0.1, 10, true, false}};
constexpr SearchRange kFm[] = {{"k", 4, 16, true, true},
                               {"learning_rate", 0.02, 0.3, true, false},
                               {"vector_rate", 0.01, 0.2, true, false},
                               {"vector_l2", 1e-6, 1e-2, true, false}};
constexpr SearchRange kFwfm[] = {{"learning_rate", 0.02, 0.2, true, false},
                                 {"vector_rate", 0.02, 0.2, true, false},
                                 {"deviation", 0.003, 0.1, true, false},
                                 {"vector_l2", 1e-5, 1e-2, true, false},
                                 {"pair_start", 0.1, 1, true, false}};
constexpr SearchRange kFfm[] = {{"k", 2, 8, true, true},
                                {"learning_rate", 0.02, 0.2, true, false},
                                {"vector_rate", 0.02, 0.2, true, false},
                                {"vector_l2", 1e-5, 1e-2, true, false}};
constexpr SearchRange kDeepFields[] = {{"learning_rate", 0.02, 0.2, true, false},
                                       {"vector_rate", 0.01, 0.2, true, false},
                                       {"vector_l2", 1e-5, 1e-2, true, false},
                                       {"hidden", 32, 256, true, true}};
constexpr SearchRange kSequence[] = {{"k", 8, 32, true, true},
                                     {"learning_rate", 0.02, 0.2, true, false},
                                     {"vector_rate", 0.03, 0.2, true, false},
                                     {"vector_l2", 1e-5, 1e-2, true, false},
                                     {"hidden", 32, 256, true, true}};
constexpr SearchRange kTree[] = {{"depth", 3, 10, false, true},
                                 {"min_weight", 5, 200, true, false},
                                 {"l2", 0.3, 30, true, false}};
constexpr SearchRange kMlp[] = {{"hidden", 16, 256, true, true},
                                {"learning_rate", 2e-4, 5e-3, true, false},
                                {"batch", 32, 256, true, true},
                                {"l2", 1e-6, 1e-2, true, false}};
constexpr SearchRange kTrees[] = {{"depth", 3, 9, false, true},
                                  {"min_weight", 1, 20, true, false},
                                  {"learning_rate", 0.03, 0.1, true, false},
                                  {"row_share", 0.6, 1, false, false},
                                  {"column_share", 0.3, 1, false, false},
                                  {"l2", 0.3, 10, true, false}};
constexpr SearchRange kForest[] = {{"depth", 8, 20, false, true},
                                   {"min_weight", 1, 20, true, false},
                                   {"column_share", 0.1, 0.6, true, false}};

constexpr SearchKind kKinds[] = {{"ftrl", true, false, kFtrl},
                                 {"linear", false, true, kLinear},
                                 {"fm", true, false, kFm},
                                 {"fwfm", true, false, kFwfm},
                                 {"tree", true, true, kTree},
                                 {"mlp", true, false, kMlp},
                                 {"sasrec", true, false, kSequence},
                                 {"din", true, false, kSequence},
                                 {"gru", true, false, kSequence},
                                 {"finalmlp", true, false, kDeepFields, SearchWhen::kLater},
                                 {"deepfm", true, false, kDeepFields, SearchWhen::kLater},
                                 {"dcnv2", true, false, kDeepFields, SearchWhen::kNamed},
                                 {"wide_deep", true, false, kDeepFields, SearchWhen::kNamed},
                                 {"ffm", true, false, kFfm, SearchWhen::kNamed},
                                 {"trees", true, true, kTrees},
                                 {"forest", true, true, kForest}};

double drawn(const SearchRange& range, Rng& rng) {
  const double u = rng.uniform();
  const double x = range.is_log ? range.low * std::pow(range.high / range.low, u)
                                : range.low + u * (range.high - range.low);
  // Three digits are enough, and can be read.
  const double unit = std::pow(10, std::floor(std::log10(x)) - 2);
  return range.is_whole ? std::round(x) : std::round(x / unit) * unit;
}

}  // namespace

std::span<const SearchKind> search_kinds() { return kKinds; }

std::vector<std::pair<std::string, double>> settings_to_try(const SearchKind& kind, std::size_t n,
                                                            std::uint64_t seed) {
  std::vector<std::pair<std::string, double>> out;
  if (n == 0) return out;
  Rng rng(mix64(mix64(seed, hash64(kind.kind)), n));
  for (const SearchRange& range : kind.ranges) {
    out.emplace_back(range.setting, drawn(range, rng));
  }
  return out;
}

}  // namespace attune
