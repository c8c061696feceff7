#include "cli/doctor_data.h"

#include <fmt/format.h>

#include "cli/words.h"
#include "engine/observe.h"
#include "feature/input_names.h"
#include "profile/profile.h"

namespace attune {
namespace {

constexpr std::uint64_t kEnoughOutcomes = 200;
constexpr std::uint64_t kMostRead = 2'000'000;

// A use of the data: whether there is too little for it, what there is, and what to do.
struct Use {
  const char* check;
  bool is_lacking;
  std::string says, fix;
};

std::string of(std::uint64_t part, std::uint64_t all) {
  return thousands(part) + " of " + thousands(all);
}

void check_plan(const Catalog& catalog, const InputNames& names, std::vector<Finding>& out) {
  if (catalog.plan().empty()) return;
  const auto plan = Plan::declare(catalog.plan(), "plan");
  if (!plan.ok()) {
    out.push_back({Health::kFail, "plan", plan.error().message, plan.error().hint});
    return;
  }
  const auto unknown = names.unknown(*plan);
  for (const UnknownInput& one : unknown) {
    out.push_back({Health::kWarn, "plan", said_of(one),
                   "mend the plan and serve it with --plan, or send what it asks for"});
  }
  if (unknown.empty()) out.push_back({Health::kOk, "plan", "somebody has each of its inputs"});
}

}  // namespace

DataCounts count_items(const Catalog& catalog) {
  DataCounts counts;
  for (const auto& item : catalog.items()) {
    ++counts.items;
    counts.with_category += item->category.empty() ? 0 : 1;
    counts.with_tags += item->tags.empty() ? 0 : 1;
  }
  return counts;
}

std::vector<Finding> check_data(const DataCounts& c) {
  const std::string newest = c.is_cut ? " (of the first events)" : "";
  const std::uint64_t negatives = c.impressions + c.served;
  const Use uses[] = {
      {"items", c.items == 0, thousands(c.items) + " items",
       "PUT /api/v1/items/ID or attune items import: without items nothing can be shown"},
      {"content", c.items > 0 && 2 * c.with_category < c.items,
       of(c.with_category, c.items) + " items have a category, " + thousands(c.with_tags) +
           " have tags",
       "send category and tags: without them nothing is known of a new item (content cold start is "
       "off)"},
      {"traits", c.events > 0 && c.traits == 0,
       thousands(c.traits) + " events with traits" + newest,
       "send identify calls: without traits nothing is known of a new person"},
      {"negatives", c.events > 0 && negatives == 0,
       thousands(negatives) + " negative examples" + newest,
       "send impressions, or ask for decisions whose placement counts them as seen when served"},
      {"outcomes", c.outcomes < kEnoughOutcomes, thousands(c.outcomes) + " outcomes" + newest,
       fmt::format("a model needs about {} clicks, likes, carts or purchases: until then decisions "
                   "go by popularity",
                   kEnoughOutcomes)},
      {"joins", c.outcomes > 0 && c.decisions > 0 && 2 * c.named < c.outcomes,
       of(c.named, c.outcomes) + " outcomes name their decision",
       "send properties.decision_id: without it they join the latest decision that showed the "
       "item"},
      {"known", 10 * c.unknown > c.of_items,
       of(c.unknown, c.of_items) + " events name an item that is not in the catalog",
       "send those items, or use the same ids in both"},
  };
  std::vector<Finding> out;
  for (const Use& use : uses) {
    out.push_back({use.is_lacking ? Health::kWarn : Health::kOk, use.check, use.says, use.fix});
  }
  return out;
}

std::vector<Finding> check_data(const std::string& workspace, const Catalog& catalog) {
  DataCounts counts = count_items(catalog);
  Observer observer;
  observer.most = kMostRead;
  InputNames names;
  names.add_items(catalog);
  observer.event = [&](const SeenEvent& seen) {
    const Event& event = seen.event;
    names.add_traits(event.traits);
    counts.impressions += event.verb == Verb::kImpression ? 1 : 0;
    counts.traits += event.traits.empty() ? 0 : 1;
    if (is_engagement(event.verb)) {
      ++counts.outcomes;
      counts.named += event.decision_id.empty() ? 0 : 1;
    }
    if (event.item_id.empty()) return;
    ++counts.of_items;
    counts.unknown += catalog.find(event.item_id) == nullptr ? 1 : 0;
  };
  observer.decision = [&](const Decision& decision) {
    if (decision.is_impression_served) counts.served += decision.shown.size();
  };
  const auto observed = observe(workspace, observer);
  if (!observed.ok()) {
    return {{Health::kWarn, "data", observed.error().message, observed.error().hint}};
  }
  counts.events = observed->events;
  counts.decisions = observed->decisions;
  counts.is_cut = observed->events + observed->decisions >= kMostRead;
  std::vector<Finding> findings = check_data(counts);
  check_plan(catalog, names, findings);
  return findings;
}

}  // namespace attune
