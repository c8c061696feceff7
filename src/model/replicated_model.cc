#include "model/replicated_model.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>

#include "base/prefetch_line.h"
#include "base/team.h"

namespace attune {
namespace {

// Rows a replica learns between two merges: few while the model still moves fast, for its replicas
// part. More mean fewer ids to bring together (each is once, however often it was used). Replicas
// that share their rows and have no layers part less, and lose time wherever they meet.
constexpr std::size_t kMostRows = 4096, kMostSharedRows = 8192;
constexpr std::size_t kWeightsOfLayers = 4096;  // dense ones; kinds without layers have fewer
constexpr double kShareOfSeen = 0.05;
constexpr double kAloneRows = 2048;   // the first learns first, for so many rows
constexpr double kRowsOfSquares = 4;  // about how many rows make a sum of squared gradients of 1
constexpr float kOften = 64;          // squared gradients between two merges: some 500 uses
constexpr std::size_t kAhead = 8;     // changed rows, so that memory is there in time
constexpr std::size_t kRowsOfABlock = 1024;  // about: as many blocks are wanted as make a round
constexpr std::size_t kFloatsOfALine = 16;
bool is_alone(double seen) { return seen < kAloneRows; }

// Of a shared table: rows that each replica has for itself, and the memory they may take.
constexpr std::size_t kMostOwnRows = 2048, kMostOwnBytes = 1 << 20;

std::uint32_t most_own_rows(const FeatureTable& table) {
  const std::size_t by_bytes = kMostOwnBytes / (table.width() * sizeof(float));
  return static_cast<std::uint32_t>(std::min(kMostOwnRows, by_bytes));
}

// Floats of a row, four at a time: change becomes (row - before) * share, without shares
// row - before, and row what before and change make of it in every replica.
void take_change(float* row, const float* before, float* change, const float* shares,
                 std::size_t width) {
  for (std::size_t c = 0; c < width; c += 4) {
    const __m128 was = _mm_loadu_ps(before + c);
    __m128 by = _mm_sub_ps(_mm_loadu_ps(row + c), was);
    if (shares != nullptr) by = _mm_mul_ps(by, _mm_loadu_ps(shares + c));
    _mm_storeu_ps(row + c, _mm_add_ps(was, by));
    _mm_storeu_ps(change + c, by);
  }
}

void add_changes(const float* changes, float* row, std::size_t width) {
  for (std::size_t c = 0; c < width; c += 4) {
    _mm_storeu_ps(row + c, _mm_add_ps(_mm_loadu_ps(row + c), _mm_loadu_ps(changes + c)));
  }
}

struct Same {
  std::array<float*, kMostThreads> of;  // of each replica
  std::size_t replicas, learners;
};
// Numbers [begin, end) of each become the mean of the learners'; where all are the same they stay
// so to the bit.
void average(const Same& all, std::size_t begin, std::size_t end) {
  constexpr std::size_t kAtOnce = 256;
  const float share = 1.0F / static_cast<float>(all.learners);
  std::array<float, kAtOnce> mean;
  for (; begin < end; begin += kAtOnce) {
    const std::size_t n = std::min(kAtOnce, end - begin);
    const float* const first = all.of[0] + begin;
    std::fill_n(mean.begin(), n, 0.0F);
    for (std::size_t m = 1; m < all.learners; ++m) {
      for (std::size_t i = 0; i < n; ++i) mean[i] += all.of[m][begin + i] - first[i];
    }
    for (std::size_t i = 0; i < n; ++i) mean[i] = first[i] + mean[i] * share;
    for (std::size_t m = 0; m < all.replicas; ++m) std::copy_n(mean.begin(), n, all.of[m] + begin);
  }
}

}  // namespace

struct ReplicatedModel::Team {
  struct Rows {
    std::size_t begin = 0, end = 0;  // of all that are given at once
  };
  struct Round {
    std::array<Rows, kMostThreads> rows;  // of each member
    std::size_t members = 0;              // that have some: the first ones
  };
  // What members read while they work, and none writes.
  struct Task {
    std::span<const Examples> blocks;
    std::span<std::vector<float>> before;
    std::vector<std::size_t> ends;  // of each block, in rows
    std::vector<Round> rounds;
  };

