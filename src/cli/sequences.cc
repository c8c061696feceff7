#include "cli/sequences.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <memory>
#include <unordered_map>

#include "base/rng.h"

namespace attune {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMostTags = 8;
constexpr std::size_t kMostBytes = 1u << 30;
constexpr std::string_view kAttributes = "_item2attributes.json";

// Plain or gzip text.
Result<std::string> read_text(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzopen(path.c_str(), "rb"), ::gzclose);
  if (!file) return Error{Code::kNotFound, "cannot read " + path};
  std::string text;
  std::vector<char> chunk(1 << 16);
  while (true) {
    const int got = ::gzread(file.get(), chunk.data(), static_cast<unsigned>(chunk.size()));
    if (got < 0) return Error{Code::kCorrupt, path + ": the gzip data are damaged"};
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > kMostBytes) return Error{Code::kInvalid, path + " is larger than 1 GB"};
  }
}

// Sets of sequences in the folder: name and path.
std::map<std::string, std::string> sets_in(const std::string& folder) {
  std::map<std::string, std::string> sets;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    std::string name = entry.path().filename();
    if (name.ends_with(".gz")) name.resize(name.size() - 3);
    if (!name.ends_with(".txt")) continue;
    name.resize(name.size() - 4);
    sets[name] = entry.path();
  }
  return sets;
}

using NamedPath = std::pair<std::string, std::string>;

Result<NamedPath> choose_set(const std::string& folder, const std::string& wanted) {
  auto sets = sets_in(folder);
  if (sets.empty()) sets = sets_in(folder + "/amazon-s3rec-sequences");
  if (sets.empty()) {
    return Error{Code::kNotFound, "no sequences in " + folder, "data",
                 "it needs files such as Beauty.txt.gz: a line is a person and the items they "
                 "took, oldest first"};
  }
  const auto found = sets.find(wanted.empty() ? "Beauty" : wanted);
  if (found != sets.end()) return NamedPath(*found);
  if (wanted.empty()) return NamedPath(*sets.begin());
  std::string known;
  for (const auto& [name, path] : sets) known += (known.empty() ? "" : ", ") + name;
  return Error{Code::kInvalid, fmt::format("no set {} in {}", wanted, folder), "set",
               "there is: " + known};
}

struct Parser {
  const std::string& path;
  Sequences out = {};
  std::unordered_map<std::uint64_t, std::uint32_t> index = {};  // of items, by their number

  std::uint32_t item(std::uint64_t number) {
    const auto [at, is_new] = index.try_emplace(number, out.items.size());
    if (is_new) out.items.push_back(fmt::format("i{}", number));
    return at->second;
  }
  Status line(std::string_view text, std::size_t number);
  Status all(std::string_view text);
  Status attributes(const std::string& json_path);
};

Status Parser::line(std::string_view text, std::size_t number) {
  std::vector<std::uint64_t> values;
  while (!text.empty()) {
    if (text.front() == ' ' || text.front() == '\t' || text.front() == '\r') {
      text.remove_prefix(1);
      continue;
    }
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto size = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || (size < text.size() && text[size] > ' ')) {
      return Error{Code::kInvalid,
                   fmt::format("{} line {}: \"{}\" is not a number", path, number,
                               text.substr(0, text.find(' ')).substr(0, 20)),
                   "", "a line is a person's number and items' numbers, parted by spaces"};
    }
    values.push_back(value);
    text.remove_prefix(size);
  }
  if (values.size() < 2) return ok_status();  // nobody, or who took nothing
  out.persons.push_back(fmt::format("u{}", values[0]));
  auto& steps = out.steps.emplace_back();
  for (std::size_t i = 1; i < values.size(); ++i) steps.push_back(item(values[i]));
  out.step_count += steps.size();
  return ok_status();
}

Status Parser::all(std::string_view text) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    TRY_OK(line(text.substr(0, end), number));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (out.step_count != 0) return ok_status();
  return Error{Code::kInvalid, path + " holds no steps", "",
               "a line is a person's number and items' numbers, parted by spaces"};
}

// The values, the most frequent first, equals by value.
std::vector<std::string> tags_of(simdjson::dom::array values) {
  std::map<std::int64_t, int> counts;
  for (const auto value : values) {
    std::int64_t number = 0;
    if (!value.get(number)) ++counts[number];
  }
  std::vector<std::pair<int, std::int64_t>> order;
  order.reserve(counts.size());
  for (const auto& [value, count] : counts) order.emplace_back(-count, value);
  std::sort(order.begin(), order.end());
  if (order.size() > kMostTags) order.resize(kMostTags);
  std::vector<std::string> tags;
  tags.reserve(order.size());
  for (const auto& [count, value] : order) tags.push_back(fmt::format("a{}", value));
  return tags;
}

Status Parser::attributes(const std::string& json_path) {
  TRY(const std::string json, read_text(json_path));
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json).get(object)) {
    return Error{Code::kInvalid, json_path + " is not a JSON object", "",
                 "it must map items to arrays of attribute numbers"};
  }
  for (const auto field : object) {
    std::uint64_t number = 0;
    simdjson::dom::array values;
    std::from_chars(field.key.data(), field.key.data() + field.key.size(), number);
    const auto found = index.find(number);
    if (found != index.end() && !field.value.get(values)) out.tags[found->second] = tags_of(values);
  }
  return ok_status();
}

}  // namespace

Result<Sequences> read_sequences(const std::string& folder, const std::string& name) {
  TRY(const auto set, choose_set(folder, name));
  TRY(const std::string text, read_text(set.second));
  Parser parser{.path = set.second};
  TRY_OK(parser.all(text));
  parser.out.name = set.first;
  parser.out.tags.resize(parser.out.items.size());
  const std::string base =
      fs::path(set.second).parent_path() / (set.first + std::string(kAttributes));
  for (const std::string& path : {base + ".gz", base}) {
    std::error_code unreadable;
    if (!fs::exists(path, unreadable)) continue;
    TRY_OK(parser.attributes(path));
    break;
  }
  return std::move(parser.out);
}

std::vector<std::uint32_t> interleave(const Sequences& sequences, std::uint64_t seed) {
  std::vector<std::uint32_t> order;
  order.reserve(sequences.step_count);
  for (std::uint32_t person = 0; person < sequences.steps.size(); ++person) {
    order.insert(order.end(), sequences.steps[person].size(), person);
  }
  Rng rng(seed);
  rng.shuffle(order);
  return order;
}

}  // namespace attune
