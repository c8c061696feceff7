// JournalHeads: the heads of a model learned by verb from a journal: whether there is anything to
// learn of each, and how good each is on the rows tested on, beside a model that learned that verb
// alone. One thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "learn/block_source.h"
#include "learn/joint_scores.h"
#include "learn/trained.h"

namespace attune {

class JournalHeads {
 public:
  // tasks: not empty, by verb.
  explicit JournalHeads(std::vector<TaskOptions> tasks)
      : tasks_(std::move(tasks)), yes_(tasks_.size()) {}
  void count(const Examples& block);
  // Of the rows counted. kInvalid: a verb never happened, or always, so that a head of it would
  // tell nothing.
  Status check(const std::string& workspace) const;
  double rate(std::size_t task) const {
    return static_cast<double>(yes_[task]) / static_cast<double>(rows_);
  }

  // Each block of the rows tested on, and what the trained model says of its first task, before
  // calibration.
  void begin_test(const ModelOptions& options);
  std::vector<float> test(const Trained& trained, const Examples& block);
  // The same rows once more, for a model that learned one task alone.
  void test_alone(std::size_t task, const Trained& trained, const Trained& alone,
                  const Examples& block);
  // learned: the parts of the loss while it learned. None of one task without a second loss.
  std::optional<JointReport> report(JointParts learned);

 private:
  std::vector<TaskOptions> tasks_;
  std::vector<std::uint64_t> yes_;
  std::uint64_t rows_ = 0;
  std::optional<JointScores> scores_;
};

// The rows of another source with one of their labels: what a model of that task alone learns from.
class OneTask final : public BlockSource {
 public:
  OneTask(BlockSource& rows, std::size_t task) : rows_(rows), task_(task) {}
  Status begin(std::size_t pass) override { return rows_.begin(pass); }
  Result<bool> next(Examples& out) override;
  double share() const override { return rows_.share(); }

 private:
  BlockSource& rows_;
  std::size_t task_;
};

}  // namespace attune