  Team(Threads threads, ReplicatedModel& first)
      : team(threads.count), is_hogwild(threads.is_hogwild), replicas{&first} {}
  std::size_t most_rows() const;
  void cut(double seen);
  void run(std::size_t begin, std::size_t end);
  void learn(std::size_t round, std::size_t member);
  void merge(std::size_t round, std::size_t member);
  void bring_rows_together(std::size_t member);
  void divide_rows();
  void bring_own_rows_together(std::size_t member, std::size_t learners);
  void bring_together(const Same& all, float* before) const;
  void average(std::size_t member, std::size_t learners);
  void add_numbers(std::size_t learners);

  attune::Team team;
  const bool is_hogwild;
  std::vector<std::unique_ptr<Model>> others;
  std::vector<ReplicatedModel*> replicas;  // the model itself, then the others
  // By what a change of each float counts in a row that many rows taught, of so many learners.
  std::array<std::vector<float>, kMostThreads + 1> often;
  RowParts parts;
  std::vector<float> own_rows;  // of a shared table: as all had them after the last merge
  alignas(64) Task task;
};

ReplicatedModel::ReplicatedModel(ModelOptions options) : StoredModel(std::move(options)) {}
ReplicatedModel::~ReplicatedModel() = default;

Status ReplicatedModel::use_threads(Threads threads) {
  TRY_OK(can_use_threads(options(), can_be_replicated(), threads.count));
  team_.reset();
  table().stop_watching();
  table().stop_sharing();
  if (threads.count == 1) return ok_status();
  std::string bytes;
  encode(bytes);
  auto team = std::make_unique<Team>(threads, *this);
  while (team->replicas.size() < threads.count) {
    TRY(std::unique_ptr<Model> other, decode_model(bytes));
    team->replicas.push_back(static_cast<ReplicatedModel*>(other.get()));
    team->others.push_back(std::move(other));
  }
  team->parts = row_parts();
  for (std::size_t learners = 1; learners <= threads.count; ++learners) {
    for (const bool is_weight : team->parts.is_weight) {
      team->often[learners].push_back(is_weight ? 1.0F / static_cast<float>(learners) : 1.0F);
    }
  }
  for (ReplicatedModel* const replica : team->replicas) {
    replica->at_merge_ = numbers();
    if (replica != this) replica->table().take_shared_uses();  // the first has them
    if (!threads.is_hogwild) {
      replica->table().watch(team->parts.note);
    } else if (replica != this) {
      TRY_OK(replica->table().share(table(), most_own_rows(table())));
    }
  }
  team_ = std::move(team);
  return ok_status();
}

std::size_t ReplicatedModel::blocks_at_once() const {
  return team_ ? team_->most_rows() / kRowsOfABlock * team_->team.size() : 1;
}

attune::Team* ReplicatedModel::team() { return team_ ? &team_->team : nullptr; }

void ReplicatedModel::learn(const Examples& rows, std::span<float> before) {
  if (!team_) return learn_range(rows, 0, rows.size(), before);
  std::vector<std::vector<float>> said(1);
  said[0].resize(rows.size());
  learn_blocks({&rows, 1}, said);
  std::copy(said[0].begin(), said[0].end(), before.begin());
}

void ReplicatedModel::learn_blocks(std::span<const Examples> blocks,
                                   std::span<std::vector<float>> before) {
  if (!team_) return Model::learn_blocks(blocks, before);
  team_->task = {blocks, before, {}, {}};
  team_->cut(kRowsOfSquares * numbers().front().squares);
  const std::vector<Team::Round>& rounds = team_->task.rounds;
  std::size_t alone = 0;
  while (alone < rounds.size() && rounds[alone].members == 1) ++alone;
  team_->run(0, alone);
  if (alone == rounds.size()) return;
  if (team_->is_hogwild) team_->divide_rows();
  team_->run(alone, rounds.size());
}

std::size_t ReplicatedModel::Team::most_rows() const {
  std::size_t weights = 0;
  for (const AdamWeights* const dense : replicas[0]->dense()) weights += dense->w.size();
  return is_hogwild && weights < kWeightsOfLayers ? kMostSharedRows : kMostRows;
}

// Of the rounds those from begin to end.
void ReplicatedModel::Team::run(std::size_t begin, std::size_t end) {
  team.run(2 * (end - begin), [this, begin](std::size_t phase, std::size_t member) {
    const std::size_t round = begin + phase / 2;
    phase % 2 == 0 ? learn(round, member) : merge(round, member);
  });
}

// Rounds of rows side by side for all members. seen: about how many rows the model has learned.
void ReplicatedModel::Team::cut(double seen) {
  std::size_t rows = 0;
  for (const Examples& block : task.blocks) task.ends.push_back(rows += block.size());
  const std::size_t members = replicas.size(), batch = replicas[0]->mini_batch();
  const std::size_t most_rows = std::max(batch, this->most_rows());
  for (std::size_t at = 0; at < rows;) {
    const auto grown = static_cast<std::size_t>(kShareOfSeen * (seen + static_cast<double>(at)));
    std::size_t each = std::clamp(grown, batch, most_rows);
    each = std::min(each, (rows - at + members - 1) / members);
    each = (each + batch - 1) / batch * batch;
    Round& round = task.rounds.emplace_back();
    const std::size_t most = is_alone(seen + static_cast<double>(at)) ? 1 : members;
    while (round.members < most && at < rows) {
      round.rows[round.members++] = {at, std::min(at + each, rows)};
      at = std::min(at + each, rows);
    }
  }
}

void ReplicatedModel::Team::learn(std::size_t round, std::size_t member) {
  ReplicatedModel& me = *replicas[member];
  const Rows mine = task.rounds[round].rows[member];
  if (!is_hogwild) me.table().forget_changes();
  for (std::size_t b = 0; b < task.blocks.size(); ++b) {
    const std::size_t first = b == 0 ? 0 : task.ends[b - 1];
    const std::size_t begin = std::max(mine.begin, first), end = std::min(mine.end, task.ends[b]);
    if (begin < end) me.learn_range(task.blocks[b], begin - first, end - first, task.before[b]);
  }
  if (!is_hogwild) me.offer(*this, task.rounds[round].members);
}

// The words of a row that are the table's, kept while its floats change.
class ReplicatedModel::Words {
 public:
  Words(float* row, std::size_t note)
      : row_(row),
        note_(note),
        owner_(std::exchange(row[0], 0.0F)),
        at_(std::exchange(row[note], 0.0F)) {}
  ~Words() {
    row_[0] = owner_;
    row_[note_] = at_;
  }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;

