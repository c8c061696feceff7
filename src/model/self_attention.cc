#include <algorithm>
#include <cmath>

#include "model/hidden_layers.h"
#include "model/sequence_encoder.h"

namespace attune {
namespace {

constexpr std::size_t kPlaces = 64;  // members further back share the last

// d: the numbers of a vector.
class SelfAttention final : public SequenceEncoder {
 public:
  SelfAttention(std::size_t size, std::size_t units, std::size_t slot, std::uint64_t seed)
      : size_(size), units_(units), slot_(slot), widen_(size, units, seed) {
    places_.resize(kPlaces * size);
    start_normal(places_, 0.01, seed + 1);
    std::uint64_t next = seed + 2;
    for (AdamWeights* const one : {&ask_, &answer_, &say_}) {
      one->resize(size * size);
      start_normal(*one, std::sqrt(1 / static_cast<double>(size)), next++);
    }
    narrow_ = DenseLayer(units, size, seed + 5);
  }
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override {
    std::vector<AdamWeights*> all{&places_, &ask_, &answer_, &say_};
    for (DenseLayer* const layer : {&widen_, &narrow_}) {
      for (AdamWeights* const one : layer->weights()) all.push_back(one);
    }
    return all;
  }
  std::unique_ptr<SequenceEncoder> copy() const override {
    return std::make_unique<SelfAttention>(*this);
  }

 private:
  // Lines of members: e, e K, e V, a; of sequences: e_0, e_0 Q, s, what is hidden, what comes out.
  enum Kept : std::size_t {
    kPlaced,
    kAnswers,
    kSaid,
    kShares,
    kNewest,
    kAsked,
    kSummed,
    kHidden,
    kOut,
    kAnswerSlopes,
    kSaidSlopes,
    kAskedSlopes,
    kHiddenSlopes,
    kPlacedSlopes,
    kNewestSlopes,
  };
  float* keep(FieldBatch& batch, Kept what, std::size_t count) const {
    return keep_numbers(batch, slot_ + what, count);
  }
  const float* kept(const FieldBatch& batch, Kept what) const {
    return kept_numbers(batch, slot_ + what);
  }
  std::size_t place_of(std::size_t place) const { return std::min(place, kPlaces - 1) * size_; }
  void place(FieldBatch& batch, float* placed, float* newest) const;
  void share(const Sequence& of, const float* asked, const float* answers, float* shares) const;

