// The only file that knows the library.
#include "model/tree_growing.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/hash.h"
#include "model/xgboost_library.h"
#include "stat/order_scores.h"

namespace attune {
namespace {

constexpr std::size_t kBatchRows = 16'384;  // handed to the library at once
constexpr std::size_t kFewRows = 200;       // less than this: none are held back
constexpr std::size_t kFewGroups = 50;      // likewise
constexpr std::size_t kRoundsOfFew = 50;    // then at most so many rounds
constexpr double kHeldBack = 0.1;
constexpr float kLeastCover = 1e-30F;

Error fault(const char* what) {
  std::string why = xgboost().XGBGetLastError();
  why.resize(std::min(why.find('\n'), why.size()));
  return {Code::kUnavailable, fmt::format("trees: {}: {}", what, why.substr(0, 300)), "kind", ""};
}

struct FreeMatrix {
  void operator()(void* at) const { xgboost().XGDMatrixFree(at); }
};
struct FreeBooster {
  void operator()(void* at) const { xgboost().XGBoosterFree(at); }
};
using Matrix = std::unique_ptr<void, FreeMatrix>;
using Booster = std::unique_ptr<void, FreeBooster>;

std::string array_text(const float* at, std::size_t rows, std::size_t columns) {
  return fmt::format(
      R"({{"data":[{},true],"shape":[{},{}],"strides":null,"typestr":"<f4","version":3}})",
      reinterpret_cast<std::uintptr_t>(at), rows, columns);
}

using Rows = std::span<const std::uint32_t>;

Status set_numbers(DMatrixHandle matrix, const char* name, const std::vector<float>& numbers) {
  return xgboost().XGDMatrixSetFloatInfo(matrix, name, numbers.data(), numbers.size()) == 0
             ? ok_status()
             : Status(fault(name));
}

// Labels and weights of these rows.
Status describe(DMatrixHandle matrix, const GatheredRows& rows, Rows which) {
  std::vector<float> labels, weights;
  for (const std::uint32_t row : which) {
    labels.push_back(rows.labels()[row]);
    weights.push_back(rows.weights()[row]);
  }
  TRY_OK(set_numbers(matrix, "label", labels));
  return set_numbers(matrix, "weight", weights);
}

// Which rows compete; `which` has those of a group side by side.
//   is_judged: labels become what the rows are worth at the top, as NDCG counts them.
Status describe_groups(DMatrixHandle matrix, const GatheredRows& rows, Rows which, bool is_judged) {
  const bool is_graded = are_grades(rows.labels());
  std::vector<unsigned> sizes;
  std::vector<float> labels, weights;
  for (std::size_t begin = 0, end = 0; begin < which.size(); begin = end) {
    const std::uint32_t group = rows.groups()[which[begin]];
    double weight = 0;
    std::vector<float> own;
    for (; end < which.size() && rows.groups()[which[end]] == group; ++end) {
      own.push_back(rows.labels()[which[end]]);
      weight += double{rows.weights()[which[end]]};
    }
    sizes.push_back(static_cast<unsigned>(end - begin));
    weights.push_back(static_cast<float>(weight / static_cast<double>(end - begin)));
    if (is_judged && !is_graded) {
      const std::vector<double> gains = gains_of(own, false);
      own.assign(gains.begin(), gains.end());
    }
    labels.insert(labels.end(), own.begin(), own.end());
  }
  if (xgboost().XGDMatrixSetUIntInfo(matrix, "group", sizes.data(), sizes.size()) != 0) {
    return fault("groups");
  }
  TRY_OK(set_numbers(matrix, "label", labels));
  return set_numbers(matrix, "weight", weights);
}

// Hands rows to the library, a batch at a time and several times over.
class Batches {
 public:
  Batches(const GatheredRows& rows, Rows which, bool has_groups, bool has_sums, DMatrixHandle proxy)
      : rows_(rows),
        which_(which),
        has_groups_(has_groups),
        has_sums_(has_sums),
        columns_(has_sums ? rows.columns() : rows.given()),
        proxy_(proxy),
        buffer_(std::min(which.size(), kBatchRows) * columns_) {}

