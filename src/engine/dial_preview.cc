#include "engine/dial_preview.h"

#include <fmt/format.h>

#include "base/json.h"

namespace attune {
namespace {

constexpr double kSteps[] = {0, 0.25, 0.5, 0.75, 1};

void write_settings(std::string_view name, const std::vector<DialSetting>& settings,
                    JsonWriter& json) {
  json.key(name).begin_array();
  for (const DialSetting& setting : settings) {
    const SlateFigures& f = setting.figures;
    json.begin_object().field("diversity", setting.diversity);
    json.field("freshness", setting.freshness).field("categories", f.categories);
    json.field("entropy_bits", f.entropy_bits).field("items", f.items);
    json.field("coverage", f.coverage).field("top_ten_share", f.top_ten);
    json.field("expected_clicks", f.clicks).field("mean_age_days", f.age_days);
    json.field("near_global_share", f.near_global).end_object();
  }
  json.end_array();
}

}  // namespace

Result<DialPreview> preview_dials(Engine& engine, const DialQuestion& question) {
  const std::shared_ptr<const Catalog> catalog = engine.catalog();
  DialPreview out;
  out.placement = catalog->placement(question.placement);
  out.placement.name = question.placement;
  if (question.freshness_half_life_s) {
    out.placement.freshness_half_life_s = *question.freshness_half_life_s;
  }
  for (const double step : kSteps) {
    out.diversity.push_back({step, out.placement.freshness, {}});
    out.freshness.push_back({out.placement.diversity, step, {}});
  }
  Trial trial{question.placement, question.persons, {}};
  std::vector<SlateTally> tallies;
  for (const auto* const settings : {&out.diversity, &out.freshness}) {
    for (const DialSetting& setting : *settings) {
      trial.variants.push_back(out.placement);
      trial.variants.back().diversity = setting.diversity;
      trial.variants.back().freshness = setting.freshness;
      tallies.emplace_back(*catalog);
    }
  }
  TRY(out.persons, engine.try_placements(
                       trial, [&](std::size_t variant, const Decision& made,
                                  const Decision& global) { tallies[variant].add(made, global); }));
  if (out.persons == 0) {
    return Error{Code::kNotFound, "nobody was asked for at the placement " + question.placement,
                 "placement", "a preview makes its last decisions again: decide there first"};
  }
  for (std::size_t i = 0; i < std::size(kSteps); ++i) {
    out.diversity[i].figures = tallies[i].figures();
    out.freshness[i].figures = tallies[std::size(kSteps) + i].figures();
  }
  return out;
}

std::string dial_preview_json(const DialPreview& preview) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("placement", preview.placement.name);
  json.field("persons", std::uint64_t{preview.persons});
  json.field("places", preview.diversity.front().figures.places);
  json.field("diversity", preview.placement.diversity);
  json.field("freshness", preview.placement.freshness);
  json.field("freshness_half_life_s", preview.placement.freshness_half_life_s);
  write_settings("by_diversity", preview.diversity, json);
  write_settings("by_freshness", preview.freshness, json);
  json.end_object();
  return out;
}

}  // namespace attune
