#include "cli/train_factors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "cli/access.h"
#include "cli/cpu_share.h"
#include "cli/journal_models.h"
#include "engine/taken.h"
#include "model/item_factors.h"

namespace attune {
namespace {

constexpr struct {
  const char* name;
  double least, most;
} kRanges[] = {{"size", 8, 512}, {"all", 0, 1}, {"ridge", 1e-6, 10}, {"rounds", 1, 100}};

Status check_range(const std::string& name, double value) {
  std::string known;
  for (const auto& [setting, least, most] : kRanges) {
    known += fmt::format("{}{}", known.empty() ? "" : ", ", setting);
    if (name != setting) continue;
    if (value >= least && value <= most) return ok_status();
    return Error{Code::kInvalid,
                 fmt::format("--set {}={}: must be in [{}, {}]", name, value, least, most), "set",
                 ""};
  }
  return Error{Code::kInvalid, fmt::format("kind factors has no setting {}", name), "set",
               "its settings: " + known};
}

Result<ImplicitFactorsOptions> factor_options(const FactorsOptions& options) {
  ImplicitFactorsOptions out{.size = 64, .seed = options.seed};
  for (const auto& [name, value] : options.settings) {
    TRY_OK(check_range(name, value));
    if (name == "size") out.size = static_cast<std::size_t>(value);
    if (name == "all") out.all = value;
    if (name == "ridge") out.ridge = value;
    if (name == "rounds") out.rounds = static_cast<int>(value);
  }
  if (out.size % 8 == 0) return out;
  return Error{Code::kInvalid, fmt::format("--set size={}: must be a multiple of 8", out.size),
               "set", "for example --set size=64"};
}

}  // namespace

std::string factors_json(const FactorsReport& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("workspace", report.workspace).field("kind", kFactorsKind);
  json.field("persons", report.persons).field("items", report.items);
  json.field("pairs", report.pairs).field("lists", report.lists);
  json.field("lists_looked_at", report.lists_looked_at).field("recall", report.recall);
  json.field("output", report.output).field("id", report.model_id);
  json.field("seconds", report.seconds);
  json.field("can_be_promoted", true).field("not_promoted_because", "").end_object();
  return out;
}

Result<FactorsReport> train_factors(const FactorsOptions& options) {
  TRY_OK(require_workspace(options.workspace));
  limit_memory(options.memory_bytes);
  TRY(const ImplicitFactorsOptions settings, factor_options(options));
  const CpuShare cpu(options.cpu_share);
  TRY(Taken taken, read_taken(options.workspace));
  if (taken.pairs == 0) {
    return Error{Code::kInvalid, options.workspace + ": nobody took anything yet", "workspace",
                 "factors are learned from clicks, likes, purchases and the like"};
  }
  FactorsReport report{.workspace = options.workspace,
                       .output = options.output,
                       .persons = taken.rows.size(),
                       .items = taken.items.size(),
                       .pairs = taken.pairs};
  const Interactions train(std::move(taken.rows), taken.items.size());
  const ItemFactors factors(std::move(taken.items),
                            ImplicitFactors(train, settings, [&] { cpu.keep(); }), settings);
  if (const NearLists* const lists = factors.lists()) {
    report.lists = lists->lists();
    report.lists_looked_at = lists->probed();
    report.recall = lists->recall();
  }
  TRY(report.model_id, factors.save(options.output));
  return report;
}

}  // namespace attune