  static void reset(void* self) { static_cast<Batches*>(self)->at_ = 0; }
  static int next(void* self) { return static_cast<Batches*>(self)->hand_out() ? 1 : 0; }

 private:
  bool hand_out() {
    const Rows batch = which_.subspan(at_, std::min(which_.size() - at_, kBatchRows));
    if (batch.empty()) return false;
    at_ += batch.size();
    rows_.copy(batch, buffer_, has_sums_);
    const std::string array = array_text(buffer_.data(), batch.size(), columns_);
    return xgboost().XGProxyDMatrixSetDataDense(proxy_, array.c_str()) == 0 &&
           (has_groups_ || describe(proxy_, rows_, batch).ok());
  }

  const GatheredRows& rows_;
  Rows which_;
  bool has_groups_;  // which a batch might cut
  bool has_sums_;
  std::size_t columns_;
  std::size_t at_ = 0;
  DMatrixHandle proxy_;
  std::vector<float> buffer_;
};

// Rows in bins, to learn from.
Result<Matrix> binned(const GatheredRows& rows, Rows which, const TreeGrowing& how) {
  DMatrixHandle proxy = nullptr, made = nullptr;
  if (xgboost().XGProxyDMatrixCreate(&proxy) != 0) return fault("rows");
  const Matrix owner(proxy);
  Batches batches(rows, which, how.is_ranking, how.has_sums, proxy);
  const std::string config =
      fmt::format(R"({{"missing":NaN,"nthread":{},"max_bin":{}}})", how.threads, how.bins);
  if (xgboost().XGQuantileDMatrixCreateFromCallback(&batches, proxy, nullptr, Batches::reset,
                                                    Batches::next, config.c_str(), &made) != 0) {
    return fault("rows");
  }
  Matrix matrix(made);
  if (how.is_ranking) TRY_OK(describe_groups(made, rows, which, false));
  return matrix;
}

// Rows as they are, to be judged on.
Result<Matrix> plain(const GatheredRows& rows, Rows which, const TreeGrowing& how) {
  const std::size_t columns = how.has_sums ? rows.columns() : rows.given();
  std::vector<float> values(which.size() * columns);
  rows.copy(which, values, how.has_sums);
  DMatrixHandle made = nullptr;
  const std::string config = fmt::format(R"({{"missing":NaN,"nthread":{}}})", how.threads);
  const std::string array = array_text(values.data(), which.size(), columns);
  if (xgboost().XGDMatrixCreateFromDense(array.c_str(), config.c_str(), &made) != 0) {
    return fault("rows held back");
  }
  Matrix matrix(made);
  TRY_OK(how.is_ranking ? describe_groups(made, rows, which, true) : describe(made, rows, which));
  return matrix;
}

double mean_label(const GatheredRows& rows) {
  double sum = 0, weight = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    sum += double{rows.labels()[i]} * double{rows.weights()[i]};
    weight += double{rows.weights()[i]};
  }
  return sum / weight;
}

// Where all rows start from: the mean of the labels, or the logit of it; 0 where only order counts.
double base_of(const GatheredRows& rows, const TreeGrowing& how) {
  if (how.is_ranking) return 0;
  const double mean = mean_label(rows);
  if (!how.is_logistic) return mean;
  const double p = std::clamp(mean, 1e-6, 1 - 1e-6);
  return std::log(p / (1 - p));
}

const char* objective_of(const GatheredRows& rows, const TreeGrowing& how) {
  if (how.is_ranking) return are_grades(rows.labels()) ? "rank:ndcg" : "rank:pairwise";
  return how.is_logistic ? "binary:logistic" : "reg:squarederror";
}

Result<Booster> make_booster(const Matrix& matrix, const GatheredRows& rows, const TreeGrowing& how,
                             double base) {
  DMatrixHandle handle = matrix.get();
  BoosterHandle made = nullptr;
  if (xgboost().XGBoosterCreate(&handle, 1, &made) != 0) return fault("start");
  Booster booster(made);
  const auto number = [](double x) { return fmt::format("{}", x); };
  const bool is_logistic = how.is_logistic && !how.is_ranking;
  const double start = is_logistic ? 1 / (1 + std::exp(-base)) : base;
  const std::pair<const char*, std::string> settings[] = {
      {"verbosity", "0"},
      {"tree_method", "hist"},
      {"objective", objective_of(rows, how)},
      {"eval_metric", how.is_ranking ? "ndcg@10"
                      : is_logistic  ? "logloss"
                                     : "rmse"},
      {"base_score", number(start)},
      {"eta", number(how.learning_rate)},
      {"max_depth", number(static_cast<double>(how.depth))},
      {"max_leaves", number(static_cast<double>(how.leaves))},
      {"grow_policy", how.leaves > 0 ? "lossguide" : "depthwise"},
      {"min_child_weight", number(how.min_weight)},
      {"gamma", number(how.min_gain)},
      {"alpha", number(how.l1)},
      {"lambda", number(how.l2)},
      {"subsample", number(how.row_share)},
      {"colsample_bytree", number(how.column_share)},
      {"colsample_bynode", number(how.split_column_share)},
      {"num_parallel_tree", number(static_cast<double>(how.trees_per_round))},
      {"max_bin", number(static_cast<double>(how.bins))},
      {"nthread", number(static_cast<double>(how.threads))},
      {"seed", number(static_cast<double>(how.seed % 2'147'483'647))},
  };
  for (const auto& [name, value] : settings) {
    if (xgboost().XGBoosterSetParam(made, name, value.c_str()) != 0) return fault(name);
  }
  return booster;
}

// "[12]\theld-logloss:0.31" -> 0.31; of NDCG what it lacks to 1.
Result<double> loss_after(const Booster& booster, const Matrix& held, int round, bool is_ranking) {
  const char* text = nullptr;
  const char* name = "held";
  DMatrixHandle handle = held.get();
  if (xgboost().XGBoosterEvalOneIter(booster.get(), round, &handle, &name, 1, &text) != 0) {
    return fault("loss");
  }
  const std::string_view line(text);
  const std::string_view digits = line.substr(line.rfind(':') + 1);
  double loss = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), loss);
  if (error != std::errc()) return std::numeric_limits<double>::infinity();
  return is_ranking ? 1 - loss : loss;
}

struct Grown {
  Booster booster;
  std::size_t rounds = 0;  // that count
  bool is_still_falling = false;
};

// All rounds.
Result<Grown> grow(const GatheredRows& rows, Rows which, const TreeGrowing& how, double base) {
  TRY(const Matrix learned, binned(rows, which, how));
  TRY(Booster booster, make_booster(learned, rows, how, base));
  for (std::size_t round = 0; round < how.rounds; ++round) {
    if (xgboost().XGBoosterUpdateOneIter(booster.get(), static_cast<int>(round), learned.get()) !=
        0) {
      return fault("growing");
    }
  }
  return Grown{std::move(booster), how.rounds, false};
}

// As many as are best for the rows held back.
Result<Grown> grow_beside(const GatheredRows& rows, Rows which, Rows held_back,
                          const TreeGrowing& how, double base) {
  TRY(const Matrix learned, binned(rows, which, how));
  TRY(const Matrix held, plain(rows, held_back, how));
  TRY(Booster booster, make_booster(learned, rows, how, base));
  double least = std::numeric_limits<double>::infinity();
  std::size_t best = 0;
  for (std::size_t round = 0; round < how.rounds && round < best + how.patience; ++round) {
    if (xgboost().XGBoosterUpdateOneIter(booster.get(), static_cast<int>(round), learned.get()) !=
        0) {
      return fault("growing");
    }
    TRY(const double loss, loss_after(booster, held, static_cast<int>(round), how.is_ranking));
    if (loss >= least) continue;
    least = loss;
    best = round + 1;
  }
  return Grown{std::move(booster), std::max<std::size_t>(best, 1), best == how.rounds};
}

template <class T>
std::vector<T> numbers(simdjson::dom::element of, const char* name) {
  std::vector<T> out;
  simdjson::dom::array values;
  if (of[name].get(values)) return out;
  for (const simdjson::dom::element value : values) {
    double x = 0;
    bool is_set = false;
    if (!value.get(x)) {
      out.push_back(static_cast<T>(x));
    } else if (!value.get(is_set)) {
      out.push_back(static_cast<T>(is_set ? 1 : 0));
    }
  }
  return out;
}

Error strange() {
  return {Code::kInternal, "trees: the library's trees are not as this program knows them", "kind",
          "build with libxgboost 1.7"};
}

// scale: of its leaves.
Status take_tree(simdjson::dom::element tree, float scale, TreeEnsemble& into) {
  const auto left = numbers<std::int64_t>(tree, "left_children");
  const auto right = numbers<std::int64_t>(tree, "right_children");
  const auto columns = numbers<std::uint16_t>(tree, "split_indices");
  const auto at = numbers<float>(tree, "split_conditions");
  const auto is_left = numbers<int>(tree, "default_left");
  const auto cover = numbers<float>(tree, "sum_hessian");
  const std::size_t n = left.size();
  if (n == 0 || right.size() != n || columns.size() != n || at.size() != n || is_left.size() != n ||
      cover.size() != n) {
    return strange();
  }
  std::vector<TreeNode> nodes(1);
  std::vector<std::pair<std::size_t, std::size_t>> open{{0, 0}};  // theirs, ours
  while (!open.empty()) {
    const auto [from, to] = open.back();
    open.pop_back();
    if (from >= n) return strange();
    TreeNode node{.at = at[from], .cover = std::max(cover[from], kLeastCover)};
    if (left[from] >= 0) {
      node.left = static_cast<std::uint32_t>(nodes.size());
      node.column = columns[from];
      node.is_missing_left = is_left[from] != 0;
      open.emplace_back(static_cast<std::size_t>(right[from]), nodes.size() + 1);
      open.emplace_back(static_cast<std::size_t>(left[from]), nodes.size());
      nodes.resize(nodes.size() + 2);
    } else {
      node.at *= scale;
    }
    nodes[to] = node;
  }
  return into.add(nodes) ? ok_status() : Status(strange());
}

// Adds the trees of the first `count` rounds.
Status take_trees(const Grown& grown, std::size_t count, float scale, TreeEnsemble& into) {
  bst_ulong size = 0;
  const char* bytes = nullptr;
  if (xgboost().XGBoosterSaveModelToBuffer(grown.booster.get(), R"({"format":"json"})", &size,
                                           &bytes) != 0) {
    return fault("saving");
  }
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array trees;
  if (parser.parse(bytes, size).get(root) ||
      root.at_pointer("/learner/gradient_booster/model/trees").get(trees)) {
    return strange();
  }
  for (const simdjson::dom::element tree : trees) {
    if (count-- == 0) break;
    TRY_OK(take_tree(tree, scale, into));
  }
  return ok_status();
}

// All rows; those of a group side by side where they compete.
std::vector<std::uint32_t> rows_in_order(const GatheredRows& rows, const TreeGrowing& how) {
  std::vector<std::uint32_t> all(rows.size());
  std::iota(all.begin(), all.end(), 0U);
  if (!how.is_ranking) return all;
  std::stable_sort(all.begin(), all.end(), [&](std::uint32_t a, std::uint32_t b) {
    return rows.groups()[a] < rows.groups()[b];
  });
  return all;
}

std::size_t groups_of(const GatheredRows& rows) {
  return std::set<std::uint32_t>(rows.groups().begin(), rows.groups().end()).size();
}

TreeGrowing by_leaves(const TreeGrowing& how) {
  constexpr std::size_t kLeaves = 31;
  constexpr double kLeastWeight = 10;
  TreeGrowing own = how;
  own.leaves = kLeaves;
  own.depth = TreeEnsemble::kMostDepth;
  own.min_weight = std::max(how.min_weight, kLeastWeight);
  own.row_share = 1;
  own.has_sums = false;
  return own;
}

// Of this thread.
void silence_library() { xgboost().XGBSetGlobalConfig(R"({"verbosity":0})"); }

// Each part of the rows, or of their groups, is held back by one model, and learned from by the
// others.
Result<Grown> grow_bag(const GatheredRows& rows, Rows all, std::size_t bag, const TreeGrowing& how,
                       double base) {
  std::vector<std::uint32_t> learned, held;
  for (const std::uint32_t row : all) {
    // By chance: rows may come in turns.
    const std::uint64_t of = how.is_ranking ? rows.groups()[row] : row;
    (mix64(how.seed, of) % how.bags == bag ? held : learned).push_back(row);
  }
  TreeGrowing own = how.is_mixed && bag % 2 == 1 ? by_leaves(how) : how;
  own.seed += bag;
  own.threads = std::max<std::size_t>(how.threads / how.bags, 1);
  return grow_beside(rows, learned, held, own, base);
}

Result<GrownTrees> grow_bags(const GatheredRows& rows, const TreeGrowing& how, double base) {
  const std::vector<std::uint32_t> all = rows_in_order(rows, how);
  std::vector<std::optional<Result<Grown>>> bags(how.bags);
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    silence_library();
    for (std::size_t bag = next++; bag < bags.size(); bag = next++) {
      bags[bag] = grow_bag(rows, all, bag, how, base);
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < std::min(how.threads, how.bags); ++i) others.emplace_back(work);
    work();
  }
  GrownTrees out{TreeEnsemble(base, rows.columns())};
  for (std::optional<Result<Grown>>& bag : bags) {
    TRY(const Grown grown, std::move(*bag));
    TRY_OK(take_trees(grown, grown.rounds, 1 / static_cast<float>(how.bags), out.trees));
    out.rounds = std::max(out.rounds, grown.rounds);
    out.is_still_falling |= grown.is_still_falling;
  }
  return out;
}

}  // namespace

