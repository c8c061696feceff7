#include "engine/stream_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>

#include "base/bytes.h"
#include "base/process.h"
#include "feature/row.h"
#include "learn/trained.h"
#include "model/model_file.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

constexpr auto kRetry =
    std::chrono::milliseconds(20);  // a model that could not learn, as it is held
constexpr auto kStoreWait = std::chrono::seconds(60);
constexpr int kStoreRetries = 250;
constexpr std::string_view kStateSection = "stream";

struct Stored {
  std::string id;  // of the registered file
  std::uint64_t tick = 0;
  std::string measures;
};

std::string encode(const Stored& stored) {
  std::string out;
  Writer w(out);
  w.str(stored.id);
  w.varint(stored.tick);
  w.str(stored.measures);
  return out;
}

Result<Stored> decode_stored(std::string_view bytes) {
  Reader r(bytes);
  Stored out;
  out.id = r.str();
  out.tick = r.varint();
  out.measures = r.str();
  if (r.ok() && r.done()) return out;
  return Error{Code::kCorrupt, "the state of a model that follows the stream is cut short"};
}

void write_pair(JsonWriter& json, std::string_view name, const PairedLoss& pair) {
  json.key(name);
  if (pair.n() == 0) {
    json.null();
    return;
  }
  json.begin_object().field("rows", pair.n()).field("log_loss", *pair.log_loss());
  json.field("other_log_loss", *pair.other_log_loss()).field("difference", *pair.difference());
  if (const auto range = pair.interval()) {
    json.key("interval").begin_array().value(range->low).value(range->high).end_array();
  }
  json.end_object();
}

}  // namespace

StreamModels::StreamModels(Options options)
    : options_(std::move(options)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

StreamModels::~StreamModels() {
  thread_.request_stop();
  thread_.join();
}

std::string StreamModels::path_of(const Key& key) const {
  return fmt::format("{}/{}@{}.stream", options_.folder, key.first, key.second);
}

// Those of names where something learns or challenges; what else is promoted needs no measuring.
std::vector<StreamModels::Wanted> StreamModels::wanted_of(const Catalog& catalog) {
  std::vector<Wanted> out;
  for (const auto& [name, model] : catalog.models().models()) {
    if (!model.challenger && model.learning.empty()) continue;
    for (const ModelVersion& version : model.versions) {
      const Wanted wanted{name, version, model.is_learning(version.number),
                          &version == model.promoted(),
                          model.challenger && model.challenger->version == version.number};
      const bool is_wanted = wanted.is_learning || wanted.is_champion || wanted.is_challenger;
      if (is_wanted && version.input == kWorkspaceInput) out.push_back(wanted);
    }
  }
  if (out.size() > kMostFollowed) out.resize(kMostFollowed);
  return out;
}

void StreamModels::add(const Outcome& outcome, double weight, double live) {
  if (!is_following_) return;
  if (!block_) block_ = std::make_shared<StreamBlock>();
  Examples& rows = block_->rows;
  rows.features.insert(rows.features.end(), outcome.row.begin(), outcome.row.end());
  rows.ends.push_back(static_cast<std::uint32_t>(rows.features.size()));
  add_live_fields(rows);
  rows.labels.push_back(outcome.label ? 1.0F : 0.0F);
  rows.weights.push_back(static_cast<float>(weight));
  block_->is_counted.push_back(outcome.is_provisional ? 0 : 1);
  block_->live.push_back(static_cast<float>(live));
  if (rows.size() >= kBlockRows) close_block();
}

void StreamModels::close_block() {
  if (!block_) return;
  step_.bytes += block_->bytes();
  step_.blocks.push_back(std::move(block_));
  block_ = nullptr;
}

void StreamModels::end_tick(std::uint64_t tick, const std::shared_ptr<const Catalog>& catalog) {
  close_block();
  step_.tick = tick;
  if (catalog != catalog_) {
    step_.catalog = catalog_ = catalog;
    is_following_ = !wanted_of(*catalog).empty();
  }
  if (step_.blocks.empty() && !step_.catalog) return;
  std::unique_lock lock(mutex_);
  if (queued_bytes_ > kMostQueuedBytes && is_patient_) {
    changed_.wait(lock, [&] { return queued_bytes_ <= kMostQueuedBytes; });
  }
  if (queued_bytes_ > kMostQueuedBytes) {
    for (const auto& block : step_.blocks) skipped_ += block->rows.size();
    step_.blocks.clear();
    step_.bytes = 0;
  }
  queued_bytes_ += step_.bytes;
  queue_.push_back(std::exchange(step_, {}));
  ++given_;
  changed_.notify_all();
}

StreamModels::Serving StreamModels::serving(const std::string& name, std::uint32_t version) {
  const std::scoped_lock lock(mutex_);
  const auto found = served_.find({name, version});
  if (found == served_.end()) return {};
  return {found->second->serving(), served_until_[found->first]};
}

std::vector<StreamModels::Fault> StreamModels::take_faults() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(faults_, {});
}

