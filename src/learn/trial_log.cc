#include "learn/trial_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/hash.h"
#include "base/json.h"

namespace attune {
namespace {

constexpr std::string_view kFormat = "attune search 2";

// Floats as eight hexadecimal digits each: every bit of them counts.
std::string packed(const std::vector<float>& numbers) {
  std::string out;
  for (const float x : numbers) {
    fmt::format_to(std::back_inserter(out), "{:08x}", std::bit_cast<std::uint32_t>(x));
  }
  return out;
}

bool unpack(std::string_view text, std::vector<float>& to) {
  if (text.size() % 8 != 0) return false;
  for (std::size_t at = 0; at < text.size(); at += 8) {
    std::uint32_t bits = 0;
    const auto [end, fault] = std::from_chars(text.data() + at, text.data() + at + 8, bits, 16);
    if (fault != std::errc() || end != text.data() + at + 8) return false;
    to.push_back(std::bit_cast<float>(bits));
  }
  return true;
}

// {...} -> {...,"check":"<hash of all before>"}: a line that was damaged is not believed.
std::string checked(std::string line) {
  line.pop_back();
  return fmt::format("{},\"check\":\"{:016x}\"}}\n", line, hash64(line));
}

bool is_whole(std::string_view line) {
  constexpr std::size_t kTail = 28;  // ,"check":"0123456789abcdef"}
  if (line.size() < kTail) return false;
  const std::string_view before = line.substr(0, line.size() - kTail);
  return line.substr(before.size()) == fmt::format(",\"check\":\"{:016x}\"}}", hash64(before));
}

std::string head_line(const SearchSubject& subject) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("format", kFormat).field("data", subject.data);
  json.field("options", subject.options).end_object();
  return checked(std::move(text));
}

std::string trial_line(const SearchTrial& trial) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("search", fmt::format("{:016x}", trial.search));
  json.field("kind", trial.kind).key("settings").begin_object();
  for (const auto& [name, value] : trial.settings) json.key(name).raw(fmt::format("{}", value));
  json.end_object().field("rows", trial.rows).field("passes", trial.passes);
  json.field("rows_learned", trial.rows_learned).key("loss");
  // Shortest text that gives the same bits again.
  std::isfinite(trial.loss) ? json.raw(fmt::format("{}", trial.loss)) : json.null();
  if (trial.interval && std::isfinite(trial.interval->low + trial.interval->high)) {
    json.key("interval").raw(fmt::format("[{},{}]", trial.interval->low, trial.interval->high));
  }
  json.key("seconds").raw(fmt::format("{}", trial.seconds));
  json.field("losses", packed(trial.losses)).end_object();
  return checked(std::move(text));
}

bool read_trial(simdjson::dom::element root, SearchTrial& trial) {
  std::string_view search, kind, losses;
  simdjson::dom::object settings;
  if (root["search"].get(search) || root["kind"].get(kind) || root["losses"].get(losses) ||
      root["settings"].get(settings) || root["rows"].get(trial.rows) ||
      root["passes"].get(trial.passes) || root["rows_learned"].get(trial.rows_learned) ||
      root["seconds"].get(trial.seconds)) {
    return false;
  }
  if (root["loss"].get(trial.loss)) trial.loss = std::numeric_limits<double>::infinity();
  const char* const end = search.data() + search.size();
  if (std::from_chars(search.data(), end, trial.search, 16).ptr != end) return false;
  trial.kind = kind;
  for (const auto& [name, value] : settings) {
    double number = 0;
    if (value.get(number)) return false;
    trial.settings.emplace_back(name, number);
  }
  simdjson::dom::array interval;
  if (!root["interval"].get(interval)) {
    Interval of;
    if (interval.at(0).get(of.low) || interval.at(1).get(of.high)) return false;
    trial.interval = of;
  }
  return unpack(losses, trial.losses);
}

