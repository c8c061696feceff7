#include "model/model.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/nearest.h"
#include "model/second_loss.h"
#include "model/settings.h"
#include "model/stored_model.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "AMDL";
constexpr std::uint32_t kFirstVersion = 1;
constexpr std::uint32_t kTasksVersion = 2;  // with tasks and a second loss after the settings
constexpr std::uint32_t kPlainVersion = 3;  // hashed tables in the order their rows were taken in
constexpr std::uint32_t kVersion = 4;       // with sequences after the tasks, where there are any
constexpr std::size_t kMostSettings = 64;

const KindRow* const kKinds[] = {&kFtrlKind,   &kSgdKind,    &kAdagradKind,  &kAdamKind,
                                 &kFmKind,     &kFwfmKind,   &kFfmKind,      &kWideDeepKind,
                                 &kDeepFmKind, &kDcnKind,    &kFinalMlpKind, &kDinKind,
                                 &kGruKind,    &kSasRecKind, &kLinearKind,   &kMlpKind,
                                 &kTreeKind,   &kForestKind, &kTreesKind};

Result<const KindRow*> kind_row(const std::string& name) {
  std::vector<std::string> known;
  for (const KindRow* row : kKinds) {
    if (row->kind.name == name) return row;
    known.emplace_back(row->kind.name);
  }
  const std::string near = nearest(name, known);
  return Error{Code::kInvalid, fmt::format("there is no kind of model called \"{}\"", name), "kind",
               near.empty() ? fmt::format("there are {}", fmt::join(known, ", "))
                            : fmt::format("did you mean {}?", near)};
}

Status check(const ModelOptions& o) {
  if (o.bits < 8 || o.bits > 28) {
    return Error{Code::kInvalid, fmt::format("bits is {}, must be in [8, 28]", o.bits), "bits"};
  }
  if (o.inputs > kMostInputs) {
    return Error{Code::kInvalid,
                 fmt::format("inputs is {}, must be at most {}", o.inputs, kMostInputs), "inputs"};
  }
  if (o.admit_after < 1 || o.admit_after > 255) {
    return Error{Code::kInvalid,
                 fmt::format("admit_after is {}, must be in [1, 255]", o.admit_after),
                 "admit_after"};
  }
  const bool is_limited = o.admit_after > 1 || o.expire_rows > 0 || o.memory_bytes > 0;
  if (!o.collision_free && is_limited) {
    return Error{Code::kInvalid, "admission, expiry and a memory limit need a collision-free table",
                 "collision_free", "a hashed table is limited by bits"};
  }
  return ok_status();
}

bool is_joint(const ModelOptions& o) { return !o.tasks.empty() || o.second_loss.weight != 0; }

