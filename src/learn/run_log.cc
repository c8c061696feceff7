#include "learn/run_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

namespace attune {
namespace {

constexpr const char* kFile = "/runs.jsonl";
constexpr std::size_t kMostBytes = std::size_t{256} << 20;

void write_fields(JsonWriter& json, const Run& run) {
  json.field("time", run.time).field("version", run.version).field("file", run.file);
  json.field("data_hash", run.data_hash).field("kind", run.kind).field("model_id", run.model_id);
  json.field("output", run.output).field("seconds", run.seconds);
  json.key("parameters").begin_object();
  for (const auto& [name, value] : run.parameters) json.field(name, value);
  json.end_object().key("metrics").begin_object();
  for (const auto& [name, value] : run.metrics) json.field(name, value);
  json.end_object();
}

bool read_run(simdjson::dom::element root, Run& run) {
  const auto text = [&](const char* name, std::string& to) {
    std::string_view value;
    if (root[name].get(value)) return false;
    to = value;
    return true;
  };
  simdjson::dom::object parameters, metrics;
  if (!text("id", run.id) || !text("time", run.time) || !text("version", run.version) ||
      !text("file", run.file) || !text("data_hash", run.data_hash) || !text("kind", run.kind) ||
      !text("model_id", run.model_id) || !text("output", run.output) ||
      root["seconds"].get(run.seconds) || root["parameters"].get(parameters) ||
      root["metrics"].get(metrics)) {
    return false;
  }
  for (const auto& [name, value] : parameters) {
    std::string_view said;
    if (value.get(said)) return false;
    run.parameters.emplace_back(name, said);
  }
  for (const auto& [name, value] : metrics) {
    double number = 0;
    if (!value.get(number)) run.metrics.emplace_back(name, number);
  }
  return true;
}

// Values of each name over the runs, in the order in which names turn up.
template <class Of>
std::vector<RunDifference> side_by_side(const std::vector<Run>& runs, const Of& of) {
  std::vector<RunDifference> out;
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (const auto& [name, value] : of(runs[i])) {
      const auto [at, is_new] = places.try_emplace(name, out.size());
      if (is_new) out.push_back({name, std::vector<std::string>(runs.size())});
      out[at->second].values[i] = fmt::format("{}", value);
    }
  }
  return out;
}

}  // namespace

std::string run_id(const Run& run) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  write_fields(json, run);
  return fmt::format("r_{:012x}", hash64(text) >> 16);
}

std::string run_json(const Run& run) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("id", run.id);
  write_fields(json, run);
  json.end_object();
  return out;
}

Status append_run(const std::string& folder, const Run& run) {
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  const std::string path = folder + kFile;
  const Fd fd(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return file_error("open", path);
  std::string line = run_json(run) + "\n";
  char last = '\n';
  const off_t end = ::lseek(fd.get(), 0, SEEK_END);
  if (end > 0 && ::pread(fd.get(), &last, 1, end - 1) == 1 && last != '\n') line.insert(0, "\n");
  if (::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return file_error("write", path);
  }
  return ::fsync(fd.get()) == 0 ? ok_status() : Status(file_error("write", path));
}

Result<RunList> read_runs(const std::string& folder) {
  const std::string path = folder + kFile;
  if (!std::filesystem::exists(path)) {
    return Error{Code::kNotFound, fmt::format("no runs in {}", folder), "runs",
                 "attune train ... --runs " + folder + " records one"};
  }
  TRY(const MappedFile file, MappedFile::open(path));
  if (file.bytes().size() > kMostBytes) {
    return Error{Code::kInvalid, fmt::format("{} is larger than {} MB", path, kMostBytes >> 20),
                 "runs", "move it away: a new one begins with the next run"};
  }
  RunList out;
  simdjson::dom::parser parser;
  std::string_view rest = file.bytes();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    simdjson::dom::element root;
    Run run;
    if (parser.parse(simdjson::padded_string(line)).get(root) || !read_run(root, run)) {
      ++out.bad_lines;
    } else {
      out.runs.push_back(std::move(run));
    }
  }
  return out;
}

Result<Run> find_run(const RunList& list, const std::string& name) {
  if (name == "latest" && !list.runs.empty()) return list.runs.back();
  const Run* found = nullptr;
  for (const Run& run : list.runs) {
    if (run.id == name) return run;
    if (name.empty() || !run.id.starts_with(name)) continue;
    if (found != nullptr) {
      return Error{Code::kInvalid, fmt::format("several runs begin with {}", name), "run",
                   "say more of the id"};
    }
    found = &run;
  }
  if (found != nullptr) return *found;
  return Error{Code::kNotFound, fmt::format("no run {}", name), "run",
               "attune runs list names them"};
}

RunComparison compare_runs(const std::vector<Run>& runs) {
  RunComparison out;
  std::vector<RunDifference> all = side_by_side(runs, [](const Run& run) {
    auto parameters = run.parameters;
    parameters.emplace_back("file", run.file);
    parameters.emplace_back("data_hash", run.data_hash);
    parameters.emplace_back("version", run.version);
    return parameters;
  });
  for (RunDifference& one : all) {
    const auto& values = one.values;
    if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end()) {
      out.parameters.push_back(std::move(one));
    }
  }
  out.metrics = side_by_side(runs, [](const Run& run) { return run.metrics; });
  return out;
}

}  // namespace attune
