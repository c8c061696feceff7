// The kinds that learn when all rows are known: tree, forest, trees (boosted). learn() gathers rows
// as columns, in few bytes; finish() grows the trees. What an id of a field of many is known by
// stands in its row as it was before that row, or before its group where rows compete and those of
// a group come one after another, so that no row sees its own label.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "model/missing_values.h"
#include "model/sigmoid.h"
#include "model/stored_model.h"
#include "model/teaching.h"
#include "model/tree_columns.h"
#include "model/tree_growing.h"

namespace attune {
namespace {

constexpr std::size_t kSampleRows = 20'000;  // from which columns are chosen
constexpr std::size_t kManyRows = 200'000;   // numbers stand for missing ones, leaves are few
constexpr std::size_t kLeavesOfMany = 31, kUsualDepth = 6, kMostDepth = 24;
constexpr std::size_t kRowsOfFewBags = 50'000, kFewBags = 5, kUsualBags = 8;
constexpr std::size_t kBins = 1024, kBinsOfMany = 256;
constexpr std::size_t kRoundsToStopEarly = 300;  // fewer are all made
constexpr int kBits = 26;                        // of ids; those met alone take memory
constexpr float kLeastProbability = 1e-6F;       // of trees whose leaves are shares of yes

// Of every kind, behind those of its own.
#define ATTUNE_TREE_SETTINGS                                                                 \
  {"bins",                                                                                   \
   0,                                                                                        \
   0,                                                                                        \
   4096,                                                                                     \
   "of a column, between which it may be split; 0 = 1024, of 200,000 rows or more 256",      \
   true},                                                                                    \
      {"few", 64, 0, 2000, "a field of more ids is known by their rates and counts", true},  \
      {"prior", 10, 0.01, 1e6, "rows of the mean an id begins with"},                        \
      {"memory_mb", 2048, 1, 1e6, "of gathered rows; beyond it every second one is let go"}, \
      {"threads", 1, 1, 256, "to grow trees with", true},                                    \
      {"value", 0, 0, 1, "1: predicts a number, by squared error; 0: a probability", true},

constexpr Setting kBoostedSettings[] = {
    {"rounds", 0, 0, 100'000,
     "trees at most; 0 = 2000, of more than 50,000 rows fewer: 150 of a million", true},
    {"patience", 40, 0, 10'000,
     "rounds without a lower loss on rows held back, after which it stops; 0 = never", true},
    {"bags", 0, 0, 50,
     "models whose mean counts, each holding back another part of the rows; 0 = 8, of more than "
     "50,000 rows 5; 1 = all rows are learned from again, for the best number of rounds",
     true},
    {"learning_rate", 0, 0, 1,
     "share of a tree that counts; 0 = 0.05, up to 0.1 where rounds are few"},
    {"depth", 0, 0, 24, "splits above a leaf; 0 = 6, or 24 where leaves are counted", true},
    {"leaves", 0, 0, 65'536,
     "of a tree, the best split first; 0 = by depth alone; without depth 31 in every second "
     "model, in all of 200,000 rows",
     true},
    {"min_weight", 1, 0, 1e9, "least p (1 - p) of the rows of a leaf, or rows of a number"},
    {"min_gain", 0, 0, 1e9, "a split lowers the loss by so much"},
    {"l1", 0, 0, 1e6, "draws leaves to 0, by so much"},
    {"l2", 1, 0, 1e6, "draws leaves to 0"},
    {"row_share", 0.8, 0.01, 1, "of the rows, drawn for each tree"},
    {"column_share", 0.6, 0.01, 1, "of the columns, drawn for each tree; four at least"},
    {"ranking", 0, 0, 1, "1: says how rows of a group are ordered (LambdaMART), not how likely",
     true},
    ATTUNE_TREE_SETTINGS};
constexpr Setting kForestSettings[] = {
    {"trees", 300, 1, 10'000, "whose mean counts", true},
    {"depth", 16, 1, 24, "splits above a leaf", true},
    {"min_weight", 5, 0, 1e9, "least rows of a leaf"},
    {"l2", 1, 0, 1e6, "rows of the mean in each leaf"},
    {"row_share", 0.632, 0.01, 1, "of the rows, drawn for each tree"},
    {"column_share", 0.3, 0.01, 1, "of the columns, drawn for each split"},
    ATTUNE_TREE_SETTINGS};
constexpr Setting kTreeSettings[] = {
    {"depth", 6, 1, 24, "splits above a leaf", true},
    {"leaves", 0, 0, 65'536, "at most, the best split first; 0 = by depth alone", true},
    {"min_weight", 20, 0, 1e9, "least rows of a leaf"},
    {"min_gain", 0, 0, 1e9, "a split lowers the squared error by so much"},
    {"l2", 1, 0, 1e6, "rows of the mean in each leaf"},
    ATTUNE_TREE_SETTINGS};
#undef ATTUNE_TREE_SETTINGS

// Settings by name.
class Named {
 public:
  explicit Named(const ModelOptions& options) : options_(options) {}
  double operator[](std::string_view name) const {
    for (const auto& [known, value] : options_.settings) {
      if (known == name) return value;
    }
    CHECK(false);
    return 0;
  }
  std::size_t count(std::string_view name) const { return static_cast<std::size_t>((*this)[name]); }
  bool is_on(std::string_view name) const { return (*this)[name] >= 0.5; }

 private:
  const ModelOptions& options_;
};

bool is_ranking(const ModelOptions& options) {
  return options.kind == "trees" && Named(options).is_on("ranking");
}

TreeGrowing growing_of(const ModelOptions& options) {
  const Named by(options);
  TreeGrowing how;
  how.depth = by.count("depth");
  how.min_weight = by["min_weight"];
  how.l2 = by["l2"];
  how.bins = by.count("bins");
  how.threads = by.count("threads");
  how.seed = options.seed;
  how.is_ranking = is_ranking(options);
  how.is_logistic = options.kind == "trees" && !how.is_ranking && !by.is_on("value");
  if (options.kind == "forest") {
    how.trees_per_round = by.count("trees");
    how.row_share = by["row_share"];
    how.split_column_share = by["column_share"];
    return how;
  }
  how.leaves = by.count("leaves");
  how.min_gain = by["min_gain"];
  if (options.kind == "tree") return how;
  how.rounds = by.count("rounds");
  how.patience = by.count("patience");
  how.bags = by.count("bags");
  how.learning_rate = by["learning_rate"];
  how.l1 = by["l1"];
  how.row_share = by["row_share"];
  how.column_share = by["column_share"];
  return how;
}

TreeColumnOptions column_options_of(const ModelOptions& options) {
  const Named by(options);
  return {options.bits, by.count("few"), by["prior"], by.is_on("value")};
}

// Rows on their way to become trees.
class Gathering {
 public:
  explicit Gathering(const ModelOptions& options)
      : columns_(column_options_of(options)),
        limit_(static_cast<std::uint64_t>(Named(options)["memory_mb"]) << 20),
        has_groups_(is_ranking(options)) {}

  void add(Row row, std::span<const std::uint16_t> fields, float label, float weight,
           std::uint32_t group) {
    if (rows_) return take(row, fields, label, weight, group);
    append(row, fields, label, weight, group, sample_);
    if (sample_.size() == kSampleRows) settle();
  }

  // The rows so far, as columns.
  GatheredRows& rows() {
    if (!rows_) settle();
    learn_group();
    return *rows_;
  }
  TreeColumns& columns() { return columns_; }
  std::size_t memory_bytes() const {
    return columns_.memory_bytes() + (rows_ ? rows_->memory_bytes() : 0) +
           sample_.features.size() * (sizeof(Feature) + 2);
  }

 private:
  static void append(Row row, std::span<const std::uint16_t> fields, float label, float weight,
                     std::uint32_t group, Examples& to) {
    to.features.insert(to.features.end(), row.begin(), row.end());
    to.fields.insert(to.fields.end(), fields.begin(), fields.end());
    to.labels.push_back(label);
    to.weights.push_back(weight);
    to.groups.push_back(group);
    to.ends.push_back(static_cast<std::uint32_t>(to.features.size()));
  }
  void learn_group() {
    for (std::size_t r = 0; r < waiting_.size(); ++r) {
      columns_.learn(waiting_.row(r), waiting_.fields_of(r), waiting_.labels[r],
                     waiting_.weights[r]);
    }
    waiting_.clear();
  }
  void settle() {
    columns_.choose(sample_);
    rows_ = std::make_unique<GatheredRows>(columns_.half(), columns_.size() - columns_.half(),
                                           limit_, has_groups_);
    row_.resize(columns_.size());
    for (std::size_t r = 0; r < sample_.size(); ++r) {
      take(sample_.row(r), sample_.fields_of(r), sample_.labels[r], sample_.weights[r],
           sample_.groups[r]);
    }
    sample_ = {};
  }
  void take(Row row, std::span<const std::uint16_t> fields, float label, float weight,
            std::uint32_t group) {
    if (!has_groups_) {
      columns_.encode(row, fields, row_);
      rows_->add(row_, label, weight);
      return columns_.learn(row, fields, label, weight);
    }
    // Whoever asks for a new group's order knows none of its labels.
    if (!waiting_.groups.empty() && waiting_.groups.back() != group) learn_group();
    columns_.encode(row, fields, row_);
    rows_->add(row_, label, weight, group);
    append(row, fields, label, weight, group, waiting_);
  }

  TreeColumns columns_;
  std::uint64_t limit_;
  bool has_groups_;
  Examples sample_;
  Examples waiting_;  // of the group that is being added
  std::unique_ptr<GatheredRows> rows_;
  std::vector<float> row_;
};

// What boosting leaves to be chosen is chosen by the number of rows: time grows with rows and
// rounds.
void settle_boosting(std::size_t rows, TreeGrowing& how) {
  constexpr double kWork = 1e8;  // rows times rounds
  if (how.rounds == 0) {
    const double most = kWork / static_cast<double>(std::max<std::size_t>(rows, 1));
    how.rounds = static_cast<std::size_t>(std::clamp(most, 150.0, 2000.0));
    if (how.rounds < kRoundsToStopEarly) how.patience = 0;
  }
  if (how.learning_rate == 0) {
    const double least = how.rounds < kRoundsToStopEarly ? 0.07 : 0.05;
    how.learning_rate = std::clamp(15 / static_cast<double>(how.rounds), least, 0.15);
  }
  if (how.bags == 0) how.bags = rows > kRowsOfFewBags ? kFewBags : kUsualBags;
  if (how.depth > 0) return;
  if (how.leaves == 0 && rows >= kManyRows) how.leaves = kLeavesOfMany;
  how.is_mixed = how.leaves == 0 && how.is_logistic;
  how.depth = how.leaves > 0 ? kMostDepth : kUsualDepth;
}

// A tree that sees one of two columns knows nothing of how they act together.
double least_share(std::size_t columns) {
  constexpr double kLeastColumns = 4;
  return std::min(1.0, kLeastColumns / static_cast<double>(std::max<std::size_t>(columns, 1)));
}

Result<GrownTrees> grown_from(GatheredRows& rows, const TreeGrowing& how) {
  if (rows.size() < kManyRows) return grow_trees(rows, how);
  const std::vector<float> numbers = stand_ins(rows);
  rows.fill_missing(numbers);
  TRY(GrownTrees grown, grow_trees(rows, how));
  grown.trees.send_missing(numbers);
  return grown;
}

class TreeModel final : public StoredModel {
 public:
  TreeModel(const ModelOptions& options, std::span<const double> /*values*/)
      : StoredModel(options),
        growing_(growing_of(options)),
        is_value_(Named(options).is_on("value")),
        columns_(column_options_of(options)) {}

  bool is_probability() const override { return !is_value_ && !is_ranking(); }
  bool is_ranking() const override { return growing_.is_ranking; }
  bool adds_logits() const override { return growing_.is_logistic; }
  bool learns_at_end() const override { return true; }
  double bias() const override { return trees_.mean(); }
  std::size_t memory_bytes() const override {
    return trees_.memory_bytes() + columns_.memory_bytes() +
           (gathering_ ? gathering_->memory_bytes() : 0);
  }
  Status usable() const override {
    if (!options().collision_free) return ok_status();
    return Error{
        Code::kInvalid,
        fmt::format("kind {} has no table of weights that could be collision-free", kind()),
        "collision_free", "leave it out"};
  }

  Status use_threads(Threads threads) override {
    if (threads.is_hogwild && threads.count > 1) {
      return Error{Code::kInvalid, fmt::format("{} has no table that threads could share", kind()),
                   "hogwild", "leave it out: --threads alone is as fast as it gets"};
    }
    TRY_OK(can_use_threads(options(), true, threads.count));
    growing_.threads = threads.count > 1 ? threads.count : growing_of(options()).threads;
    return ok_status();
  }

  void predict(const Examples& rows, std::span<float> out) const override {
    std::vector<float> row(columns_.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      columns_.encode(rows.row(r), rows.fields_of(r), row);
      out[r] = said(trees_.sum(row));
    }
  }

  void learn(const Examples& rows, std::span<float> before) override {
    if (trees_.size() > 0) {
      predict(rows, before);
    } else {
      std::fill(before.begin(), before.end(), said(trees_.base()));
    }
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (!teaches(rows, r)) continue;
      if (!gathering_) gathering_ = std::make_unique<Gathering>(options());
      gathering_->add(rows.row(r), rows.fields_of(r), rows.labels[r], rows.weight(r),
                      rows.group(r));
    }
  }

  Status finish() override {
    if (!gathering_) return ok_status();
    GatheredRows& rows = gathering_->rows();
    rows_seen_ = rows.seen();
    rows_kept_ = rows.size();
    // The mean of grades is no rate.
    if (!is_ranking()) gathering_->columns().rate(rows);
    TreeGrowing how = growing_;
    if (how.bins == 0) how.bins = rows.size() < kManyRows ? kBins : kBinsOfMany;
    how.bins = std::max<std::size_t>(how.bins, 2);
    how.column_share = std::max(how.column_share, least_share(rows.columns()));
    if (kind() == "trees") settle_boosting(rows.size(), how);
    TRY(GrownTrees grown, grown_from(rows, how));
    is_unchecked_ = growing_.patience > 0 && how.patience == 0;
    rounds_ = grown.rounds;
    is_still_falling_ = grown.is_still_falling;
    trees_ = std::move(grown.trees);
    columns_ = std::move(gathering_->columns());
    gathering_.reset();
    return ok_status();
  }

  bool is_still_falling() const override { return is_still_falling_; }
  std::vector<std::string> doubts() const override {
    std::vector<std::string> out;
    if (is_still_falling_) {
      out.push_back(
          fmt::format("not converged: the loss still fell in round {}, the last; add --set "
                      "rounds={}",
                      rounds_, 2 * rounds_));
    }
    if (is_unchecked_) {
      out.push_back(
          fmt::format("grown in {} rounds for so many rows, to save time; whether more would help "
                      "was not looked at: --set rounds={}",
                      rounds_, 4 * rounds_));
    }
    if (rows_kept_ < rows_seen_) {
      out.push_back(
          fmt::format("grown from {} of {} rows: more do not fit in memory_mb {:.0f}; add --set "
                      "memory_mb=MB",
                      rows_kept_, rows_seen_, Named(options())["memory_mb"]));
    }
    return out;
  }

  std::vector<float> parts(Row row, std::span<const std::uint16_t> fields) const override {
    std::vector<float> values(columns_.size());
    columns_.encode(row, fields, values);
    std::vector<double> by_column(columns_.size()), by_feature(row.size());
    trees_.attribute(values, by_column);
    const double left = columns_.attribute(row, fields, by_column, by_feature);
    std::vector<float> out(by_feature.begin(), by_feature.end());
    out.push_back(static_cast<float>(left));
    return out;
  }

  bool restore(ModelSource& source) override {
    rounds_ = source.reader.varint();
    const std::uint8_t flags = source.reader.u8();
    const bool has_rates = (flags & 4) != 0;
    is_still_falling_ = (flags & 1) != 0;
    is_unchecked_ = (flags & 2) != 0;
    rows_seen_ = source.reader.varint();
    rows_kept_ = source.reader.varint();
    return columns_.restore(source.reader, has_rates) &&
           trees_.restore(source.reader, columns_.size());
  }

 protected:
  void encode_state(ModelSink& sink) const override {
    Writer w(sink.out);
    w.varint(rounds_);
    w.u8(static_cast<std::uint8_t>(4 + (is_still_falling_ ? 1 : 0) + (is_unchecked_ ? 2 : 0)));
    w.varint(rows_seen_);
    w.varint(rows_kept_);
    columns_.encode(sink.out);
    trees_.encode(sink.out);
  }

 private:
  bool teaches(const Examples& rows, std::size_t r) const {
    const Row row = rows.row(r);
    return is_label(rows.labels[r], is_probability()) && is_row_weight(rows.weight(r)) &&
           std::all_of(row.begin(), row.end(),
                       [](const Feature& f) { return std::abs(f.value) <= kMaxFeatureValue; });
  }
  float said(double sum) const {
    if (!is_probability()) return static_cast<float>(sum);
    if (growing_.is_logistic) return probability(static_cast<float>(sum));
    return std::clamp(static_cast<float>(sum), kLeastProbability, 1 - kLeastProbability);
  }

  TreeGrowing growing_;
  bool is_value_;
  std::unique_ptr<Gathering> gathering_;
  // Of the last finish():
  TreeColumns columns_;
  TreeEnsemble trees_;
  std::size_t rounds_ = 0;
  bool is_still_falling_ = false, is_unchecked_ = false;
  std::uint64_t rows_seen_ = 0, rows_kept_ = 0;
};

std::unique_ptr<StoredModel> make_trees(const ModelOptions& options,
                                        std::span<const double> values) {
  return std::make_unique<TreeModel>(options, values);
}

}  // namespace

bool is_tree_kind(std::string_view kind) {
  return kind == "tree" || kind == "forest" || kind == "trees";
}

const KindRow kTreeKind{
    {"tree", "one decision tree: leaves of rows alike", kTreeSettings, false, kBits}, make_trees};
const KindRow kForestKind{
    {"forest", "random forest: the mean of trees grown on draws (Breiman 2001)", kForestSettings,
     false, kBits},
    make_trees};
const KindRow kTreesKind{
    {"trees", "boosted trees, each mending those before (Chen and Guestrin 2016)", kBoostedSettings,
     false, kBits},
    make_trees};

}  // namespace attune