void StreamModels::run(const std::stop_token& stop) {
  name_thread("stream models");
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto is_due = [&] {
      return !queue_.empty() || (store_done_ != store_asked_ && taken_ >= store_after_);
    };
    if (is_retrying_) {
      changed_.wait_for(lock, stop, kRetry, is_due);
    } else {
      changed_.wait(lock, stop, is_due);
    }
    if (!is_due()) {  // the end, or time to try again
      lock.unlock();
      retry();
      lock.lock();
      continue;
    }
    if (store_done_ != store_asked_ && taken_ >= store_after_) {
      const std::uint64_t asked = store_asked_;
      lock.unlock();
      Status status = store_all();
      lock.lock();
      stored_ = std::move(status);
      store_done_ = asked;
    } else {
      const Step step = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      take(step);
      lock.lock();
      queued_bytes_ -= step.bytes;
      ++taken_;
    }
    changed_.notify_all();
  }
}

// What could not be learned while somebody held both twins.
void StreamModels::retry() {
  const std::scoped_lock lock(models_mutex_);
  is_retrying_ = false;
  for (auto& [key, one] : models_) {
    if (one.model->waiting() == 0) continue;
    if (one.model->catch_up()) {
      ++revision_;
    } else {
      is_retrying_ = true;
    }
  }
}

void StreamModels::take(const Step& step) {
  const std::scoped_lock models_lock(models_mutex_);
  if (step.catalog) follow(*step.catalog);
  for (const auto& block : step.blocks) learn(block, step.tick);
  bool is_learned = false;
  const std::scoped_lock lock(mutex_);
  for (auto& [key, one] : models_) {
    one.until = std::max(one.until, step.tick);
    is_retrying_ |= one.model->waiting() > 0;
    is_learned |= one.what.is_learning && !step.blocks.empty();
    if (one.what.is_learning) served_until_[key] = one.until;
    if (one.model->fault().empty() || std::exchange(one.is_fault_said, true)) continue;
    faults_.push_back({key.first, one.model->fault(), key.second});
    served_.erase(key);  // as it is registered, from now on
    is_learned = true;
  }
  if (is_learned) ++revision_;
}

// What is promoted comes first, so that its challenger can be told from it.
void StreamModels::learn(const std::shared_ptr<const StreamBlock>& block, std::uint64_t tick) {
  std::map<std::string_view, std::span<const float>> champions;
  for (const bool is_champion : {true, false}) {
    for (auto& [key, one] : models_) {
      if (one.what.is_champion != is_champion || tick <= one.until) continue;
      if (!one.model->fault().empty()) continue;
      const auto champion = champions.find(key.first);
      const bool is_beside = one.what.is_challenger && champion != champions.end();
      const auto said =
          one.model->take(block, is_beside ? champion->second : std::span<const float>());
      if (is_champion) champions.emplace(key.first, said);
    }
  }
}

// From here on the models this catalog wants, and no others.
void StreamModels::follow(const Catalog& catalog) {
  std::map<Key, Wanted> wanted;
  for (Wanted& one : wanted_of(catalog)) {
    wanted.emplace(Key(one.name, one.version.number), std::move(one));
  }
  for (auto at = models_.begin(); at != models_.end();) {
    const auto still = wanted.find(at->first);
    const bool goes_on = still != wanted.end() &&
                         still->second.is_learning == at->second.what.is_learning &&
                         options_.registered(still->second.version, catalog) != nullptr;
    if (goes_on) {
      at->second.what = std::move(still->second);
      wanted.erase(still);
      ++at;
      continue;
    }
    {
      const std::scoped_lock lock(mutex_);
      served_.erase(at->first);
      served_until_.erase(at->first);
    }
    std::error_code ignored;  // a file too many is found stale by its id or its tick
    fs::remove(path_of(at->first), ignored);
    at = models_.erase(at);
    ++revision_;
  }
  for (const auto& [key, one] : wanted) {
    const auto registered = options_.registered(one.version, catalog);
    if (!registered || !registered->options().tasks.empty()) continue;  // verbs are known later
    const auto at = models_.emplace(key, begin(one, registered)).first;
    const std::scoped_lock lock(mutex_);
    if (at->second.model->is_learning()) served_[key] = at->second.model.get();
  }
}

StreamModels::Followed StreamModels::begin(const Wanted& wanted,
                                           const std::shared_ptr<const Model>& registered) const {
  Followed out;
  out.what = wanted;
  out.model = std::make_unique<StreamModel>(registered);
  const std::string path = path_of({wanted.name, wanted.version.number});
  Status status = fs::exists(path) ? load(path, out) : ok_status();
  if (status.ok() && wanted.is_learning && !out.model->is_learning()) {
    const std::string file = options_.path_of(wanted.version);
    status = out.model->learn_from([&file]() -> Result<std::unique_ptr<Model>> {
      TRY(const ModelFile opened, ModelFile::open(file));
      return opened.model();
    });
  }
  if (!status.ok() && options_.log) {
    options_.log->write(LogLevel::kError, "stream_model_not_begun",
                        {{"model", fmt::format("{}@{}", wanted.name, wanted.version.number)},
                         {"message", status.error().message}});
  }
  return out;
}

