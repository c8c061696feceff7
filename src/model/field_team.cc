// FieldModel on several threads: of each mini-batch every member takes some rows, reads the table
// and learns what the interaction says; then each steps the rows of the table, and the dense
// weights, that are its own (table_shares.h), in the order of the batch. The same rows and members
// give the same bits. Beside learning on one thread: gradients of dense weights are summed in
// another order, and an id seen for the first time is predicted from a vector of zeros.
#include <algorithm>

#include "base/team.h"
#include "model/field_model.h"
#include "model/sigmoid.h"
#include "model/start_vector.h"
#include "model/table_shares.h"
#include "model/teaching.h"

namespace attune {

struct FieldModel::Teamwork {
  // Of the features of a row that are a member's.
  struct Own {
    std::vector<Feature> features;  // `size` of them, and slack
    std::size_t size = 0;
    Gathered row;
  };
  struct alignas(64) Member {
    Pass pass;                 // of its rows of the batch
    std::vector<Push> pushes;  // of each
    std::size_t first = 0;     // of its rows, in the block
    std::size_t taught = 0;    // of them
    std::array<Own, 2> own;    // of the row that is stepped and of the next, in turn
    TableCounts counts;
    Adam adam{0, 0, 0, 0};  // each has one, in step
  };
  explicit Teamwork(std::size_t size) : team(size) {
    for (std::size_t m = 0; m < size; ++m) members.push_back(std::make_unique<Member>());
  }
  struct alignas(64) Task {
    const Examples& rows;
    std::span<float> before;
    TableShares shares;
  };
  Team team;
  std::unique_ptr<const Task> task;  // in lines that no member writes
  std::vector<std::unique_ptr<Member>> members;
};

void FieldModel::EndTeamwork::operator()(Teamwork* team) const { delete team; }

Status FieldModel::use_threads(std::size_t count) {
  team_.reset();
  for (AdamWeights* const weights : dense()) weights->share(1);
  if (count == 1) return ok_status();
  TRY_OK(can_use_threads(options(), table_.is_hashed() && !joint_.is_joint(), count));
  team_.reset(new Teamwork(count));
  for (AdamWeights* const weights : dense()) weights->share(count);
  for (std::size_t m = 0; m < count; ++m) team_->members[m]->pass.batch.member = m;
  return ok_status();
}

void FieldModel::learn_together(const Examples& rows, std::span<float> before) {
  for (const auto& member : team_->members) member->adam = adam_;
  team_->task = std::make_unique<const Teamwork::Task>(
      Teamwork::Task{rows, before, TableShares(rows, team_->team.size())});
  const std::size_t batches = (rows.size() + batch_ - 1) / batch_;
  team_->team.run(2 * batches, [this](std::size_t phase, std::size_t m) {
    const auto& [all, said, shares] = *team_->task;
    const std::size_t begun = phase / 2 * batch_;
    if (phase % 2 == 0) {
      read_share(m, all, begun, std::min(all.size(), begun + batch_), said);
    } else {
      step_share(m, all, shares);
    }
  });
  adam_ = team_->members[0]->adam;
  for (const auto& member : team_->members) table_.add(std::exchange(member->counts, {}));
}

// Nothing that members share is changed.
void FieldModel::read_share(std::size_t m, const Examples& rows, std::size_t begun, std::size_t end,
                            std::span<float> before) {
  const std::size_t size = team_->team.size();
  std::size_t each = (end - begun + size - 1) / size;
  if (each >= 4) each = (each + 3) / 4 * 4;  // what kernels take at once
  Teamwork::Member& me = *team_->members[m];
  me.first = std::min(begun + m * each, end);
  const std::size_t count = std::min(each, end - me.first);
  FieldBatch& batch = me.pass.batch;
  begin(me.pass, count);
  me.pushes.resize(count);
  me.taught = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t r = me.first + i;
    if (r + batch_ < rows.size()) {
      for (const Feature& f : rows.row(r + batch_)) table_.prefetch_to_read(f.hash);
    }
    Gathered& row = me.pass.rows[i];
    const bool is_allowed = table_.find(rows.row(r), row.found);
    row.is_allowed = is_allowed && is_label(rows.labels[r], true) && is_row_weight(rows.weight(r));
    me.taught += row.is_allowed ? 1 : 0;
    table_.pad(row.found);
    place(rows, r, row);
    gather(row, me.pass, i);
  }
  if (count == 0) return;
  interaction_->forward(batch);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t r = me.first + i;
    before[r] = probability(batch.logits[i]);
    if (!me.pass.rows[i].is_allowed) continue;
    const float weight = rows.weight(r);
    me.pushes[i] = {before[r] - rows.labels[r], weight, weight, rows.labels[r]};
    batch.errors[i] = me.pushes[i].error * me.pushes[i].weight;
    add_rate_gradient(me.pass.rows[i], me.pushes[i], m);
  }
  if (me.taught > 0) interaction_->backward(batch);
}

