// Model: what everything that learns from Examples can do; one call a block of rows, so that a
// virtual call costs nothing. predict() and parts() are const and safe to share; the rest is one
// thread's. The contract every kind keeps is tests/contract/model_test.cc.
#pragma once
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/byte_sink.h"
#include "model/examples.h"

namespace attune {

class Team;

// A task of a model that learns several, each with a head of its own: what it is called, and how
// much its log loss counts in the joint one.
struct TaskOptions {
  std::string name;
  double weight = 1;  // in (0, 1000]
};
inline constexpr std::size_t kMostTasks = 16;
struct SecondLossOptions {
  std::string name;   // of second_loss_kinds(), model/second_loss.h
  double weight = 0;  // in [0, 1000]; 0 = there is none
};

// A field whose features are in order, the newest first, and are ids of another field: what a
// person had before, beside what is offered now.
struct SequenceField {
  std::uint16_t field = 0;
  std::uint16_t like = 0;  // the field the ids are of
  std::uint32_t turn = 0;  // an id ^ turn is that of the other field
  bool operator==(const SequenceField&) const = default;
};
inline constexpr std::size_t kMostSequences = 64;

struct ModelOptions {
  std::string kind = "ftrl";
  int bits = 0;            // tables of 2^bits rows, in [8, 28]; 0 = as the kind has it
  std::uint64_t seed = 1;  // same seed, same bits
  std::size_t inputs = 0;  // fields of a row, at most kMostInputs; for kinds that read fields
  // Settings by name ("alpha", "k", "learning_rate", ...); unknown ones are refused.
  std::vector<std::pair<std::string, double>> settings{};
  // A row of the table for each id, found by the whole 32-bit hash, instead of hash & mask.
  bool collision_free = false;
  // What follows holds for collision_free alone.
  std::uint32_t admit_after = 1;   // an id gets its row when it is seen for the n-th time
  std::uint64_t expire_rows = 0;   // ids not seen for so many learned rows are dropped; 0 = never
  std::uint64_t memory_bytes = 0;  // of the table, instead of 2^bits rows; then the longest unseen
                                   // id gives way to a new one; 0 = by bits
  // The tasks, the one of Examples::labels first; empty = one without a name. Of kinds with
  // ModelKind::takes_tasks.
  std::vector<TaskOptions> tasks{};
  SecondLossOptions second_loss{};
  // Of kinds over fields: what these fields hold shares the vectors of the field it is like, and
  // has no weight and no rate of its own. Ascending; no field is like one of them.
  std::vector<SequenceField> sequences{};
};
inline constexpr std::size_t kMostInputs = 65'536;
inline constexpr std::size_t kMostThreads = 8;  // a model learns on

// A part of the loss of a model of several tasks: its mean over rows, and its stated weight.
struct LossPart {
  std::string name = {};
  double weight = 1;
  double sum = 0, rows = 0;  // by weight of the rows
  double mean() const { return rows == 0 ? 0 : sum / rows; }
};
// L = sum of weight * mean over the tasks and the second loss.
struct JointParts {
  std::vector<LossPart> tasks = {};
  std::optional<LossPart> second = {};
  double total() const;
};

// What became of the ids a model was shown. All 0 for a model without a table.
struct TableCounts {
  std::uint64_t capacity = 0;     // rows there are
  std::uint64_t rows = 0;         // rows taken
  std::uint64_t collisions = 0;   // hashed: about how many ids share a row with an earlier one
  std::uint64_t shared_uses = 0;  // hashed: how often a row was learned from by another id than its
                                  // first
  std::uint64_t waiting_uses = 0;  // uses of ids that were not (yet) admitted
  std::uint64_t evicted = 0;       // ids that gave way to others for want of memory
  std::uint64_t expired = 0;       // ids dropped as not seen for expire_rows
};

// That learn a model together.
struct Threads {
  std::size_t count = 1;
  // All write into one table and none waits (Hogwild): faster, and other bits each time. Else the
  // same rows and threads give the same bits.
  bool is_hogwild = false;
};

class Model {
 public:
  virtual ~Model() = default;
  // As made, with every setting of the kind named.
  virtual const ModelOptions& options() const = 0;
  std::string_view kind() const { return options().kind; }  // "ftrl", "fm", "mlp", "linear", ...
  virtual bool is_probability() const = 0;                  // else predict() gives values
  // Whether what predict() gives are scores: their order inside a group (Examples::groups) is all
  // they mean. Then is_probability() is false.
  virtual bool is_ranking() const { return false; }
  // out[r] = P(label = 1) of row r, or its expected value; out.size() == rows.size(). A row with a
  // value that is not finite or beyond kMaxFeatureValue counts as empty.
  virtual void predict(const Examples& rows, std::span<float> out) const = 0;
  std::size_t heads() const { return std::max<std::size_t>(options().tasks.size(), 1); }
  // Of every task: out is (rows.size(), heads()), the first column what predict() says.
  virtual void predict_heads(const Examples& rows, std::span<float> out) const {
    predict(rows, out);
  }
  // Of the rows learned from since the model was made or decoded, each before it was. Empty of
  // one task without a second loss.
  virtual JointParts joint_parts() const { return {}; }
  // Learns from the rows in order; before[r] = what was predicted of row r before it (or its
  // mini-batch) was learned from. A row teaches nothing when its label, weight or a value is not
  // finite, a value is beyond kMaxFeatureValue, the weight is not above 0, or the label of a
  // probability is not in [0, 1]. Of several tasks those whose label is known are learned from.
  virtual void learn(const Examples& rows, std::span<float> before) = 0;
  // The same of several blocks, in order; before[b] has the size of block b.
  virtual void learn_blocks(std::span<const Examples> blocks,
                            std::span<std::vector<float>> before) {
    for (std::size_t b = 0; b < blocks.size(); ++b) learn(blocks[b], before[b]);
  }
  // How many of some 1000 rows are best given to learn_blocks(): several on several threads.
  virtual std::size_t blocks_at_once() const { return 1; }
  // The threads it learns on, for other work between two calls; null when it uses the caller's
  // alone.
  virtual Team* team() { return nullptr; }
  // learn() uses so many threads from now on, the caller's included; 1, as made, ends the others.
  // predict() always stays on the caller's. kInvalid beyond kMostThreads, and of a model that
  // learns on one thread.
  virtual Status use_threads(Threads threads);
  // Whether it only gathers what learn() is given and becomes a model in finish(), of everything
  // since the one before: tree kinds. Until then it says of every row what it said before, and what
  // is gathered is not written.
  virtual bool learns_at_end() const { return false; }
  // Ends learning, for now. kUnavailable: what is gathered could not be learned from.
  virtual Status finish() { return ok_status(); }
  // Of kinds that learn at the end: whether more rounds than were allowed would have helped.
  virtual bool is_still_falling() const { return false; }
  // What learning gave reason to doubt, in words.
  virtual std::vector<std::string> doubts() const { return {}; }
  // Additive parts of a row's logit (or value), one per feature; with bias() they sum to it. One
  // more where features that a row does not have count too: what those come to (tree kinds).
  // Empty where the model has no exact ones (mlp).
  virtual std::vector<float> parts(Row row, std::span<const std::uint16_t> fields) const = 0;
  virtual double bias() const = 0;
  // Whether parts of a probability sum to its logit, or to itself (tree, forest).
  virtual bool adds_logits() const { return is_probability(); }
  virtual TableCounts counts() const { return {}; }
  virtual std::size_t memory_bytes() const = 0;  // it holds now
  // Once every row of its table is taken.
  virtual std::size_t most_memory_bytes() const { return memory_bytes(); }
  // Canonical and complete: continuing after decode_model equals never having stopped.
  virtual void write(ByteSink& to) const = 0;
  void encode(std::string& out) const;  // the same, appended
};

// kInvalid for an unknown kind or setting (the hint names the nearest) and for values out of range.
Result<std::unique_ptr<Model>> make_model(const ModelOptions& options);
// kCorrupt for damage, kInvalid for a newer version. With an owner of the bytes, which must be
// writable and aligned to 64, large tables stay where they are: nothing is copied.
Result<std::unique_ptr<Model>> decode_model(std::string_view bytes,
                                            std::shared_ptr<void> owner = nullptr);

// A setting of a kind: what help and checks are made of.
struct Setting {
  std::string_view name;
  double preset = 0;
  double low = 0, high = 0;  // allowed, both ends included
  std::string_view meaning;
  bool is_whole = false;  // a whole number
};
struct ModelKind {
  std::string_view name, summary;
  std::span<const Setting> settings;
  // Whether it reads which field a feature is of: then options.inputs must be given.
  bool reads_fields = false;
  int bits = 22;             // of its table when nobody says
  bool takes_tasks = false;  // several, and a second loss
  bool takes_sequences = false;
  bool needs_sequences = false;  // at least one
};
std::vector<ModelKind> model_kinds();
bool takes_tasks(std::string_view kind);      // false for an unknown one
bool reads_fields(std::string_view kind);     // false for an unknown one, and mlp
bool takes_sequences(std::string_view kind);  // false for an unknown one
bool needs_sequences(std::string_view kind);  // false for an unknown one
// Whether it grows trees (tree, forest, trees): learns_at_end(), and numbers need no bins.
bool is_tree_kind(std::string_view kind);

}  // namespace attune
