#include "model/model_file.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "fuzz.h"
#include "model/feature_names.h"
#include "model/model.h"
#include "model/row_block.h"
#include "model/row_cache.h"
#include "model/sealed.h"

namespace attune {
namespace {

// A model that was decoded must predict, learn and be saved again.
void both_ways(std::string_view bytes) {
  const auto model = decode_model(bytes);
  if (!model.ok()) return;
  if ((*model)->most_memory_bytes() > (std::size_t{1} << 26))
    return;  // more than a fuzz run has time for
  Examples rows;
  rows.labels = {1, 0};
  rows.further_labels = {0, 1};
  rows.ends = {2, 3};
  rows.features = {{5, 1}, {70'000, -2}, {5, 1}};
  rows.fields = {0, 1, 0};
  std::vector<float> out(2);
  (*model)->predict(rows, out);
  std::vector<float> heads(2 * (*model)->heads());
  (*model)->predict_heads(rows, heads);
  (*model)->learn(rows, out);
  std::string once;
  (*model)->encode(once);
  CHECK(decode_model(once).ok());
}

// The checksum is made to fit: what it protects must be safe to read all the same.
void model_bytes(std::string_view body) {
  for (const std::uint32_t version : {1U, 2U, 3U, 4U}) {
    std::string bytes("AMDL");
    Writer(bytes).u32(version);
    bytes += body;
    const std::uint64_t hash = hash64(bytes);
    Writer(bytes).u64(hash);
    both_ways(bytes);
  }
}

void names(std::string_view body) {
  std::string bytes;
  seal("ANAM", 1, body, bytes);
  const auto names = FeatureNames::decode(bytes);
  if (!names.ok()) return;
  std::string once;
  names->encode(once);
  CHECK(FeatureNames::decode(once).ok());
}

void block(std::string_view body) {
  Reader r(body);
  const std::size_t rows = r.u8(), features = r.u8();
  std::string bytes(r.bytes(r.left()));
  const std::uint64_t hash = hash64(bytes);
  Writer(bytes).u64(hash);
  Examples out;
  if (!decode_block(bytes, rows, features, out)) return;
  for (std::size_t row = 0; row < out.size(); ++row) {
    CHECK(out.fields_of(row).size() == out.row(row).size());
  }
}

void files(std::string_view bytes) {
  const std::string path = fuzz_folder() + "/model";
  write_file(path, bytes);
  const auto file = ModelFile::open(path);
  if (file.ok()) {
    for (const std::string& name : file->section_names()) (void)file->section(name).ok();
    (void)file->model().ok();
  }
  const auto cache = RowCache::open(path, {});
  Examples out;
  for (std::size_t i = 0; cache.ok() && i < cache->blocks(); ++i) (void)cache->read(i, out).ok();
}

}  // namespace

// The first byte chooses what is read.
void fuzz_one(std::string_view input) {
  if (input.empty()) return;
  const std::string_view rest = input.substr(1);
  switch (input[0]) {
    case 'm':
      return model_bytes(rest);
    case 'M':
      return both_ways(rest);
    case 'n':
      return names(rest);
    case 'b':
      return block(rest);
    default:
      return files(rest);
  }
}

}  // namespace attune
