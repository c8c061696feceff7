// The lists that decisions draw candidates from: what is popular, what is new. Made whole once,
// then kept up with what changes. Pure; they point into the published catalog.
#pragma once
#include <span>

#include "decide/decide.h"

namespace attune {

inline constexpr std::size_t kListLength = 1000;

// The rate an item without counts is taken to have.
double prior_rate(const Counters& counters, Time now);
double popularity(const Counters& counters, ItemKey item, double prior, Time now);

// Fills popular and latest from catalog and counters as of p.time; hidden items are left out.
// Looks at every item.
void rank_lists(Published& p, std::size_t length = kListLength);

// The lists of the next version. p: holds its catalog and counters, and the lists of the version
// before; before: that one's catalog; counted: items whose counts changed since. Looks at those, at
// items that differ between the catalogs, at the lists, and at one part in kListRounds of all
// items, the next one with each version: so an item passed by because others faded comes in within
// so many versions, and without changes the lists are those of rank_lists() after them.
inline constexpr std::uint64_t kListRounds = 128;
void refresh_lists(Published& p, const Catalog& before, std::span<const ItemKey> counted,
                   std::size_t length = kListLength);

}  // namespace attune
