#include "collect/quality.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/hash.h"
#include "base/nearest.h"

namespace attune {
namespace {

constexpr std::size_t kRowsToFindTimes = 100;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::size_t place_of(const std::vector<ColumnQuality>& columns, std::string_view name) {
  const auto at = std::find_if(columns.begin(), columns.end(),
                               [&](const ColumnQuality& c) { return c.name() == name; });
  return static_cast<std::size_t>(at - columns.begin());
}

template <class Matches>
std::size_t first_named(const std::vector<ColumnQuality>& columns, const Matches& matches) {
  const auto at = std::find_if(columns.begin(), columns.end(),
                               [&](const ColumnQuality& c) { return matches(lower(c.name())); });
  return static_cast<std::size_t>(at - columns.begin());
}

}  // namespace

std::string_view weight_name(Weight weight) {
  return weight == Weight::kStop ? "stop" : weight == Weight::kWarn ? "warn" : "note";
}

std::string day_text(std::int64_t day) {
  return format_iso8601(time_from_us(day * 86'400'000'000)).substr(0, 10);
}

void Volume::add(Time time, std::string_view verb) {
  const std::int64_t day = std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
  if (days.size() < kMostDays || days.contains(day)) ++days[day];
  if (verb.empty() || !days.contains(day)) return;
  auto at = verbs.find(verb);
  if (at == verbs.end()) {
    if (verbs.size() == kMostVerbs) return;
    at = verbs.emplace(std::string(verb.substr(0, 60)), std::map<std::int64_t, std::uint64_t>())
             .first;
  }
  ++at->second[day];
}

Result<Quality> Quality::make(std::span<const std::string> columns, const QualityOptions& options) {
  Quality out;
  out.options_ = options;
  std::vector<std::string> names(columns.begin(), columns.end());
  for (const std::string& name : names) out.columns_.emplace_back(name);
  for (const std::string* name : {&options.target, &options.key}) {
    if (name->empty() || std::find(names.begin(), names.end(), *name) != names.end()) continue;
    const std::string meant = nearest(*name, names);
    return Error{Code::kInvalid,
                 fmt::format("no column {}{}", *name,
                             meant.empty() ? "" : fmt::format(", did you mean {}?", meant)),
                 *name, ""};
  }
  const auto& all = out.columns_;
  out.target_ = options.target.empty() ? all.size() : place_of(all, options.target);
  out.key_ = options.key.empty()
                 ? first_named(all,
                               [](const std::string& name) {
                                 return is_one_of(name, {"id", "uuid", "row_id", "message_id",
                                                         "event_id", "messageid"});
                               })
                 : place_of(all, options.key);
  out.verb_ = first_named(all, [](const std::string& name) {
    return is_one_of(name, {"verb", "event", "event_type", "action", "type"});
  });
  out.time_ = all.size();
  return out;
}

float Quality::label_of(std::string_view cell) const {
  if (cell.empty()) return std::numeric_limits<float>::quiet_NaN();
  if (!options_.positive.empty()) return cell == options_.positive ? 1.0F : 0.0F;
  const std::string word = lower(cell);
  if (is_one_of(word, {"yes", "true", "1"})) return 1;
  if (is_one_of(word, {"no", "false", "0"})) return 0;
  return std::numeric_limits<float>::quiet_NaN();
}

void Quality::add(std::span<const std::string_view> cells, std::uint64_t line, std::uint64_t rest) {
  CHECK(cells.size() == columns_.size());
  ++rows_;
  const float label =
      target_ < cells.size() ? label_of(cells[target_]) : std::numeric_limits<float>::quiet_NaN();
  if (!std::isnan(label)) {
    ++labelled_;
    positives_ += label > 0 ? 1 : 0;
  }
  std::uint64_t row_hash = rest;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    row_hash = mix64(row_hash, hash64(cells[i]));
    columns_[i].add(cells[i], line, label, options_.now);
  }
  if (row_repeats_.add(row_hash, line) != 0) repeated_.add(line, "");
  if (key_ < cells.size() && !cells[key_].empty() &&
      key_repeats_.add(hash64(cells[key_], 1), line) != 0) {
    repeated_key_.add(line, cells[key_]);
  }
  add_volume(cells);
}

// The first column of times, once it is plain that it holds them.
void Quality::add_volume(std::span<const std::string_view> cells) {
  if (time_ == columns_.size() && rows_ <= kRowsToFindTimes) {
    const auto at = std::find_if(columns_.begin(), columns_.end(),
                                 [](const ColumnQuality& c) { return c.is_time(); });
    time_ = static_cast<std::size_t>(at - columns_.begin());
    if (time_ < cells.size()) {
      volume_.time_column = columns_[time_].name();
      if (verb_ < cells.size()) volume_.verb_column = columns_[verb_].name();
    }
  }
  if (time_ >= cells.size()) return;
  std::string_view offset;
  const auto time = time_in_cell(cells[time_], offset);
  if (time) volume_.add(*time, verb_ < cells.size() ? cells[verb_] : std::string_view{});
}

void Quality::add_bad(std::uint64_t line, std::string_view reason) { bad_.add(line, reason); }

}  // namespace attune
