#include "model/item_factors.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/bytes.h"
#include "model/model_file.h"
#include "model/sealed.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "AIFV";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMaxRecent = 30;
constexpr std::size_t kMostSize = 512;
constexpr int kSteps = 16;  // as near to the exact vector as floats tell apart
constexpr const char* kListsSection = "near_lists";
constexpr std::size_t kQueries = 200;  // persons the lists are tried with

// Of so many persons at most, evenly spread.
std::vector<float> some_of(std::span<const float> persons, std::size_t size) {
  const std::size_t count = persons.size() / size, queries = std::min(count, kQueries);
  std::vector<float> out;
  for (std::size_t i = 0; i < queries; ++i) {
    const std::span<const float> one = persons.subspan(i * count / queries * size, size);
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

}  // namespace

ItemFactors::ItemFactors(std::vector<ItemKey> items, const ImplicitFactors& factors,
                         const ImplicitFactorsOptions& options)
    : ridge_{options.size, options.all, options.ridge, kSteps},
      items_(std::move(items)),
      vectors_(factors.item_vectors().begin(), factors.item_vectors().end()) {
  CHECK(items_.size() == factors.items() && options.size <= kMostSize);
  if (items_.size() >= kListed) lay_in_lists(factors, options.seed);
  CHECK(index());
}

void ItemFactors::lay_in_lists(const ImplicitFactors& factors, std::uint64_t seed) {
  std::vector<std::uint32_t> order;
  lists_.emplace(factors.item_vectors(), ridge_.size, seed, order);
  std::vector<ItemKey> items(items_.size());
  for (std::size_t place = 0; place < order.size(); ++place) {
    items[place] = items_[order[place]];
    std::copy_n(&factors.item_vectors()[order[place] * ridge_.size], ridge_.size,
                &vectors_[place * ridge_.size]);
  }
  items_ = std::move(items);
  const std::vector<float> queries = some_of(factors.person_vectors(), ridge_.size);
  if (!queries.empty()) lists_->probe(vectors_, queries);
}

bool ItemFactors::index() {
  gram_ = gram_of(vectors_, ridge_);
  for (std::uint32_t i = 0; i < items_.size(); ++i) {
    if (!places_.emplace(items_[i], i).second) return false;
  }
  return true;
}

std::vector<float> ItemFactors::person(std::span<const ItemKey> recent) const {
  std::vector<std::uint32_t> taken;
  for (const ItemKey item : recent.last(std::min(recent.size(), kMaxRecent))) {
    const auto at = places_.find(item);
    if (at != places_.end()) taken.push_back(at->second);
  }
  std::sort(taken.begin(), taken.end());
  taken.erase(std::unique(taken.begin(), taken.end()), taken.end());
  if (taken.empty()) return {};
  std::vector<float> x(ridge_.size, 0);
  FactorSolver(vectors_, gram_, ridge_).solve(taken, x.data());
  return x;
}

std::vector<Neighbour> ItemFactors::score(std::span<const ItemKey> recent,
                                          std::size_t limit) const {
  const std::vector<float> x = person(recent);
  if (x.empty() || limit == 0) return {};
  std::vector<ItemKey> known(recent.begin(), recent.end());
  std::sort(known.begin(), known.end());
  std::vector<Neighbour> best;
  const std::size_t most = 2 * limit;  // the better half is kept when so many are held
  float least = -std::numeric_limits<float>::infinity();
  const auto look_at = [&](const NearLists::Range& places) {
    for (std::size_t i = places.begin; i < places.end; ++i) {
      const float score = product(vector(i), x.data());
      if (!(score >= least) || std::binary_search(known.begin(), known.end(), items_[i])) continue;
      best.push_back({items_[i], score});
      if (best.size() < most) continue;
      best = best_of(std::move(best), limit);
      least = best.back().count;
    }
  };
  if (!lists_) look_at({0, static_cast<std::uint32_t>(items_.size())});
  if (lists_) {
    for (const auto& places : lists_->near(x.data(), limit, limit + known.size())) look_at(places);
  }
  return best_of(std::move(best), limit);
}

std::size_t ItemFactors::memory_bytes() const {
  constexpr std::size_t kIndexed = 48;  // a node of the index and its bucket
  return items_.size() * (sizeof(ItemKey) + kIndexed) +
         (vectors_.size() + gram_.size()) * sizeof(float) + (lists_ ? lists_->memory_bytes() : 0);
}

void ItemFactors::encode(std::string& out) const {
  std::string body;
  Writer w(body);
  w.varint(ridge_.size);
  w.f64(ridge_.all);
  w.f64(ridge_.ridge);
  w.varint(items_.size());
  for (const ItemKey item : items_) w.u64(raw(item));
  for (const float number : vectors_) w.f32(number);
  seal(kMagic, kVersion, body, out);
}

Result<ItemFactors> ItemFactors::decode(std::string_view bytes) {
  const Error corrupt{Code::kCorrupt, "AIFV: the items' vectors make no sense"};
  TRY(const std::string_view body, unseal(kMagic, kVersion, bytes));
  Reader r(body);
  FactorRidge ridge{.size = r.varint(), .all = r.f64(), .ridge = r.f64(), .steps = kSteps};
  const std::uint64_t items = r.varint();
  const bool is_shape = r.ok() && ridge.size > 0 && ridge.size <= kMostSize && ridge.size % 8 == 0;
  if (!is_shape || items > r.left() || r.left() != items * (8 + 4 * ridge.size)) return corrupt;
  const bool is_ridge =
      std::isfinite(ridge.all) && ridge.all >= 0 && std::isfinite(ridge.ridge) && ridge.ridge > 0;
  if (!is_ridge) return corrupt;
  ItemFactors out(ridge);
  for (std::uint64_t i = 0; i < items; ++i) out.items_.push_back(ItemKey{r.u64()});
  for (std::uint64_t i = 0; i < items * ridge.size; ++i) {
    out.vectors_.push_back(r.f32());
    if (!std::isfinite(out.vectors_.back())) return corrupt;
  }
  if (!out.index() || out.places_.contains(ItemKey{})) return corrupt;
  return out;
}

Result<std::string> ItemFactors::save(const std::string& path) const {
  std::string bytes, lists;
  encode(bytes);
  std::vector<ModelSection> sections = {{kFactorsKind, bytes}};
  if (lists_) {
    lists_->encode(lists);
    sections.push_back({kListsSection, lists});
  }
  return store_model_file(path, sections);
}

Result<ItemFactors> ItemFactors::load(const std::string& path) {
  TRY(const ModelFile file, ModelFile::open(path));
  if (!file.has(kFactorsKind)) {
    return Error{Code::kInvalid, path + ": no model of kind factors", "model",
                 "attune train --workspace DIR --kind factors makes one"};
  }
  TRY(const std::string_view bytes, file.section(kFactorsKind));
  TRY(ItemFactors out, decode(bytes));
  if (!file.has(kListsSection)) return out;
  TRY(const std::string_view lists, file.section(kListsSection));
  TRY(out.lists_, NearLists::decode(lists, out.items_.size(), out.ridge_.size));
  return out;
}

}  // namespace attune