Error no_log(const std::string& path) {
  return {Code::kInvalid, fmt::format("{} is no file of a search", path), "resume",
          "name a file that is not there yet, or one that --resume made"};
}

Status check_head(const std::string& path, std::string_view line, const SearchSubject& subject) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view format, data, options;
  if (!is_whole(line) || parser.parse(simdjson::padded_string(line)).get(root) ||
      root["format"].get(format) || format != kFormat || root["data"].get(data) ||
      root["options"].get(options)) {
    return no_log(path);
  }
  if (data != subject.data) {
    return Error{Code::kInvalid, fmt::format("{} is of a search over other data", path), "resume",
                 "name another file, or go on with the rows it was begun with"};
  }
  if (options != subject.options) {
    return Error{Code::kInvalid,
                 fmt::format("{} is of a search with other options: {}; this one: {}", path,
                             options, subject.options),
                 "resume", "name another file, or give the options it was begun with"};
  }
  return ok_status();
}

}  // namespace

Result<TrialLog> TrialLog::open(const std::string& path, const SearchSubject& subject) {
  TrialLog log;
  log.path_ = path;
  log.fd_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!log.fd_.valid()) return file_error("open", path);
  struct stat about {};
  if (::fstat(log.fd_.get(), &about) != 0) return file_error("open", path);
  if (!S_ISREG(about.st_mode)) return no_log(path);
  if (::flock(log.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{Code::kConflict, fmt::format("{} is in use by another search", path), "resume",
                 "wait for it, or name another file"};
  }
  const auto bytes = static_cast<std::uint64_t>(about.st_size);
  if (bytes > kMostBytes) {
    return Error{Code::kInvalid, fmt::format("{} is larger than {} GB", path, kMostBytes >> 30),
                 "resume", "name another file"};
  }
  TRY(const std::string text, read_at(log.fd_.get(), path, 0, bytes));
  simdjson::dom::parser parser;
  std::size_t number = 0;
  while (log.size_ < text.size()) {
    const std::size_t end = text.find('\n', log.size_);
    if (end == std::string::npos) break;  // cut short: it is written again
    const std::string_view line = std::string_view(text).substr(log.size_, end - log.size_);
    if (number++ == 0) {
      TRY_OK(check_head(path, line, subject));
    } else {
      SearchTrial trial;
      simdjson::dom::element root;
      if (!is_whole(line) || parser.parse(simdjson::padded_string(line)).get(root) ||
          !read_trial(root, trial)) {
        return Error{Code::kCorrupt, fmt::format("{}: line {} is damaged", path, number), "resume",
                     "remove that line and those after it, or name another file"};
      }
      log.trials_.push_back(std::move(trial));
    }
    log.size_ = end + 1;
  }
  // What is no log is not written over, whatever its first line is.
  if (number == 0 && !head_line(subject).starts_with(text)) return no_log(path);
  log.known_ = log.trials_.size();
  if (::ftruncate(log.fd_.get(), static_cast<off_t>(log.size_)) != 0) {
    return file_error("write", path);
  }
  if (number > 0) return log;
  const std::string head = head_line(subject);
  TRY_OK(write_at(log.fd_.get(), path, 0, head));
  log.size_ = head.size();
  if (::fsync(log.fd_.get()) != 0) return file_error("write", path);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  TRY_OK(sync_directory(folder.empty() ? "." : folder));
  return log;
}

const SearchTrial* TrialLog::find(const SearchTrial& like) const {
  const auto at = std::find_if(trials_.begin(), trials_.end(),
                               [&](const SearchTrial& one) { return one.is_of(like); });
  return at == trials_.end() ? nullptr : &*at;
}

Status TrialLog::add(SearchTrial trial) {
  const std::string line = trial_line(trial);
  TRY_OK(write_at(fd_.get(), path_, size_, line));
  if (::fdatasync(fd_.get()) != 0) return file_error("write", path_);
  size_ += line.size();
  trials_.push_back(std::move(trial));
  return ok_status();
}

}  // namespace attune
