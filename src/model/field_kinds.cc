// The kinds that are a FieldModel: pairs of fields (FwFM, FFM), and networks over the vectors of
// fields beside the linear part and the click rates of ids: wide and deep (Cheng et al. 2016),
// DeepFM (Guo et al. 2017), DCN-v2 (Wang et al. 2021; cross and deep part in parallel), FinalMLP
// (Mao et al. 2023). And those of sequences: weighted pairs and a network over fields, to one of
// which an encoder adds what it makes of a sequence (sequence_encoder.h).
#include <algorithm>

#include "model/field_model.h"
#include "model/field_pairs.h"
#include "model/head_pairs.h"
#include "model/sequence_encoder.h"
#include "model/tower.h"
#include "model/two_streams.h"

namespace attune {
namespace {

using Parts = std::vector<std::unique_ptr<Interaction>>;

constexpr Setting kHidden[] = {
    {"hidden", 128, 1, 4096, "units of the first hidden layer", true},
    {"hidden2", 64, 0, 4096, "units of the second, 0 = there is none", true},
    {"hidden3", 0, 0, 4096, "units of the third, 0 = there is none", true},
    FieldModel::kRounding,
};
constexpr Setting kCrossed[] = {
    kHidden[0],
    kHidden[1],
    kHidden[2],
    {"cross_layers", 1, 1, 4, "cross layers", true},
    {"rank", 16, 1, 512, "of the matrices of the cross layers", true},
    FieldModel::kRounding,
};
constexpr Setting kStreamed[] = {
    kHidden[0],
    kHidden[1],
    kHidden[2],
    {"fusion_blocks", 4, 1, 4096, "parts of the top layers that meet, at most their units", true},
    FieldModel::kRounding,
};
constexpr std::array<double, kFieldSettings.size()> kPresets{8,    0.05, 0.08, 0.01, 1e-3,
                                                             0.05, 128,  1e-3, 1};
// All pairs alike, without weights, bear no fast steps.
constexpr std::array<double, kFieldSettings.size()> kDeepFmPresets{8,    0.05, 0.02, 0.01, 1e-3,
                                                                   0.05, 128,  1e-3, 1};
constexpr auto kDeepFm = with_field_settings(kDeepFmPresets, kHidden);
constexpr auto kDeep = with_field_settings(kPresets, kHidden);
constexpr auto kFinalMlp = with_field_settings(kPresets, kStreamed);
constexpr auto kDcn = with_field_settings(kPresets, kCrossed);
constexpr Setting kWeightedPairs[] = {
    {"pair_start", 0.2, -10, 10, "weight of a pair of fields at the start"},
    {"pair_rate", 2e-3, 0, 10, "size of a step of these weights (Adam)"},
    FieldModel::kRounding,
};
constexpr auto kFwfm =
    with_field_settings({8, 0.07, 0.08, 0.005, 1e-3, 0.5, 64, 1e-3, 1}, kWeightedPairs);

// What kinds of sequences have: a network and pairs, then (but gru) the units of the encoder.
constexpr Setting kAttending[] = {
    kHidden[0],
    kHidden[1],
    kHidden[2],
    kWeightedPairs[0],
    kWeightedPairs[1],
    {"attention", 32, 1, 4096, "units of the layer that weighs what a sequence holds", true},
    FieldModel::kRounding,
};
constexpr Setting kRecurring[] = {
    kHidden[0], kHidden[1], kHidden[2], kWeightedPairs[0], kWeightedPairs[1], FieldModel::kRounding,
};
constexpr Setting kSelfAttending[] = {
    kHidden[0],
    kHidden[1],
    kHidden[2],
    kWeightedPairs[0],
    kWeightedPairs[1],
    {"forward", 32, 1, 4096, "units of the layer after the attention", true},
    FieldModel::kRounding,
};
constexpr std::array<double, kFieldSettings.size()> kSequencePresets{16,   0.05, 0.08, 0.01, 1e-3,
                                                                     0.05, 128,  1e-3, 1};
constexpr auto kDin = with_field_settings(kSequencePresets, kAttending);
constexpr auto kGru = with_field_settings(kSequencePresets, kRecurring);
constexpr auto kSasRec = with_field_settings(kSequencePresets, kSelfAttending);

constexpr auto kFfm = with_field_settings({4, 0.05, 0.05, 0.005, 1e-3, 0.05, 4, 1e-3, 1});
constexpr std::size_t kOwn = kFieldSettings.size();

VectorShape shape_of(std::span<const double> v) {
  return FieldModel::plain(static_cast<std::size_t>(v[0]));
}

// What there is to build of; small when the options are not usable.
std::size_t inputs_of(const ModelOptions& options, std::span<const double> v) {
  if (options.inputs > FieldModel::kMostFields) return 8;
  return FieldModel::fields_of(options) * shape_of(v).chunks * 8;
}

std::size_t heads_of(const ModelOptions& options) {
  return std::max<std::size_t>(options.tasks.size(), 1);
}

// As it is of one task; each of several takes it by a weight of its own.
std::unique_ptr<Interaction> for_all_heads(std::unique_ptr<Interaction> one,
                                           const ModelOptions& options, std::size_t slot) {
  if (heads_of(options) == 1) return one;
  return std::make_unique<SharedByAll>(std::move(one), heads_of(options), slot);
}

std::vector<std::size_t> hidden_of(std::span<const double> v) {
  std::vector<std::size_t> hidden;
  for (const double units : v.subspan(kOwn, 3)) {
    if (units > 0) hidden.push_back(static_cast<std::size_t>(units));
  }
  return hidden;
}

// Null when it would be too large.
std::unique_ptr<Interaction> tower(const ModelOptions& options, std::span<const double> v,
                                   std::size_t slot) {
  return make_tower(inputs_of(options, v), hidden_of(v), slot, options.seed, heads_of(options));
}

// A model with `bfloat16` as its last setting. Without an interaction it is not usable.
std::unique_ptr<StoredModel> model_of(const ModelOptions& options, std::span<const double> v,
                                      std::unique_ptr<Interaction> interaction) {
  auto model = std::make_unique<FieldModel>(options, v, shape_of(v), std::move(interaction));
  model->learn_in(v.back() == 0 ? Precision::kSingle : Precision::kBfloat16);
  return model;
}

// A model without an interaction, which is not usable, when a part is too large.
std::unique_ptr<StoredModel> sum_of(const ModelOptions& options, std::span<const double> v,
                                    Parts parts) {
  if (std::any_of(parts.begin(), parts.end(), [](const auto& part) { return !part; })) {
    return model_of(options, v, nullptr);
  }
  return model_of(options, v, std::make_unique<SumOf>(std::move(parts)));
}

std::unique_ptr<StoredModel> make_wide_deep(const ModelOptions& options,
                                            std::span<const double> v) {
  return model_of(options, v, tower(options, v, 0));
}

std::unique_ptr<StoredModel> make_deepfm(const ModelOptions& options, std::span<const double> v) {
  Parts parts;
  parts.push_back(for_all_heads(std::make_unique<AllPairs>(kKeptOfOne), options, kKeptOfOne + 1));
  parts.push_back(tower(options, v, 0));
  return sum_of(options, v, std::move(parts));
}

std::unique_ptr<StoredModel> make_dcnv2(const ModelOptions& options, std::span<const double> v) {
  Parts parts;
  const auto layers = static_cast<std::size_t>(v[kOwn + 3]),
             rank = static_cast<std::size_t>(v[kOwn + 4]);
  if (auto deep = tower(options, v, 0)) {
    parts.push_back(std::make_unique<Cross>(inputs_of(options, v), layers, rank, kKeptOfOne,
                                            options.seed + 1000, heads_of(options)));
    parts.push_back(std::move(deep));
  } else {
    parts.push_back(nullptr);
  }
  return sum_of(options, v, std::move(parts));
}

std::unique_ptr<StoredModel> make_finalmlp(const ModelOptions& options, std::span<const double> v) {
  TwoStreams::Shape shape{inputs_of(options, v), hidden_of(v)};
  shape.heads = heads_of(options);
  shape.blocks = std::min(static_cast<std::size_t>(v[kOwn + 3]), shape.hidden.back());
  return model_of(options, v, TwoStreams::make(shape, 0, options.seed));
}

// Pairs with weights of their own for each head. own: kWeightedPairs.
std::unique_ptr<Interaction> weighted_pairs(const ModelOptions& options, std::span<const double> v,
                                            std::span<const double> own) {
  const double dense_rate = v[7];
  const float factor = dense_rate == 0 ? 0 : static_cast<float>(own[1] / dense_rate);
  const std::size_t used = std::min(options.inputs, FieldModel::kMostFields);
  const std::size_t fields = used < options.inputs ? 3 : FieldModel::fields_of(options);
  std::vector<std::unique_ptr<Interaction>> pairs;
  for (std::size_t head = 0; head < heads_of(options); ++head) {
    pairs.push_back(std::make_unique<FieldPairs>(fields, std::min(used, fields),
                                                 static_cast<float>(own[0]), factor, 2 * head));
  }
  if (pairs.size() == 1) return std::move(pairs[0]);
  return std::make_unique<OneForEach>(std::move(pairs));
}

std::unique_ptr<StoredModel> make_fwfm(const ModelOptions& options, std::span<const double> v) {
  return model_of(options, v, weighted_pairs(options, v, v.subspan(kOwn)));
}

// What each part keeps comes after what pairs of the most tasks do.
constexpr std::size_t kTowerSlot = 2 * kMostTasks, kEncoderSlot = kTowerSlot + kKeptOfOne;

std::unique_ptr<StoredModel> over_sequences(const ModelOptions& options, std::span<const double> v,
                                            std::unique_ptr<SequenceEncoder> encoder) {
  Parts parts;
  parts.push_back(weighted_pairs(options, v, v.subspan(kOwn + 3)));
  parts.push_back(tower(options, v, kTowerSlot));
  if (!parts.back()) return model_of(options, v, nullptr);
  auto fields = std::make_unique<SumOf>(std::move(parts));
  return model_of(options, v,
                  std::make_unique<OverSequences>(std::move(encoder), std::move(fields)));
}

// Of an encoder, which begins with other numbers than the network.
std::uint64_t encoder_seed(const ModelOptions& options) { return options.seed + 2000; }

std::unique_ptr<StoredModel> make_din(const ModelOptions& options, std::span<const double> v) {
  const auto units = static_cast<std::size_t>(v[kOwn + 5]);
  return over_sequences(options, v,
                        make_target_attention(8 * shape_of(v).chunks, units, options.sequences,
                                              kEncoderSlot, encoder_seed(options)));
}

std::unique_ptr<StoredModel> make_gru(const ModelOptions& options, std::span<const double> v) {
  return over_sequences(
      options, v, make_recurrent(8 * shape_of(v).chunks, kEncoderSlot, encoder_seed(options)));
}

std::unique_ptr<StoredModel> make_sasrec(const ModelOptions& options, std::span<const double> v) {
  const auto units = static_cast<std::size_t>(v[kOwn + 5]);
  return over_sequences(
      options, v,
      make_self_attention(8 * shape_of(v).chunks, units, kEncoderSlot, encoder_seed(options)));
}

std::size_t rounded_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

std::unique_ptr<StoredModel> make_ffm(const ModelOptions& options, std::span<const double> v) {
  const bool is_usable = options.inputs <= FieldModel::kMostFields;
  const std::size_t fields = is_usable ? FieldModel::fields_of(options) : 3;
  const std::size_t k = rounded_up(static_cast<std::size_t>(v[0]), 4);
  const VectorShape shape{fields * k, rounded_up(fields * k, 16) / 8, 2};
  return std::make_unique<FieldModel>(options, v, shape, std::make_unique<FieldAware>(fields, k));
}

}  // namespace

const KindRow kFwfmKind{
    {"fwfm", "factorisation machine with a weight for each pair of fields (Pan et al. 2018)", kFwfm,
     true, 22, true, true},
    make_fwfm};
const KindRow kFfmKind{
    {"ffm", "field-aware factorisation machine: a vector for each field (Juan et al. 2016)", kFfm,
     true, 19, false, true},
    make_ffm};
const KindRow kWideDeepKind{
    {"wide_deep", "network over vectors of ids, and their weights (Cheng et al. 2016)", kDeep, true,
     22, true, true},
    make_wide_deep};
const KindRow kDeepFmKind{
    {"deepfm", "factorisation machine and network that share vectors (Guo et al. 2017)", kDeepFm,
     true, 22, true, true},
    make_deepfm};
const KindRow kDcnKind{
    {"dcnv2", "cross layers of low rank and a network over vectors of ids (Wang et al. 2021)", kDcn,
     true, 22, true, true},
    make_dcnv2};
const KindRow kFinalMlpKind{
    {"finalmlp", "two gated networks over vectors of ids that meet at the end (Mao et al. 2023)",
     kFinalMlp, true, 22, true, true},
    make_finalmlp};
const KindRow kDinKind{
    {"din", "what is offered weighs what a person had before (DIN, Zhou et al. 2018)", kDin, true,
     22, true, true, true},
    make_din};
const KindRow kGruKind{
    {"gru", "a recurrent unit reads what a person had before (GRU4Rec, Hidasi et al. 2016)", kGru,
     true, 22, true, true, true},
    make_gru};
const KindRow kSasRecKind{
    {"sasrec", "the newest thing a person had asks those before it (SASRec, Kang and McAuley 2018)",
     kSasRec, true, 22, true, true, true},
    make_sasrec};

}  // namespace attune
