#include "learn/search_subject.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/version.h"

namespace attune {
namespace {

std::string said(const std::string& option) { return option.empty() ? "-" : option; }

// "" of one target without a second loss.
std::string joint_of(const TableTrainingOptions& options) {
  std::string out;
  for (const std::string& name : options.also.names) out += fmt::format(", also {}", name);
  for (const auto& [name, weight] : options.also.weights) {
    out += fmt::format(", weight of {} {}", name, weight);
  }
  const SecondLossOptions& second = options.model.second_loss;
  if (second.weight > 0) out += fmt::format(", second loss {} {}", second.name, second.weight);
  return out;
}

}  // namespace

SearchSubject search_subject(const TableTrainingOptions& options, const LabelledTable& labelled,
                             const Plan& plan) {
  const auto& search = *options.search;
  const std::uint64_t features = hash64(plan.toml());
  return {fmt::format("{:016x}", labelled.table.content_hash()),
          fmt::format(
              "target {}{}, kinds {}, search {}, budget {:g} s, memory {} bytes, bits {}, "
              "seed {}, folds {}, split {:g}, time column {}, group {}, test {}, weight "
              "{}, features {:016x}, version {}{}",
              labelled.target.name, labelled.target.is_binary ? "=" + labelled.target.positive : "",
              options.kinds.empty() ? "all" : fmt::format("{}", fmt::join(options.kinds, "+")),
              search.settings, search.budget_s, search.memory_bytes, options.model.bits,
              options.model.seed, options.folds, options.share, said(options.time_column),
              said(options.group), said(options.test_file), said(options.weight), features,
              kVersion, joint_of(options))};
}

}  // namespace attune
