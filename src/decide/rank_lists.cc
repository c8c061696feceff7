#include "decide/rank_lists.h"

#include <algorithm>
#include <tuple>

namespace attune {
namespace {

using Pool = std::vector<const Item*>;

struct Ranked {
  double rate;
  float volume;
  const Item* item;
};

bool is_more_popular(const Ranked& a, const Ranked& b) {
  return std::tie(b.rate, b.volume, a.item->id) < std::tie(a.rate, a.volume, b.item->id);
}

bool is_newer(const Item* a, const Item* b) {
  return std::tie(b->created, a->id) < std::tie(a->created, b->id);
}

template <class T, class Better>
void keep_best(std::vector<T>& all, std::size_t length, const Better& is_better) {
  if (all.size() > length) {
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(length);
    std::nth_element(all.begin(), end, all.end(), is_better);
    all.erase(end, all.end());
  }
  std::sort(all.begin(), all.end(), is_better);
}

void rank_popular(Published& p, const Pool& pool, std::size_t length) {
  static const Counters none;
  const Counters& counters = p.counters ? *p.counters : none;
  const double prior = prior_rate(counters, p.time);
  std::vector<Ranked> all;
  all.reserve(pool.size());
  for (const Item* item : pool) {
    Ranked ranked{prior, 0, item};
    if (const Affinity* const counted = counters.items.find(item->key)) {
      ranked.rate = smoothed_rate(*counted, prior, p.time);
      ranked.volume = counted->shown.at(p.time, k30d);
    }
    all.push_back(ranked);
  }
  keep_best(all, length, is_more_popular);
  p.popular.clear();
  p.popular.reserve(all.size());
  for (const Ranked& ranked : all) p.popular.push_back(ranked.item);
}

void rank_latest(Published& p, Pool pool, std::size_t length) {
  keep_best(pool, length, is_newer);
  p.latest = std::move(pool);
}

// What the lists of the version before hold, as it is in this version's catalog.
Pool carried_over(const Pool& list, const Catalog& catalog, bool is_other_catalog) {
  if (!is_other_catalog) return list;
  Pool out;
  for (const Item* item : list) out.push_back(catalog.find(item->key));
  return out;
}

void make_set(Pool& pool) {
  std::erase_if(pool, [](const Item* item) { return item == nullptr || item->is_hidden; });
  std::sort(pool.begin(), pool.end());
  pool.erase(std::unique(pool.begin(), pool.end()), pool.end());
}

// Items that differ, and this version's part of all.
Pool looked_at(const Catalog& catalog, const Catalog& before, std::uint64_t version) {
  const Catalog::Items &now = catalog.items(), &then = before.items();
  Pool out;
  if (&catalog != &before) {
    now.each_difference(then, [&](std::size_t i) { out.push_back(now[i].get()); });
    for (std::size_t i = then.size(); i < now.size(); ++i) out.push_back(now[i].get());
  }
  const std::size_t part = now.size() / kListRounds + 1;
  const std::size_t begin = static_cast<std::size_t>(version % kListRounds) * part;
  const std::size_t end = std::min(begin + part, now.size());
  for (std::size_t i = begin; i < end; ++i) out.push_back(now[i].get());
  return out;
}

}  // namespace

double prior_rate(const Counters& counters, Time now) {
  const double shown = std::max(0.0, double{counters.all.shown.at(now, k30d)});
  const double engaged = std::max(0.0, double{counters.all.engaged.at(now, k30d)});
  return std::min(1.0, (engaged + 1) / (shown + 20));
}

double popularity(const Counters& counters, ItemKey item, double prior, Time now) {
  const Affinity* const counted = counters.items.find(item);
  return counted ? smoothed_rate(*counted, prior, now) : prior;
}

void rank_lists(Published& p, std::size_t length) {
  Pool all;
  if (p.catalog) {
    all.reserve(p.catalog->items().size());
    for (const auto& item : p.catalog->items()) {
      if (!item->is_hidden) all.push_back(item.get());
    }
  }
  rank_popular(p, all, length);
  rank_latest(p, std::move(all), length);
}

void refresh_lists(Published& p, const Catalog& before, std::span<const ItemKey> counted,
                   std::size_t length) {
  const bool is_other_catalog = p.catalog.get() != &before;
  const Catalog& catalog = *p.catalog;
  const Pool looked = looked_at(catalog, before, p.version);
  Pool latest = carried_over(p.latest, catalog, is_other_catalog);
  latest.insert(latest.end(), looked.begin(), looked.end());
  Pool popular = carried_over(p.popular, catalog, is_other_catalog);
  popular.insert(popular.end(), looked.begin(), looked.end());
  for (const ItemKey item : counted) popular.push_back(catalog.find(item));
  make_set(latest);
  make_set(popular);
  // Deletions have emptied them: not to wait for the rounds.
  const std::size_t enough = std::min(length, catalog.items().size()) / 2;
  if (is_other_catalog && std::min(latest.size(), popular.size()) < enough) {
    return rank_lists(p, length);
  }
  rank_popular(p, popular, length);
  rank_latest(p, std::move(latest), length);
}

}  // namespace attune
