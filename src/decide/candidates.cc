#include "decide/candidates.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <tuple>

#include "decide/rules.h"

namespace attune {
namespace {

constexpr std::size_t kMostCandidates = 100000;
constexpr std::size_t kRecentItems = 30;

// Open-addressed set of item keys; grows never, so at most `most` keys.
class KeySet {
 public:
  explicit KeySet(std::size_t most) : slots_(std::bit_ceil(2 * most + 2), 0) {}
  // True when it was not there.
  bool insert(ItemKey key) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = raw(key) & mask;
    for (; slots_[at] != 0; at = (at + 1) & mask) {
      if (slots_[at] == raw(key)) return false;
    }
    slots_[at] = raw(key);
    return true;
  }

 private:
  std::vector<std::uint64_t> slots_;
};

std::vector<Neighbour> neighbours_by_key(std::vector<Neighbour> list) {
  std::sort(list.begin(), list.end(),
            [](const Neighbour& a, const Neighbour& b) { return raw(a.item) < raw(b.item); });
  return list;
}

class Collector {
 public:
  Collector(const Profile& seen, const Occasion& on, std::vector<Neighbour> neighbours,
            std::size_t limit)
      : placement_(on.placement),
        published_(on.published),
        neighbours_(neighbours_by_key(std::move(neighbours))),
        taken_(limit + placement_.rules.size()) {
    out_.reserve(limit + placement_.rules.size());
    for (const Rule& rule : placement_.rules) has_hide_ |= rule.kind == Rule::Kind::kHide;
    if (placement_.seen_window_s <= 0) return;
    const Time since = on.now - seconds(std::min(placement_.seen_window_s, 1e12));
    for (const SeenMark& mark : seen.seen) {
      if (time_from_seconds(mark.time_s) > since) seen_.push_back(mark);
    }
    std::sort(seen_.begin(), seen_.end(), [](const SeenMark& a, const SeenMark& b) {
      return std::tie(a.item, b.time_s) < std::tie(b.item, a.time_s);
    });
  }

  std::size_t size() const { return out_.size(); }
  std::vector<Candidate> take() && { return std::move(out_); }

  void add(const Item* item, std::string_view source) {
    if (item == nullptr || is_dropped(*item) || seen_at(item->key)) return;
    if (taken_.insert(item->key)) push(*item, source);
  }
  void add(const std::vector<Neighbour>& list, std::string_view source, std::size_t up_to) {
    for (const Neighbour& one : list) {
      if (out_.size() >= up_to) return;
      add(published_.catalog->find(one.item), source);
    }
  }
  void add(const std::vector<const Item*>& list, std::string_view source, std::size_t up_to) {
    for (const Item* item : list) {
      if (out_.size() >= up_to) return;
      add(item, source);
    }
  }

  // A pin comes even when seen; the first pin of a place and of an item counts.
  void pin(const Rule& rule) {
    const Item* item = published_.catalog->find(rule.item_id);
    if (item == nullptr || is_dropped(*item)) return;
    for (const Candidate& c : out_) {
      if (c.pin == rule.position) return;
    }
    if (taken_.insert(item->key)) push(*item, "pin");
    const auto at = std::find_if(out_.begin(), out_.end(),
                                 [&](const Candidate& c) { return c.item->key == item->key; });
    if (at == out_.end() || at->pin >= 0) return;
    at->pin = rule.position;
    at->seen = seen_at(item->key);
  }

 private:
  void push(const Item& item, std::string_view source) {
    Candidate c;
    c.item = &item;
    c.source = source;
    const auto at =
        std::lower_bound(neighbours_.begin(), neighbours_.end(), item.key,
                         [](const Neighbour& a, ItemKey key) { return raw(a.item) < raw(key); });
    if (at != neighbours_.end() && at->item == item.key) c.neighbour = at->count;
    out_.push_back(c);
  }
  bool is_dropped(const Item& item) const {
    return item.is_hidden || (has_hide_ && is_hidden_by_rule(item, placement_.rules));
  }
  // The last time, when within the window.
  std::optional<Time> seen_at(ItemKey key) const {
    const auto at = std::lower_bound(
        seen_.begin(), seen_.end(), mark_of(key),
        [](const SeenMark& mark, std::uint32_t wanted) { return mark.item < wanted; });
    if (at == seen_.end() || at->item != mark_of(key)) return std::nullopt;
    return time_from_seconds(at->time_s);
  }

