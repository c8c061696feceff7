// ReplicatedModel: a model that several threads can teach. Each learns rows of its own on a whole
// replica of the model, as one thread would; after some thousands of rows what the replicas learned
// is brought together, and all are the same again. Nothing is shared meanwhile: a
// line of the cache that two cores take from each other costs more than most rows do.
//   What few rows of a replica taught (weights and vectors of rare ids) adds up. What many taught
//   is averaged, for each replica has gone all of the way by itself: biases, dense weights
//   (McDonald et al. 2010), and ids used some hundreds of times since the last merge. Counts and
//   sums of squares add up always.
// The same rows and threads give the same bits. With Threads::is_hogwild replicas have one table
// (feature_table.h), and bits differ: of the rows taken first, of the ids used most, each has its
// own, which are brought together; the other rows all write into. The rest is as above.
// One thread at a time may call it.
#pragma once
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "model/adam.h"
#include "model/feature_table.h"
#include "model/stored_model.h"

namespace attune {

class ReplicatedModel : public StoredModel {
 public:
  explicit ReplicatedModel(ModelOptions options);
  ~ReplicatedModel() override;
  void learn(const Examples& rows, std::span<float> before) final;
  void learn_blocks(std::span<const Examples> blocks, std::span<std::vector<float>> before) final;
  std::size_t blocks_at_once() const final;
  attune::Team* team() final;
  Status use_threads(Threads threads) final;

 protected:
  // What a head learns beside its table and dense weights.
  struct Numbers {
    double bias = 0, squares = 0;  // and its sum of squared gradients
    double rows = 0, ones = 0;     // counted
  };
  // What of a row of the table is what.
  struct RowParts {
    std::size_t squares = 0;      // which float sums the squared gradients of its weight
    std::size_t note = 0;         // which float the model does not use
    std::vector<bool> is_weight;  // of each float: it may be averaged; the others add up
  };

  // One thread, rows [begin, end). before is of all rows.
  virtual void learn_range(const Examples& rows, std::size_t begin, std::size_t end,
                           std::span<float> before) = 0;
  virtual bool can_be_replicated() const = 0;
  virtual std::size_t mini_batch() const = 0;  // rows; not cut where it need not be
  virtual FeatureTable& table() = 0;
  virtual RowParts row_parts() const = 0;
  virtual std::vector<Numbers> numbers() const = 0;  // of each head
  virtual void set(std::span<const Numbers> numbers) = 0;
  // Adds to what it counted of its joint loss what another replica did, which forgets it.
  virtual void take_losses(ReplicatedModel& of) = 0;
  // What a row just taken by this id starts with; it is all zeros.
  virtual void start_row(float* row, std::uint32_t hash) const = 0;
  virtual std::vector<AdamWeights*> dense() = 0;
  virtual std::array<double, 2>& adam_powers() = 0;

 private:
  struct Team;
  void offer(const Team& team, std::size_t learners);
  std::span<const float> offered() const { return std::span(changes_).first(offered_); }
  void absorb(std::span<const float> changes, bool is_first, std::size_t note);
  void take_back(std::size_t changed, std::uint32_t first, std::size_t note);
  void add_own(std::size_t note);
  class Words;

  std::unique_ptr<Team> team_;
  std::vector<Numbers> at_merge_;
  std::vector<float> changes_;             // what was learned, of each changed row
  std::size_t offered_ = 0;                // floats of it
  std::vector<std::uint32_t> taken_back_;  // changed rows that others changed before
};

}  // namespace attune