  std::size_t size_, units_, slot_;
  AdamWeights places_;              // p: (kPlaces, d)
  AdamWeights ask_, answer_, say_;  // Q, K, V: (d, d)
  DenseLayer widen_, narrow_;       // W1 and b1, W2 and b2
};

void SelfAttention::place(FieldBatch& batch, float* placed, float* newest) const {
  const auto* const members = reinterpret_cast<const float*>(batch.members.data());
  for (const Sequence& sequence : batch.sequences) {
    for (std::size_t m = sequence.begin; m < sequence.end; ++m) {
      const float* const p = &places_.w[place_of(m - sequence.begin)];
      for (std::size_t i = 0; i < size_; ++i) {
        placed[m * size_ + i] = members[m * size_ + i] + p[i];
      }
    }
    newest = std::copy_n(placed + sequence.begin * size_, size_, newest);
  }
}

// The weights of a sequence's members.
void SelfAttention::share(const Sequence& of, const float* asked, const float* answers,
                          float* shares) const {
  const float scale = 1 / std::sqrt(static_cast<float>(size_));
  float most = -INFINITY, all = 0;
  for (std::size_t m = of.begin; m < of.end; ++m) {
    shares[m] = scale * inner_product(asked, answers + m * size_, size_);
    most = std::max(most, shares[m]);
  }
  for (std::size_t m = of.begin; m < of.end; ++m) {
    shares[m] = std::exp(shares[m] - most);
    all += shares[m];
  }
  for (std::size_t m = of.begin; m < of.end; ++m) shares[m] /= all;
}

void SelfAttention::forward(FieldBatch& batch) const {
  const std::size_t d = size_, count = batch.members.size() * 8 / d, all = batch.sequences.size();
  float* const placed = keep(batch, kPlaced, count * d);
  float* const answers = keep(batch, kAnswers, count * d);
  float* const said = keep(batch, kSaid, count * d);
  float* const shares = keep(batch, kShares, count);
  float* const newest = keep(batch, kNewest, all * d);
  float* const asked = keep(batch, kAsked, all * d);
  float* const summed = keep(batch, kSummed, all * d);
  float* const hidden = keep(batch, kHidden, all * units_);
  float* const out = keep(batch, kOut, all * d);
  place(batch, placed, newest);
  const Product of_members{.rows = count, .columns = d, .inner = d, .precision = batch.precision};
  const Product of_newest{.rows = all, .columns = d, .inner = d, .precision = batch.precision};
  multiply(of_members, placed, answer_.w.data(), answers);
  multiply(of_members, placed, say_.w.data(), said);
  multiply(of_newest, newest, ask_.w.data(), asked);
  for (std::size_t s = 0; s < all; ++s) {
    const Sequence& sequence = batch.sequences[s];
    share(sequence, asked + s * d, answers, shares);
    float* const sum = summed + s * d;
    std::copy_n(newest + s * d, d, sum);
    for (std::size_t m = sequence.begin; m < sequence.end; ++m) {
      for (std::size_t i = 0; i < d; ++i) sum[i] += shares[m] * said[m * d + i];
    }
  }
  widen_.forward(summed, {all, batch.precision}, hidden);
  for (std::size_t i = 0; i < all * units_; ++i) hidden[i] = std::max(hidden[i], 0.0F);
  narrow_.forward(hidden, {all, batch.precision}, out);
  for (std::size_t s = 0; s < all; ++s) {
    const Sequence& sequence = batch.sequences[s];
    auto* const to = reinterpret_cast<float*>(batch.vector_of(sequence.row, sequence.field));
    for (std::size_t i = 0; i < d; ++i) to[i] += summed[s * d + i] + out[s * d + i];
  }
}

void SelfAttention::backward(FieldBatch& batch) {
  const std::size_t d = size_, count = batch.members.size() * 8 / d, all = batch.sequences.size();
  const float scale = 1 / std::sqrt(static_cast<float>(d));
  const float* const answers = kept(batch, kAnswers);
  const float* const said = kept(batch, kSaid);
  const float* const shares = kept(batch, kShares);
  const float* const asked = kept(batch, kAsked);
  const float* const hidden = kept(batch, kHidden);
  float* const above = keep(batch, kOut, all * d);  // of what comes out, then of s
  float* const hidden_slopes = keep(batch, kHiddenSlopes, all * units_);
  float* const answer_slopes = keep(batch, kAnswerSlopes, count * d);
  float* const said_slopes = keep(batch, kSaidSlopes, count * d);
  float* const asked_slopes = keep(batch, kAskedSlopes, all * d);
  float* const placed_slopes = keep(batch, kPlacedSlopes, count * d);
  float* const newest_slopes = keep(batch, kNewestSlopes, all * d);
  for (std::size_t s = 0; s < all; ++s) {
    const Sequence& sequence = batch.sequences[s];
    std::copy_n(reinterpret_cast<const float*>(batch.slopes_of(sequence.row, sequence.field)), d,
                above + s * d);
  }
  narrow_.backward(hidden, above, {all, batch.precision}, hidden_slopes, false);
  for (std::size_t i = 0; i < all * units_; ++i) {
    if (hidden[i] <= 0) hidden_slopes[i] = 0;
  }
  widen_.backward(kept(batch, kSummed), hidden_slopes, {all, batch.precision}, above, true);
  for (std::size_t s = 0; s < all; ++s) {
    const Sequence& sequence = batch.sequences[s];
    const float* const ds = above + s * d;
    float* const dq = std::fill_n(asked_slopes + s * d, d, 0.0F) - d;
    float mean = 0;  // of d loss / d share
    for (std::size_t m = sequence.begin; m < sequence.end; ++m) {
      mean += shares[m] * inner_product(ds, said + m * d, d);
    }
    for (std::size_t m = sequence.begin; m < sequence.end; ++m) {
      const float slope = inner_product(ds, said + m * d, d);
      const float of_product = scale * shares[m] * (slope - mean);
      for (std::size_t i = 0; i < d; ++i) {
        said_slopes[m * d + i] = shares[m] * ds[i];
        answer_slopes[m * d + i] = of_product * asked[s * d + i];
        dq[i] += of_product * answers[m * d + i];
      }
    }
  }
  const auto back = [&](const float* x, const float* dy, std::size_t rows, AdamWeights& w,
                        float* dx, bool adds) {
    multiply({.rows = d,
              .columns = d,
              .inner = rows,
              .is_a_turned = true,
              .adds = true,
              .precision = batch.precision},
             x, dy, w.gradient.data());
    multiply({.rows = rows,
              .columns = d,
              .inner = d,
              .is_b_turned = true,
              .adds = adds,
              .precision = batch.precision},
             dy, w.w.data(), dx);
  };
  back(kept(batch, kPlaced), said_slopes, count, say_, placed_slopes, false);
  back(kept(batch, kPlaced), answer_slopes, count, answer_, placed_slopes, true);
  std::copy_n(above, all * d, newest_slopes);
  back(kept(batch, kNewest), asked_slopes, all, ask_, newest_slopes, true);
  auto* const member_slopes = reinterpret_cast<float*>(batch.member_slopes.data());
  for (std::size_t s = 0; s < all; ++s) {
    const Sequence& sequence = batch.sequences[s];
    for (std::size_t i = 0; i < d; ++i) {
      placed_slopes[sequence.begin * d + i] += newest_slopes[s * d + i];
    }
    for (std::size_t m = sequence.begin; m < sequence.end; ++m) {
      float* const p = &places_.gradient[place_of(m - sequence.begin)];
      for (std::size_t i = 0; i < d; ++i) {
        member_slopes[m * d + i] += placed_slopes[m * d + i];
        p[i] += placed_slopes[m * d + i];
      }
    }
  }
}

}  // namespace

std::unique_ptr<SequenceEncoder> make_self_attention(std::size_t size, std::size_t units,
                                                     std::size_t slot, std::uint64_t seed) {
  return std::make_unique<SelfAttention>(size, units, slot, seed);
}

}  // namespace attune
