#include "format/event_formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/hash.h"
#include "base/nearest.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

Error no_file(const std::string& path, const std::string& wanted) {
  return {Code::kNotFound, fmt::format("{}: {}", path, wanted), "path",
          "name the file, or the folder it lies in"};
}

// The name without .gz or .zst.
std::string_view unpacked_name(std::string_view name) {
  for (const std::string_view end : {".gz", ".zst"}) {
    if (name.ends_with(end)) name.remove_suffix(end.size());
  }
  return name;
}

// Files of a folder by name, sorted.
std::vector<std::string> files_of(const std::string& folder) {
  std::vector<std::string> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_regular_file(error)) all.push_back(entry.path().string());
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::string name_of(const std::string& path) {
  return std::string(unpacked_name(fs::path(path).filename().string()));
}

Result<std::vector<std::string>> one_file(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return no_file(path, "is a folder, and must be a file");
  return std::vector<std::string>{path};
}

// The file itself, or the first of these names in the folder.
Result<std::vector<std::string>> file_named(const std::string& path,
                                            std::initializer_list<std::string_view> names) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<std::string>{path};
  const auto all = files_of(path);
  for (const std::string_view name : names) {
    for (const std::string& one : all) {
      if (name_of(one) == name) return std::vector<std::string>{one};
    }
  }
  return no_file(path, fmt::format("holds none of {}", fmt::join(names, ", ")));
}

Result<std::vector<std::string>> gowalla_files(const std::string& path) {
  return file_named(path, {"train.txt"});
}
Result<std::vector<std::string>> bank_files(const std::string& path) {
  return file_named(path, {"bank-full.csv", "bank-additional-full.csv"});
}
Result<std::vector<std::string>> movielens_files(const std::string& path) {
  return file_named(path, {"ratings.csv", "u.data", "ratings.dat"});
}

constexpr std::string_view kAttributes = "_item2attributes.json";

Result<std::vector<std::string>> s3rec_files(const std::string& path) {
  std::error_code error;
  std::string sequences = path;
  if (fs::is_directory(path, error)) {
    std::vector<std::string> found;
    for (const std::string& one : files_of(path)) {
      if (name_of(one).ends_with(".txt")) found.push_back(one);
    }
    if (found.empty()) return no_file(path, "holds no NAME.txt");
    if (found.size() > 1) {
      return no_file(path, fmt::format("holds several sets: {}", fmt::join(found, ", ")));
    }
    sequences = found.front();
  }
  std::vector<std::string> files = {sequences};
  std::string set = name_of(sequences);
  set.resize(set.size() - std::min(set.size(), set.ends_with(".txt") ? 4UL : 0UL));
  const auto folder = fs::path(sequences).parent_path().string();
  for (const std::string& one : files_of(folder.empty() ? "." : folder)) {
    if (name_of(one) == set + std::string(kAttributes)) files.push_back(one);
  }
  return files;
}

void add_obd_folder(const std::string& folder, std::vector<std::string>& items,
                    std::vector<std::string>& logs) {
  for (const std::string& one : files_of(folder)) {
    const std::string name = name_of(one);
    if (!name.ends_with(".csv")) continue;
    (name == "item_context.csv" ? items : logs).push_back(one);
  }
}

// The items first; those of several policies are the same.
Result<std::vector<std::string>> obd_files(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<std::string>{path};
  std::vector<std::string> items, logs;
  add_obd_folder(path, items, logs);
  for (const char* policy : {"random", "bts"}) {
    add_obd_folder((fs::path(path) / policy).string(), items, logs);
  }
  if (logs.empty()) return no_file(path, "holds no log, such as random/men.csv");
  if (items.size() > 1) items.resize(1);
  items.insert(items.end(), logs.begin(), logs.end());
  return items;
}

constexpr EventFormat kFormats[] = {
    {"csv", "CSV, TSV: a row is an event, by --map", true, one_file, open_table_events},
    {"jsonl", "JSONL: a line is an event, by --map", true, one_file, open_table_events},
    {"gowalla-ngcf", "train.txt: user item item ...", false, gowalla_files, open_gowalla},
    {"amazon-s3rec", "NAME.txt and NAME_item2attributes.json", false, s3rec_files, open_s3rec},
    {"uci-bank-marketing", "bank-full.csv: a client a row", false, bank_files, open_bank},
    {"obd", "Open Bandit: logged decisions with propensities", false, obd_files, open_obd},
    {"movielens", "ratings.csv, u.data or ratings.dat", false, movielens_files, open_movielens},
    {"criteo", "Criteo TSV: anonymous rows", false, one_file, open_labelled_rows},
    {"vw", "Vowpal Wabbit text: anonymous rows", false, one_file, open_labelled_rows},
    {"libsvm", "libsvm: anonymous rows", false, one_file, open_labelled_rows},
    {"libffm", "libffm: anonymous rows", false, one_file, open_labelled_rows},
};

constexpr std::uint64_t kSecondSeed = 0x243f6a8885a308d3;

}  // namespace

std::span<const EventFormat> event_formats() { return kFormats; }

Result<const EventFormat*> event_format(std::string_view name) {
  std::vector<std::string> known;
  for (const EventFormat& one : kFormats) {
    if (one.name == name) return &one;
    known.emplace_back(one.name);
  }
  const std::string meant = nearest(name, known);
  return Error{Code::kInvalid,
               fmt::format("unknown format {}{}", name,
                           meant.empty() ? "" : fmt::format(", did you mean {}?", meant)),
               "format", fmt::format("the formats are {}", fmt::join(known, ", "))};
}

Result<std::string> digest_of(const std::vector<std::string>& files) {
  std::uint64_t a = 0, b = kSecondSeed;
  std::string buffer(1u << 20, '\0');
  for (const std::string& file : files) {
    TRY(const auto source, ByteSource::open(file));
    while (true) {
      TRY(const std::size_t n, read_full(*source, buffer));
      const std::string_view bytes = std::string_view(buffer).substr(0, n);
      a = hash64(bytes, a);
      b = hash64(bytes, b);
      if (n < buffer.size()) break;
    }
  }
  return fmt::format("{:016x}{:016x}", a, b);
}

}  // namespace attune