  const Placement& placement_;
  const Published& published_;
  std::vector<Neighbour> neighbours_;
  KeySet taken_;
  std::vector<SeenMark> seen_;  // by item, newest first
  bool has_hide_ = false;
  std::vector<Candidate> out_;
};

}  // namespace

namespace {

std::size_t limit_of(const Placement& placement) {
  return std::min(static_cast<std::size_t>(std::max(placement.candidates, 1)), kMostCandidates);
}

}  // namespace

std::vector<Neighbour> neighbours_of(const Profile& history, const Placement& placement,
                                     const Published& published) {
  std::vector<ItemKey> recent;
  recent_items(history, kRecentItems, recent);
  if (!published.item_item || recent.empty()) return {};
  return published.item_item->score(recent, limit_of(placement));
}

namespace {

std::vector<Neighbour> taken_by_persons_alike(std::span<const ItemKey> recent, const Asker& asker,
                                              const Occasion& on) {
  if (!on.published.persons_alike || recent.empty()) return {};
  return on.published.persons_alike->score(recent, asker.identities, limit_of(on.placement));
}

// The factors the placement asks for; null = none.
const ItemFactors* retriever_of(const Occasion& on) {
  const auto found = on.published.retrievers.find(on.placement.retriever);
  return found == on.published.retrievers.end() ? nullptr : found->second.get();
}

// Those that know the person share three fifths.
void add_by_taste(const std::vector<Neighbour>& near, const Profile& history, const Asker& asker,
                  const Occasion& on, Collector& collector) {
  std::vector<ItemKey> recent;
  recent_items(history, kRecentItems, recent);
  const std::size_t limit = limit_of(on.placement);
  const ItemFactors* const factors = retriever_of(on);
  const std::size_t sources = factors == nullptr ? 2 : 3;
  const auto up_to = [&](std::size_t source) { return limit * 3 * source / (5 * sources); };
  collector.add(near, "item_item", up_to(1));
  collector.add(taken_by_persons_alike(recent, asker, on), "persons_alike", up_to(2));
  if (factors != nullptr) collector.add(factors->score(recent, limit), "factors", up_to(3));
}

}  // namespace

std::vector<Candidate> collect_candidates(const DecideRequest& request, const Profile& history,
                                          const Asker& asker, const Occasion& on, bool is_learned) {
  const Placement& placement = on.placement;
  const Published& published = on.published;
  const std::size_t limit = limit_of(placement);
  const std::vector<Neighbour> near = neighbours_of(history, placement, published);

  Collector collector(asker.profile, on, near, limit);
  const auto& items = published.catalog->items();
  if (!request.candidates.empty()) {
    for (const std::string& id : request.candidates) {
      if (collector.size() >= limit) break;
      collector.add(published.catalog->find(id), "request");
    }
  } else if (items.size() <= limit) {
    for (const auto& item : items) collector.add(item.get(), "popular");
  } else {
    // Each source has its share; what one leaves free the next ones fill.
    if (is_learned) add_by_taste(near, history, asker, on, collector);
    collector.add(published.popular, "popular", limit * 4 / 5);
    collector.add(published.latest, "latest", limit);
    collector.add(published.popular, "popular", limit);
  }
  for (const Rule& rule : placement.rules) {
    if (rule.kind != Rule::Kind::kPin) continue;
    if (rule.position >= 0 && rule.position < request.n) collector.pin(rule);
  }
  return std::move(collector).take();
}

}  // namespace attune
