#include "learn/trained.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <limits>

#include "base/bytes.h"
#include "base/hash.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "ATTM";
constexpr std::uint32_t kVersion = 1;

Error damaged(const std::string& path, const std::string& what) {
  return {Code::kCorrupt, fmt::format("{}: {}", path, what), "model",
          "train it again, or copy it again from where it came from"};
}

}  // namespace

bool needs_inputs(std::string_view kind) { return kind == "mlp"; }

void Trained::predict(Examples& block, std::vector<float>& out) const {
  if (inputs) inputs->apply(block);
  out.resize(block.size());
  model->predict(block, out);
}

Status Trained::save(const std::string& path) const {
  std::string out(kMagic), part;
  Writer w(out);
  w.u32(kVersion);
  w.str(input);
  w.f64(known_rate);
  w.str(report);
  w.varint(fields.size());
  for (const std::string& field : fields) w.str(field);
  w.u8(rows ? 1 : 0);
  if (rows) rows->encode(part);
  w.str(part);
  part.clear();
  w.u8(inputs ? 1 : 0);
  if (inputs) inputs->encode(part);
  w.str(part);
  w.varint(names.size());
  for (const auto& [hash, name] : names) {
    w.u32(hash);
    w.str(name);
  }
  part.clear();
  model->encode(part);
  w.str(part);
  w.u64(hash64(out));
  const std::string draft = path + ".part";
  std::ofstream file(draft, std::ios::binary | std::ios::trunc);
  file.write(out.data(), static_cast<std::streamsize>(out.size()));
  file.close();
  if (file && std::rename(draft.c_str(), path.c_str()) == 0) return ok_status();
  std::remove(draft.c_str());
  return Error{Code::kUnavailable, "cannot write " + path, "output",
               "name a file in a folder you may write to, on a disk with room"};
}

Result<Trained> Trained::load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{Code::kNotFound, "no model at " + path, "model", "attune train makes one"};
  }
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string_view all(bytes);
  if (all.size() < kMagic.size() + 12 || !all.starts_with(kMagic)) {
    return Error{Code::kInvalid, path + " is not a model", "model", "attune train makes one"};
  }
  Reader r(all.substr(kMagic.size()));
  const std::uint32_t version = r.u32();
  if (version != kVersion) {
    return Error{
        Code::kInvalid,
        fmt::format("{}: version {}, this program reads version {}", path, version, kVersion),
        "model", "use the program that saved it, or train again"};
  }
  if (Reader(all.substr(all.size() - 8)).u64() != hash64(all.substr(0, all.size() - 8))) {
    return damaged(path, "its checksum does not match");
  }
  Trained trained;
  trained.input = r.str();
  trained.known_rate = r.f64();
  trained.report = r.str();
  const std::uint64_t fields = r.varint();
  for (std::uint64_t i = 0; i < fields && r.ok(); ++i) trained.fields.emplace_back(r.str());
  const bool has_rows = r.u8() != 0;
  const std::string_view rows = r.str();
  const bool has_inputs = r.u8() != 0;
  const std::string_view inputs = r.str();
  const std::uint64_t names = r.varint();
  for (std::uint64_t i = 0; i < names && r.ok(); ++i) {
    const std::uint32_t hash = r.u32();
    trained.names.emplace_back(hash, r.str());
  }
  const std::string_view model = r.str();
  if (!r.ok() || r.left() != 8) return damaged(path, "its contents make no sense");
  if (has_rows) {
    TRY(trained.rows, TableRows::decode(rows));
  }
  if (has_inputs) {
    TRY(trained.inputs, InputMap::decode(inputs));
  }
  TRY(trained.model, decode_model(model));
  return trained;
}

}  // namespace attune