Status StreamModels::load(const std::string& path, Followed& into) const {
  TRY(const ModelFile file, ModelFile::open(path));
  TRY(const std::string_view bytes, file.section(kStateSection));
  TRY(const Stored stored, decode_stored(bytes));
  if (stored.id != into.what.version.id) return ok_status();  // of another model once of this name
  if (into.what.is_learning != file.has("model")) return ok_status();
  TRY(into.model->measures, StreamMeasures::decode(stored.measures));
  into.until = stored.tick;
  into.stored = into.model->measures.progressive.n();
  if (!into.what.is_learning) return ok_status();
  return into.model->learn_from([&path]() -> Result<std::unique_ptr<Model>> {
    TRY(const ModelFile opened, ModelFile::open(path));
    return opened.model();
  });
}

Status StreamModels::store() {
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = ++store_asked_;
  store_after_ = given_;
  changed_.notify_all();
  const bool is_done = changed_.wait_for(lock, kStoreWait, [&] { return store_done_ >= ticket; });
  if (is_done) return stored_;
  return Error{Code::kUnavailable, "models that learn from the stream lag by more than a minute"};
}

Status StreamModels::store_all() {
  const std::scoped_lock lock(models_mutex_);
  if (models_.empty()) return ok_status();
  TRY_OK(options_.flush_journal());
  std::error_code error;
  fs::create_directories(options_.folder, error);
  if (error) return Error{Code::kUnavailable, options_.folder + ": " + error.message()};
  Status first = ok_status();
  for (auto& [key, one] : models_) {
    Status status = store_one(path_of(key), one);
    if (first.ok()) first = std::move(status);
  }
  return first;
}

Status StreamModels::store_one(const std::string& path, Followed& one) const {
  const std::uint64_t rows = one.model->measures.progressive.n();
  if (rows == one.stored || !one.model->fault().empty()) return ok_status();
  for (int i = 0; i < kStoreRetries && !one.model->catch_up(); ++i) {
    std::this_thread::sleep_for(kRetry);
  }
  if (one.model->waiting() > 0) {
    return Error{Code::kUnavailable, "a model that learns is held by others for too long"};
  }
  Stored stored{one.what.version.id, one.until, ""};
  one.model->measures.encode(stored.measures);
  const std::string bytes = encode(stored);
  std::vector<ModelSection> sections = {{std::string(kStateSection), bytes}};
  if (one.model->is_learning()) sections.push_back({"model", {}, one.model->newest()});
  TRY_OK(store_model_file(path, sections));
  one.stored = rows;
  return ok_status();
}

Result<StreamModels::Learned> StreamModels::learned(const std::string& name,
                                                    std::uint32_t version) {
  TRY_OK(store());
  const std::scoped_lock lock(models_mutex_);
  const auto refuse = [&](std::string_view why) {
    return Error{
        Code::kConflict, fmt::format("{}@{} {}", name, version, why), "version",
        fmt::format("attune registry learn {}@{} lets it learn from the stream", name, version)};
  };
  const auto found = models_.find({name, version});
  if (found == models_.end() || !found->second.model->is_learning()) {
    return refuse("does not learn from the stream");
  }
  if (found->second.stored == 0) return refuse("has learned nothing from the stream yet");
  TRY(const ModelFile file, ModelFile::open(path_of(found->first)));
  TRY(const std::string_view bytes, file.section(kStateSection));
  TRY(const Stored stored, decode_stored(bytes));
  Learned out;
  out.tick = stored.tick;
  TRY(out.measures, StreamMeasures::decode(stored.measures));
  TRY(out.model, file.model());
  return out;
}

void StreamModels::write(JsonWriter& json, std::string_view name) const {
  const std::scoped_lock lock(models_mutex_);
  json.begin_array();
  for (const auto& [key, one] : models_) {
    if (!name.empty() && key.first != name) continue;
    const StreamMeasures& measures = one.model->measures;
    json.begin_object().field("name", key.first).field("version", std::uint64_t{key.second});
    json.field("is_learning", one.what.is_learning).field("is_promoted", one.what.is_champion);
    json.field("is_challenger", one.what.is_challenger).field("until_tick", one.until);
    json.key("progressive").raw(measures.progressive.json());
    write_pair(json, "beside_live_learner", measures.beside_live);
    write_pair(json, "beside_registered", measures.beside_registered);
    write_pair(json, "beside_promoted", measures.beside_champion);
    json.field("fault", one.model->fault()).end_object();
  }
  json.end_array();
}

std::size_t StreamModels::memory_bytes() const {
  const std::scoped_lock lock(models_mutex_);
  std::size_t bytes = 0;
  for (const auto& [key, one] : models_) {
    if (one.model->newest() != nullptr) bytes += 2 * one.model->newest()->memory_bytes();
  }
  return bytes;
}

}  // namespace attune
