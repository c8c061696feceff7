// GroupLearning: a team learns from rows in groups of kGroup. Every row of a group is predicted
// from the weights before the group; then each member changes the rows of the table that are its
// own, in the order of the rows. The same rows and members give the same bits, whichever thread is
// faster. For kinds that otherwise learn row by row; only of hashed tables.
//
// A Kind has
//   Part: what a member's features add to the prediction of a row; +=
//   look(found, member): a Part of these rows of the table, padded here; member 0 adds the bias
//   predict(part): of the sum of the parts
//   step(found, i, all, error, weight): the eight of `found` from i on
//   start(found): rows just taken
//   step_bias(error, weight): after a row, of member 0 alone
//   kIsProbability, error(prediction, label)
#pragma once
#include <array>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/team.h"
#include "model/feature_table.h"
#include "model/table_shares.h"
#include "model/teaching.h"

namespace attune {

template <class Kind>
class GroupLearning {
 public:
  explicit GroupLearning(std::size_t members) : team_(members) {
    for (std::size_t m = 0; m < members; ++m) members_.push_back(std::make_unique<Member>());
  }

  void learn(Kind kind, FeatureTable& table, const Examples& rows, std::span<float> before) {
    const std::size_t groups = (rows.size() + kGroup - 1) / kGroup;
    task_ = std::make_unique<const Task>(
        Task{kind, table, rows, before, TableShares(rows, team_.size()), groups});
    team_.run(groups + 1, [this](std::size_t g, std::size_t m) {
      if (g > 0) step_group(m, *task_, g - 1);
      if (g < task_->groups) look_at_group(m, *task_, g);
    });
    for (const auto& member : members_) table.add(std::exchange(member->counts, {}));
  }

 private:
  static constexpr std::size_t kGroup = 16;
  static constexpr std::size_t kBehind = std::max(FeatureTable::kSlack, TableShares::kRoom);
  using Part = typename Kind::Part;

  struct alignas(64) Task {
    Kind kind;
    FeatureTable& table;
    const Examples& rows;
    std::span<float> before;
    const TableShares shares;
    std::size_t groups;
  };
  // The features of a group that are a member's.
  struct Own {
    std::vector<Feature> features;  // `size` of them, and slack
    std::size_t size = 0;
    std::array<std::size_t, kGroup + 1> ends{};  // row r has [ends[r], ends[r + 1])
    std::array<bool, kGroup> teaches{};
    Row all() const { return Row(features).first(size); }
    Row row(std::size_t r) const { return Row(features).subspan(ends[r], ends[r + 1] - ends[r]); }
  };
  struct alignas(64) Member {
    std::array<Own, 2> own;  // of this group and the next, in turn
    std::array<FoundRows, kGroup> found;
    std::array<std::array<Part, kGroup>, 2> parts;  // in turn: a group is one phase
    TableCounts counts;
  };

  static void choose(std::size_t m, const Task& task, std::size_t begin, Own& own) {
    const Examples& rows = task.rows;
    const std::size_t end = std::min(begin + kGroup, rows.size());
    const std::size_t most = begin == end ? 0 : rows.ends[end - 1] - rows.begin_of(begin) + kBehind;
    if (own.features.size() < most) own.features.resize(most);
    own.size = 0;
    for (std::size_t r = begin; r < end; ++r) {
      const Row row = rows.row(r);
      const bool is_allowed = are_allowed(row);
      own.teaches[r - begin] = is_allowed && is_label(rows.labels[r], Kind::kIsProbability) &&
                               is_row_weight(rows.weight(r));
      if (is_allowed) own.size += task.shares.take(m, row, own.features.data() + own.size);
      own.ends[r - begin + 1] = own.size;
    }
    if (own.size == 0) return;
    std::fill_n(own.features.data() + own.size, FeatureTable::kSlack, own.features[0]);
  }

  void look_at_group(std::size_t m, const Task& task, std::size_t g) {
    Member& me = *members_[m];
    if (g == 0) {
      choose(m, task, 0, me.own[0]);
      for (const Feature& f : me.own[0].all()) task.table.prefetch(f.hash);
    }
    choose(m, task, std::min((g + 1) * kGroup, task.rows.size()), me.own[(g + 1) % 2]);
    for (std::size_t r = 0; r < rows_of(task, g); ++r) {
      me.parts[g % 2][r] = look(m, task, g % 2, r);
    }
  }

  void step_group(std::size_t m, const Task& task, std::size_t g) {
    const Own& next = members_[m]->own[(g + 1) % 2];
    Row ahead = next.all();
    for (std::size_t r = 0; r < rows_of(task, g); ++r) {
      ahead = prefetched(task.table, ahead, next.ends[r + 1] - next.ends[r]);
      step(m, task, g % 2, r, g * kGroup + r);
    }
  }

  static std::size_t rows_of(const Task& task, std::size_t g) {
    return std::min(kGroup, task.rows.size() - g * kGroup);
  }

  // A few of the rows to come while one is learned from: the memory has only so many requests under
  // way. What is left.
  static Row prefetched(const FeatureTable& table, Row ahead, std::size_t few) {
    few = std::min(few, ahead.size());
    for (const Feature& f : ahead.first(few)) table.prefetch(f.hash);
    return ahead.subspan(few);
  }

  Part look(std::size_t m, const Task& task, std::size_t turn, std::size_t r) {
    Member& me = *members_[m];
    const Own& own = me.own[turn];
    FoundRows& found = me.found[r];
    if (own.teaches[r]) {
      task.table.take_own(own.row(r), found, me.counts);
      task.kind.start(found);
    } else {
      (void)task.table.find(own.row(r), found);
    }
    return task.kind.look(found, m);
  }

  void step(std::size_t m, const Task& task, std::size_t turn, std::size_t r, std::size_t row) {
    Part all = members_[0]->parts[turn][r];
    for (std::size_t other = 1; other < members_.size(); ++other) {
      all += members_[other]->parts[turn][r];
    }
    const float p = task.kind.predict(all);
    if (m == 0) task.before[row] = p;
    if (!members_[m]->own[turn].teaches[r]) return;
    FoundRows& found = members_[m]->found[r];
    const float error = task.kind.error(p, task.rows.labels[row]), weight = task.rows.weight(row);
    for (std::size_t i = 0; i < found.count; i += 8) {
      task.kind.step(found, i, all, error, weight);
    }
    if (m == 0) task.kind.step_bias(error, weight);
  }

  Team team_;
  std::unique_ptr<const Task> task_;  // in lines that no member writes
  std::vector<std::unique_ptr<Member>> members_;
};

// Makes or ends the team of a model that can have one.
template <class Team>
Status share(const Model& model, bool can_share, std::size_t threads, std::unique_ptr<Team>& team) {
  team.reset();
  if (threads == 1) return ok_status();
  TRY_OK(can_use_threads(model.options(), can_share, threads));
  team = std::make_unique<Team>(threads);
  return ok_status();
}

}  // namespace attune