 private:
  float* const row_;
  const std::size_t note_;
  const float owner_, at_;
};

// What was learned since the last merge, as it counts. The rows are what they are in all replicas
// if nobody else changed them.
void ReplicatedModel::offer(const Team& team, std::size_t learners) {
  FeatureTable& table = this->table();
  const std::size_t width = table.width(), note = team.parts.note, squares = team.parts.squares;
  const std::span<const FeatureTable::Changed> changed = table.changed();
  if (changes_.size() < changed.size() * width) changes_.resize(changed.size() * width);
  offered_ = changed.size() * width;
  for (std::size_t i = 0; i < changed.size(); ++i) {
    if (i + kAhead < changed.size()) prefetch_line(changed[i + kAhead].row);
    float* const row = changed[i].row;
    float* const before = table.before(i);
    float* const change = &changes_[i * width];
    if (changed[i].is_new) start_row(before, changed[i].hash);
    const bool is_often = row[squares] - before[squares] > kOften;
    row[0] = FeatureTable::unmarked(row);
    before[0] = before[note] = 0;
    {
      const Words kept(row, note);
      take_change(row, before, change, is_often ? team.often[learners].data() : nullptr, width);
    }
    change[0] = std::bit_cast<float>(changed[i].hash);
  }
}

// What others offer. Every replica makes the same sums in the same order, that of the members, so
// that they stay the same to the bit; is_first: theirs come before its own.
void ReplicatedModel::absorb(std::span<const float> changes, bool is_first, std::size_t note) {
  FeatureTable& table = this->table();
  const std::size_t width = table.width();
  const auto hash_of = [&](std::size_t at) { return std::bit_cast<std::uint32_t>(changes[at]); };
  for (std::size_t at = 0; at < changes.size(); at += width) {
    const std::size_t soon = at + kAhead * width, later = soon + kAhead * width;
    if (later < changes.size()) table.prefetch_place(hash_of(later));
    if (soon < changes.size()) table.prefetch(hash_of(soon));
    bool is_new = false;
    float* const row = table.take_row(hash_of(at), is_new);
    if (is_new) {
      start_row(row, hash_of(at));
    } else if (const auto own = is_first ? table.changed_at(row) : std::nullopt) {
      take_back(*own, hash_of(at), note);
    }
    const Words kept(row, note);
    add_changes(&changes[at], row, width);
  }
}

// A changed row becomes what it was, once: of a new one, what the first who took it says.
void ReplicatedModel::take_back(std::size_t changed, std::uint32_t first, std::size_t note) {
  FeatureTable& table = this->table();
  float* const before = table.before(changed);
  if (before[0] != 0) return;
  const auto& [row, hash, is_new] = table.changed()[changed];
  if (is_new) {
    std::fill_n(before, table.width(), 0.0F);
    start_row(before, first);
    row[0] = table.taken_by(first);
  }
  const Words kept(row, note);
  std::copy_n(before, table.width(), row);
  before[0] = 1;
  taken_back_.push_back(static_cast<std::uint32_t>(changed));
}

void ReplicatedModel::add_own(std::size_t note) {
  FeatureTable& table = this->table();
  for (const std::uint32_t changed : taken_back_) {
    float* const row = table.changed()[changed].row;
    const Words kept(row, note);
    add_changes(&changes_[changed * table.width()], row, table.width());
  }
  taken_back_.clear();
}

void ReplicatedModel::Team::merge(std::size_t round, std::size_t member) {
  const std::size_t learners = task.rounds[round].members;
  if (!is_hogwild) {
    bring_rows_together(member);
  } else {
    bring_own_rows_together(member, learners);
  }
  average(member, learners);
  if (member == 0) add_numbers(learners);
}

void ReplicatedModel::Team::bring_rows_together(std::size_t member) {
  ReplicatedModel& me = *replicas[member];
  for (std::size_t from = 0; from < replicas.size(); ++from) {
    if (from == member) {
      me.add_own(parts.note);
    } else {
      me.absorb(replicas[from]->offered(), from < member, parts.note);
    }
  }
}

// Once, before two learn side by side: which ids are used most, some thousands of rows tell. The
// first replica writes into the table itself.
void ReplicatedModel::Team::divide_rows() {
  FeatureTable& table = replicas[0]->table();
  if (!own_rows.empty()) return;
  const std::uint32_t rows = std::min(most_own_rows(table), table.next_row_number());
  table.put_first(parts.squares, rows - 1);
  for (std::size_t m = 1; m < replicas.size(); ++m) replicas[m]->table().keep_own(rows);
  own_rows.resize(rows * table.width());
  std::copy_n(table.row(0), own_rows.size(), own_rows.begin());
}

// The member's part of them, of all replicas.
void ReplicatedModel::Team::bring_own_rows_together(std::size_t member, std::size_t learners) {
  const std::size_t width = replicas[0]->table().width(), rows = own_rows.size() / width;
  const std::size_t each = rows / replicas.size() + 1;
  for (std::size_t row = member * each; row < std::min(rows, (member + 1) * each); ++row) {
    std::array<float*, kMostThreads> of{};
    for (std::size_t m = 0; m < replicas.size(); ++m) {
      const FeatureTable& table = replicas[m]->table();
      of[m] = table.row(row);
      const float* const soon = table.row(std::min(row + kAhead, rows - 1));
      for (std::size_t c = 0; c < width; c += kFloatsOfALine) prefetch_line(soon + c);
    }
    bring_together({of, replicas.size(), learners}, &own_rows[row * width]);
  }
}

// One row. before: as all had it, and then have it.
void ReplicatedModel::Team::bring_together(const Same& all, float* before) const {
  const std::size_t width = parts.is_weight.size();
  std::array<const float*, kMostThreads> shares{};
  const std::vector<float>& averaged = often[all.learners];
  for (std::size_t m = 0; m < all.learners; ++m) {
    const bool is_often = all.of[m][parts.squares] - before[parts.squares] > kOften;
    shares[m] = is_often ? averaged.data() : often[1].data();
  }
  const float owner = all.of[0][0];
  for (std::size_t c = 0; c < width; c += 4) {
    const __m128 was = _mm_loadu_ps(before + c);
    __m128 now = was;
    for (std::size_t m = 0; m < all.learners; ++m) {
      const __m128 by = _mm_sub_ps(_mm_loadu_ps(all.of[m] + c), was);
      now = _mm_fmadd_ps(by, _mm_loadu_ps(shares[m] + c), now);
    }
    _mm_storeu_ps(before + c, now);
    for (std::size_t m = 0; m < all.replicas; ++m) _mm_storeu_ps(all.of[m] + c, now);
  }
  before[0] = owner;
  for (std::size_t m = 0; m < all.replicas; ++m) all.of[m][0] = owner;
}

// The member's part of the dense weights, of all replicas.
void ReplicatedModel::Team::average(std::size_t member, std::size_t learners) {
  std::vector<std::vector<AdamWeights*>> all;
  for (ReplicatedModel* const replica : replicas) all.push_back(replica->dense());
  for (std::size_t w = 0; w < all[0].size(); ++w) {
    const std::size_t size = all[0][w]->w.size();
    const std::size_t lines = size / kFloatsOfALine / replicas.size() + 1;
    const std::size_t begin = std::min(size, member * lines * kFloatsOfALine);
    const std::size_t end = std::min(size, begin + lines * kFloatsOfALine);
    for (std::size_t part = 0; part < all[0][w]->state().size(); ++part) {
      std::array<float*, kMostThreads> of{};
      for (std::size_t m = 0; m < all.size(); ++m) of[m] = all[m][w]->state()[part]->data();
      attune::average({of, all.size(), learners}, begin, end);
    }
  }
}

void ReplicatedModel::Team::add_numbers(std::size_t learners) {
  const std::vector<Numbers> before = replicas[0]->at_merge_;
  std::vector<Numbers> sum = before;
  for (const ReplicatedModel* const replica : replicas) {
    const std::vector<Numbers> now = replica->numbers();
    for (std::size_t head = 0; head < sum.size(); ++head) {
      const Numbers &from = before[head], &to = now[head];
      sum[head].bias += (to.bias - from.bias) / static_cast<double>(learners);
      sum[head].squares += to.squares - from.squares;
      sum[head].rows += to.rows - from.rows;
      sum[head].ones += to.ones - from.ones;
    }
  }
  for (ReplicatedModel* const replica : replicas) {
    replica->set(sum);
    replica->at_merge_ = replica->numbers();  // as it keeps them
    if (replica == replicas[0]) continue;
    replicas[0]->table().add_shared_uses(replica->table().take_shared_uses());
    replicas[0]->take_losses(*replica);
    replica->adam_powers() = replicas[0]->adam_powers();  // the first had most rows
  }
}

}  // namespace attune