// The features of one row that are the member's: found, taken if new, and wanted in its cache.
void FieldModel::find_own(std::size_t m, const Examples& rows, std::size_t r,
                          const TableShares& shares, std::size_t turn) {
  Teamwork::Own& own = team_->members[m]->own[turn];
  const Row row = rows.row(r);
  const std::size_t most = row.size() + std::max(FeatureTable::kSlack, TableShares::kRoom);
  if (own.features.size() < most) own.features.resize(most);
  own.row.fields.resize(row.size());
  own.size = shares.take(m, row, own.features.data());
  shares.take_fields(m, row, rows.fields_of(r), own.row.fields.data());
  for (const Feature& f : Row(own.features).first(own.size)) table_.prefetch(f.hash);
  if (own.size == 0) return;
  std::fill_n(own.features.data() + own.size, FeatureTable::kSlack, own.features[0]);
}

void FieldModel::step_share(std::size_t m, const Examples& rows, const TableShares& shares) {
  Teamwork::Member& me = *team_->members[m];
  std::size_t taught = 0;
  for (const auto& member : team_->members) taught += member->taught;
  if (taught == 0) return;
  for (const auto& member : team_->members) {
    const std::size_t count = member->pass.batch.rows;
    if (count > 0) find_own(m, rows, member->first, shares, 0);
    for (std::size_t i = 0; i < count; ++i) {
      if (i + 1 < count) find_own(m, rows, member->first + i + 1, shares, (i + 1) % 2);
      if (!member->pass.rows[i].is_allowed) continue;
      const Push& push = member->pushes[i];
      Teamwork::Own& own = me.own[i % 2];
      step_own(Row(own.features).first(own.size), own.row, me.counts,
               &member->pass.batch.slopes[i * member->pass.batch.row_chunks()], push);
      if (m == 0) count_row(push);
    }
  }
  step_dense(m, 1 / static_cast<float>(taught));
}

void FieldModel::step_own(Row features, Gathered& row, TableCounts& counts, const Float8* slopes,
                          const Push& push) {
  table_.take_own(features, row.found, counts);
  for (const auto& [at, hash] : row.found.fresh) {
    start_vector(at + head_, numbers_, deviation_, options().seed, hash);
  }
  table_.pad(row.found);
  for (std::uint16_t& field : row.fields) field = std::min(field, last_field());
  row.fields.resize(row.found.count);
  for (std::size_t i = 0; i < row.found.count; i += 8) step_group(row, i, slopes, push);
}

// Its own part of all dense weights.
void FieldModel::step_dense(std::size_t m, float scale) {
  Adam& adam = team_->members[m]->adam;
  adam.begin();
  const std::size_t size = team_->team.size();
  for (AdamWeights* const weights : dense()) {
    const std::size_t each = (weights->w.size() / size + 16) / 16 * 16;
    const std::size_t begin = std::min(m * each, weights->w.size());
    const std::size_t end = std::min(begin + each, weights->w.size());
    adam.step(*weights, scale, begin, end);
  }
}

}  // namespace attune