Result<GrownTrees> grow_trees(const GatheredRows& rows, const TreeGrowing& how) {
  if (rows.size() == 0) return Error{Code::kInvalid, "trees: no rows to learn from", "file"};
  TRY_OK(load_xgboost());
  silence_library();
  const double base = base_of(rows, how);
  if (rows.columns() == 0) return GrownTrees{TreeEnsemble(base, 0)};
  TreeGrowing settled = how;
  const bool is_few = rows.size() < kFewRows || (how.is_ranking && groups_of(rows) < kFewGroups);
  if (how.patience > 0 && is_few) {
    settled.rounds = std::min(how.rounds, kRoundsOfFew);
  } else if (how.patience > 0 && how.bags > 1) {
    return grow_bags(rows, how, base);
  }
  const std::vector<std::uint32_t> all = rows_in_order(rows, how);
  GrownTrees out{TreeEnsemble(base, rows.columns())};
  if (how.patience > 0 && !is_few) {
    auto end = static_cast<std::size_t>(static_cast<double>(all.size()) * (1 - kHeldBack));
    const auto is_inside_a_group = [&](std::size_t at) {
      return how.is_ranking && rows.groups()[all[at]] == rows.groups()[all[at - 1]];
    };
    while (end > 1 && is_inside_a_group(end)) --end;
    const Rows learned = Rows(all).first(end), held = Rows(all).subspan(end);
    TRY(const Grown grown, grow_beside(rows, learned, held, how, base));
    settled.rounds = grown.rounds;
    out.is_still_falling = grown.is_still_falling;
  }
  TRY(const Grown grown, grow(rows, all, settled, base));
  TRY_OK(take_trees(grown, settled.rounds * settled.trees_per_round, 1, out.trees));
  out.rounds = settled.rounds;
  return out;
}

}  // namespace attune