std::string kinds_where(bool ModelKind::*holds) {
  std::vector<std::string_view> names;
  for (const KindRow* row : kKinds) {
    if (row->kind.*holds) names.push_back(row->kind.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

Status check_task(const ModelOptions& o, std::size_t i) {
  const TaskOptions& task = o.tasks[i];
  const bool is_again = std::any_of(o.tasks.begin(), o.tasks.begin() + static_cast<long>(i),
                                    [&](const TaskOptions& t) { return t.name == task.name; });
  if (task.name.empty() || task.name.size() > 256 || is_again) {
    return Error{Code::kInvalid,
                 is_again ? fmt::format("task {} is there twice", task.name)
                          : "a task needs a name of at most 256 bytes",
                 "tasks"};
  }
  if (task.weight > 0 && task.weight <= 1000) return ok_status();
  return Error{
      Code::kInvalid,
      fmt::format("task {}: its weight is {}, must be in (0, 1000]", task.name, task.weight),
      "tasks", "leave out a task that is not to count"};
}

Status check_tasks(const ModelOptions& o, const ModelKind& kind) {
  if (is_joint(o) && !kind.takes_tasks) {
    return Error{Code::kInvalid,
                 fmt::format("kind {} learns one task and has no second loss", o.kind), "kind",
                 fmt::format("those that can are {}", kinds_where(&ModelKind::takes_tasks))};
  }
  if (o.tasks.size() > kMostTasks) {
    return Error{Code::kInvalid,
                 fmt::format("{} tasks, must be at most {}", o.tasks.size(), kMostTasks), "tasks"};
  }
  for (std::size_t i = 0; i < o.tasks.size(); ++i) TRY_OK(check_task(o, i));
  if (!(o.second_loss.weight >= 0 && o.second_loss.weight <= 1000)) {
    return Error{Code::kInvalid,
                 fmt::format("the weight of the second loss is {}, must be in [0, 1000]",
                             o.second_loss.weight),
                 "second_loss"};
  }
  if (o.second_loss.weight == 0) return ok_status();
  TRY([[maybe_unused]] const auto second, make_second_loss(o.second_loss.name));
  return ok_status();
}

Status check_sequences(const ModelOptions& o, const ModelKind& kind) {
  if (o.sequences.empty() && kind.needs_sequences) {
    return Error{
        Code::kInvalid,
        fmt::format("kind {} learns from sequences, and no feature of the rows is one", o.kind),
        "kind", "a plan declares one: kind = \"sequence\" with as = the input its entries are of"};
  }
  if (!o.sequences.empty() && !kind.takes_sequences) {
    return Error{Code::kInvalid, fmt::format("kind {} takes no sequences", o.kind), "sequences",
                 fmt::format("those that do are {}", kinds_where(&ModelKind::takes_sequences))};
  }
  const auto is_one = [&](std::uint16_t field) {
    return std::any_of(o.sequences.begin(), o.sequences.end(),
                       [&](const SequenceField& s) { return s.field == field; });
  };
  for (std::size_t i = 0; i < o.sequences.size(); ++i) {
    const SequenceField& s = o.sequences[i];
    const bool is_ascending = i == 0 || o.sequences[i - 1].field < s.field;
    const bool is_there = s.field < o.inputs && s.like < o.inputs;
    if (i < kMostSequences && is_ascending && is_there && !is_one(s.like)) continue;
    return Error{Code::kInvalid,
                 fmt::format("a sequence of field {} like field {} of {}: both must be there, "
                             "fields ascending, none like one",
                             s.field, s.like, o.inputs),
                 "sequences"};
  }
  return ok_status();
}

void put_tasks(Writer& w, const ModelOptions& o) {
  w.varint(o.tasks.size());
  for (const TaskOptions& task : o.tasks) {
    w.str(task.name);
    w.f64(task.weight);
  }
  w.str(o.second_loss.name);
  w.f64(o.second_loss.weight);
}

void read_tasks(Reader& r, ModelOptions& o) {
  const std::uint64_t tasks = r.varint();
  for (std::uint64_t i = 0; i < tasks && i <= kMostTasks && r.ok(); ++i) {
    std::string name(r.str());
    o.tasks.push_back({std::move(name), r.f64()});
  }
  o.second_loss.name = r.str();
  o.second_loss.weight = r.f64();
}

void put_sequences(Writer& w, const ModelOptions& o) {
  w.varint(o.sequences.size());
  for (const SequenceField& s : o.sequences) {
    w.varint(s.field);
    w.varint(s.like);
    w.u32(s.turn);
  }
}

void read_sequences(Reader& r, ModelOptions& o) {
  const std::uint64_t sequences = r.varint();
  for (std::uint64_t i = 0; i < sequences && i <= kMostSequences && r.ok(); ++i) {
    const auto field = static_cast<std::uint16_t>(std::min<std::uint64_t>(r.varint(), UINT16_MAX));
    const auto like = static_cast<std::uint16_t>(std::min<std::uint64_t>(r.varint(), UINT16_MAX));
    o.sequences.push_back({field, like, r.u32()});
  }
}

// Without sequences the bytes of before there were any.
std::uint32_t version_of(const ModelOptions& o) {
  return o.sequences.empty() ? kPlainVersion : kVersion;
}

void put_options(Writer& w, const ModelOptions& o) {
  w.str(o.kind);
  w.u8(static_cast<std::uint8_t>(o.bits));
  w.u64(o.seed);
  w.varint(o.inputs);
  w.u8(o.collision_free ? 1 : 0);
  w.varint(o.admit_after);
  w.varint(o.expire_rows);
  w.varint(o.memory_bytes);
  w.varint(o.settings.size());
  for (const auto& [name, value] : o.settings) {
    w.str(name);
    w.f64(value);
  }
  put_tasks(w, o);
  if (!o.sequences.empty()) put_sequences(w, o);
}

ModelOptions read_options(Reader& r, std::uint32_t version) {
  ModelOptions o;
  o.kind = r.str();
  o.bits = r.u8();
  o.seed = r.u64();
  o.inputs = r.varint();
  o.collision_free = r.u8() != 0;
  o.admit_after = static_cast<std::uint32_t>(std::min<std::uint64_t>(r.varint(), 256));
  o.expire_rows = r.varint();
  o.memory_bytes = r.varint();
  const std::uint64_t settings = r.varint();
  for (std::uint64_t i = 0; i < settings && i < kMostSettings && r.ok(); ++i) {
    std::string name(r.str());
    o.settings.emplace_back(std::move(name), r.f64());
  }
  if (version >= kTasksVersion) read_tasks(r, o);
  if (version >= kVersion) read_sequences(r, o);
  return o;
}

Result<std::unique_ptr<StoredModel>> make_stored(ModelOptions options) {
  TRY(const KindRow* const row, kind_row(options.kind));
  if (options.bits == 0) options.bits = row->kind.bits;
  TRY_OK(check(options));
  TRY_OK(check_tasks(options, row->kind));
  TRY_OK(check_sequences(options, row->kind));
  TRY(const std::vector<double> values, settle(row->kind, options));
  auto model = row->make(completed(options, row->kind, values), values);
  TRY_OK(model->usable());
  return model;
}

Error damaged(const std::string& what) { return {Code::kCorrupt, "model: " + what}; }

// The bytes before the checksum, when magic, version and checksum are as they should be.
Result<std::string_view> opened(std::string_view bytes) {
  if (bytes.size() < kMagic.size() + 12 || bytes.substr(0, kMagic.size()) != kMagic) {
    return damaged("these are not the bytes of a model");
  }
  const std::uint32_t version = Reader(bytes.substr(kMagic.size())).u32();
  if (version < kFirstVersion || version > kVersion) {
    return Error{Code::kInvalid,
                 fmt::format("model: version {}, this program reads versions {} to {}", version,
                             kFirstVersion, kVersion),
                 "", "use the program that saved it"};
  }
  const std::string_view content = bytes.substr(0, bytes.size() - 8);
  if (Reader(bytes.substr(content.size())).u64() != hash64(content)) {
    return damaged("checksum does not match");
  }
  return content;
}

}  // namespace

void ModelSink::pass(std::string_view bytes) {
  drain();
  hash_.add(bytes);
  to_.write(bytes);
  passed_ += bytes.size();
}

void ModelSink::drain() {
  if (out.empty()) return;
  hash_.add(out);
  to_.write(out);
  passed_ += out.size();
  out.clear();
}

void ModelSink::seal() {
  drain();
  Writer(out).u64(hash_.hash64());
  drain();
}

Status can_use_threads(const ModelOptions& options, bool can_share, std::size_t threads) {
  if (threads < 1 || threads > kMostThreads) {
    return Error{Code::kInvalid,
                 fmt::format("threads is {}, must be in [1, {}]", threads, kMostThreads),
                 "threads"};
  }
  if (can_share || threads == 1) return ok_status();
  return Error{
      Code::kInvalid,
      fmt::format("{}{} learns on one thread", options.kind,
                  options.collision_free ? " with a collision-free table" : ""),
      "threads",
      "trees can, and kinds over fields (fwfm, ffm, wide_deep, deepfm, dcnv2, finalmlp, "
      "din, gru, sasrec) with a hashed table; without --threads another thread reads ahead"};
}

Status Model::use_threads(Threads threads) {
  return can_use_threads(options(), false, threads.count);
}

void Model::encode(std::string& out) const {
  StringSink sink(out);
  write(sink);
}

void StoredModel::write(ByteSink& to) const {
  ModelSink sink(to);
  Writer w(sink.out);
  sink.out.append(kMagic);
  w.u32(version_of(options_));
  put_options(w, options_);
  encode_state(sink);
  sink.seal();
}

Result<std::unique_ptr<Model>> make_model(const ModelOptions& options) {
  TRY(std::unique_ptr<Model> model, make_stored(options));
  return model;
}

Result<std::unique_ptr<Model>> decode_model(std::string_view bytes, std::shared_ptr<void> owner) {
  TRY(const std::string_view content, opened(bytes));
  ModelSource source{bytes, Reader(content.substr(kMagic.size() + 4)), std::move(owner)};
  const std::uint32_t version = Reader(bytes.substr(kMagic.size())).u32();
  const ModelOptions options = read_options(source.reader, version);
  if (!source.reader.ok()) return damaged("cut off");
  TRY(std::unique_ptr<StoredModel> model, make_stored(options));
  if (!model->restore(source) || !source.reader.ok() || !source.reader.done()) {
    return damaged("its contents make no sense");
  }
  return std::unique_ptr<Model>(std::move(model));
}

std::vector<ModelKind> model_kinds() {
  std::vector<ModelKind> all;
  for (const KindRow* row : kKinds) all.push_back(row->kind);
  return all;
}

namespace {

bool holds(std::string_view kind, bool ModelKind::*what) {
  return std::any_of(std::begin(kKinds), std::end(kKinds),
                     [&](const KindRow* row) { return row->kind.name == kind && row->kind.*what; });
}

}  // namespace

bool takes_tasks(std::string_view kind) { return holds(kind, &ModelKind::takes_tasks); }
bool takes_sequences(std::string_view kind) { return holds(kind, &ModelKind::takes_sequences); }
bool needs_sequences(std::string_view kind) { return holds(kind, &ModelKind::needs_sequences); }
bool reads_fields(std::string_view kind) { return holds(kind, &ModelKind::reads_fields); }

}  // namespace attune
