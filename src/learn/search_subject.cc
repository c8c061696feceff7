#include "learn/search_subject.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/version.h"

namespace attune {
namespace {

std::string said(const std::string& option) { return option.empty() ? "-" : option; }

}  // namespace

SearchSubject search_subject(const TableTrainingOptions& options, const LabelledTable& labelled,
                             const Plan& plan) {
  const auto& search = *options.search;
  const std::uint64_t features = hash64(plan.toml());
  return {
      fmt::format("{:016x}", labelled.table.content_hash()),
      fmt::format(
          "target {}{}, kinds {}, search {}, budget {:g} s, memory {} bytes, bits {}, "
          "seed {}, folds {}, split {:g}, time column {}, group {}, test {}, weight "
          "{}, features {:016x}, version {}",
          labelled.target.name, labelled.target.is_binary ? "=" + labelled.target.positive : "",
          options.kinds.empty() ? "all" : fmt::format("{}", fmt::join(options.kinds, "+")),
          search.settings, search.budget_s, search.memory_bytes, options.model.bits,
          options.model.seed, options.folds, options.share, said(options.time_column),
          said(options.group), said(options.test_file), said(options.weight), features, kVersion)};
}

}  // namespace attune
