#include "feature/derive_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "feature/cell.h"
#include "feature/column_sketch.h"
#include "feature/plan_kinds.h"

namespace attune {
namespace {

using enum FeatureKind;
constexpr std::size_t kFewRows = 50;      // below, "every value differs" says nothing
constexpr std::size_t kMostCodes = 12;    // whole numbers of so few values are codes
constexpr std::size_t kNumberBins = 10;   // about equally full
constexpr double kLongTail = 30;          // greatest size over the median one: take logarithms
constexpr std::size_t kMostLists = 8;     // columns whose entries are looked for in other columns
constexpr std::size_t kLeastShared = 20;  // different entries that are values of another column
constexpr int kSequenceEntries = 20;

// Features of one column, and why.
struct Verdict {
  std::vector<PlanFeature> features;
  std::string reason;
};

Verdict left_out(std::string why) { return {{}, std::move(why) + ": left out"}; }

PlanFeature feature_of(FeatureKind kind, const std::string& column) {
  PlanFeature feature;
  feature.kind = kind;
  feature.of = {"column." + column};
  return feature;
}

bool is_id_name(const std::string& column) {
  const std::string words = words_of_name(column);
  const std::string last = words.substr(words.rfind(' ') + 1);
  return last == "id" || last == "uuid" || last == "guid" || last == "key" || last == "index";
}

// "12 values in 5,000 rows", and how many cells are missing.
std::string counts_of(const ColumnSketch& s) {
  std::string text = fmt::format("{} values in {} rows", grouped(s.values.size()), grouped(s.rows));
  if (s.filled < s.rows) text += fmt::format(", {} missing", grouped(s.rows - s.filled));
  return text;
}

Verdict category_of(const std::string& column, const ColumnSketch& s, const std::string& note) {
  PlanFeature feature = feature_of(kCategory, column);
  const bool is_wide = 10 * s.values.size() > s.filled && s.filled >= kFewRows;
  if (is_wide) feature.min_count = 2;
  return {{feature},
          fmt::format("{}{}: category{}", note, counts_of(s),
                      is_wide ? ", values seen once share a weight" : "")};
}

// How many entries of lists there are; 0 unless a fifth of the cells have several.
std::unordered_map<std::string_view, std::size_t> entries_of(const TableSample& sample,
                                                             std::size_t column) {
  std::unordered_map<std::string_view, std::size_t> entries;
  std::size_t filled = 0, several = 0;
  for (std::size_t row = 0; row < sample.rows(); ++row) {
    std::size_t n = 0;
    each_token(sample.cell(row, column), "", [&](std::string_view token) {
      ++entries[token];
      ++n;
    });
    filled += n > 0 ? 1 : 0;
    several += n > 1 ? 1 : 0;
  }
  if (5 * several < filled || several == 0) entries.clear();
  return entries;
}

// How many of them are values of the column, if as many differ as must.
std::size_t shared_with(const std::unordered_map<std::string_view, std::size_t>& entries,
                        const TableSample& sample, std::size_t column) {
  std::unordered_set<std::string_view> values;
  for (std::size_t row = 0; row < sample.rows(); ++row) {
    values.insert(trimmed(sample.cell(row, column)));
  }
  std::size_t shared = 0, different = 0;
  for (const auto& [entry, count] : entries) {
    if (!values.contains(entry)) continue;
    shared += count;
    ++different;
  }
  return different < kLeastShared ? 0 : shared;
}

Verdict number_of_column(const std::string& column, const ColumnSketch& s) {
  const double size = std::max(std::abs(s.min), std::abs(s.max));
  PlanFeature number = feature_of(kNumber, column);
  number.is_log = s.median_size > 0 && size > kLongTail * s.median_size;
  PlanFeature bins = feature_of(kBins, column);
  bins.bins = static_cast<int>(kNumberBins);
  bins.has_missing = false;  // the number's weight says it
  std::string reason =
      fmt::format("number {}{}: {} and in {} bins", range_text(s.min, s.max),
                  number.is_log ? fmt::format(", median {:.6g}", s.median) : "",
                  number.is_log ? "its logarithm standardised" : "standardised", kNumberBins);
  if (s.numbers < s.rows) {
    reason += fmt::format(", a weight for the {} cells without one", grouped(s.rows - s.numbers));
  }
  return {{number, bins}, reason};
}

Verdict of_numbers(const std::string& column, const ColumnSketch& s) {
  const bool is_whole = s.whole == s.numbers;
  const bool is_distinct = s.values.size() == s.filled && s.filled >= kFewRows;
  const bool is_counter = s.max - s.min == static_cast<double>(s.filled - 1);
  if (is_whole && is_distinct && (is_counter || is_id_name(column))) {
    return left_out(
        fmt::format("every value differs, as in a list of ids ({})", range_text(s.min, s.max)));
  }
  if (is_whole && is_id_name(column)) return category_of(column, s, "an id by its name, ");
  if (is_whole && s.values.size() <= kMostCodes) {
    return category_of(column, s, "whole numbers, ");
  }
  return number_of_column(column, s);
}

Verdict of_texts(const std::string& column, const ColumnSketch& s) {
  const bool repeats = s.tokens > 0 && 2 * s.different_tokens <= s.tokens;
  const double words = s.share(s.words);
  if (s.separator != 0 && repeats) {
    PlanFeature bag = feature_of(kBag, column);
    bag.separator = std::string(1, s.separator);
    return {{bag},
            fmt::format("lists parted by \"{}\", {} different of {} entries: bag", s.separator,
                        grouped(s.different_tokens), grouped(s.tokens))};
  }
  if (words >= 3 && 2 * s.values.size() > s.filled) {
    PlanFeature bag = feature_of(kBag, column);
    bag.min_count = 2;
    return {{bag},
            fmt::format("texts of {:.0f} words on average: bag of words, those seen once "
                        "share a weight",
                        words)};
  }
  if (s.filled >= kFewRows && 10 * s.values.size() >= 9 * s.filled) {
    return left_out(s.values.size() == s.filled ? "every value differs"
                                                : counts_of(s) + ", nearly every value differs");
  }
  return category_of(column, s, "");
}

Verdict verdict_of(const std::string& column, const ColumnSketch& s) {
  if (s.filled == 0) return left_out("no value in it");
  if (s.values.size() == 1 && s.filled == s.rows) return left_out("always the same value");
  if (s.is_number()) return of_numbers(column, s);
  if (s.share(s.times) >= 0.95) {
    PlanFeature hour = feature_of(kTime, column), weekday = hour;
    hour.part = "hour";
    weekday.part = "weekday";
    return {{hour, weekday}, "a time: hour and weekday"};
  }
  if (s.share(s.brackets) >= 0.95 && s.length <= 1024) {
    return {{feature_of(kVector, column)}, fmt::format("vectors of {} numbers", s.length)};
  }
  return of_texts(column, s);
}

// Words that mean 1 when a column holds two texts.
constexpr std::array<std::string_view, 12> kYes = {"yes", "y",        "true",      "t",
                                                   "1",   "positive", "click",     "clicked",
                                                   "buy", "bought",   "converted", "churned"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// Of two values, the one that means 1: a yes, the greater number, else the rarer one.
std::string_view likely_positive(const ColumnSketch& s) {
  const auto first = s.values.begin(), second = std::next(first);
  if (s.is_number())
    return *number_of(first->first) > *number_of(second->first) ? first->first : second->first;
  for (const auto& [value, count] : s.values) {
    if (std::find(kYes.begin(), kYes.end(), lower(value)) != kYes.end()) return value;
  }
  if (first->second != second->second) {
    return first->second < second->second ? first->first : second->first;
  }
  return std::max(first->first, second->first);
}

class TableDeriver {
 public:
  TableDeriver(const TableSample& sample, const DeriveOptions& options)
      : sample_(sample), options_(options) {}

  Result<DerivedPlan> derive() {
    if (sample_.rows() == 0) return Error{Code::kInvalid, "no rows to derive a plan from", "", ""};
    Sensitive& sensitive = out_.plan.sensitive;
    sensitive.names = usual_sensitive_names();
    for (const std::string& name : options_.allow) sensitive.allow.push_back(words_of_name(name));
    std::sort(sensitive.allow.begin(), sensitive.allow.end());
    for (const std::string* name : {&options_.target, &options_.weight}) {
      if (!name->empty()) TRY_OK(known(*name));
    }
    for (const std::string& name : options_.drop) TRY_OK(known(name));
    out_.plan.target = options_.target;
    out_.plan.weight = options_.weight;
    find_sequences();
    for (std::size_t i = 0; i < sample_.columns().size(); ++i) TRY_OK(column(i));
    if (!out_.plan.features.empty()) return std::move(out_);
    return Error{Code::kInvalid, "no column is of use as a feature", "", reasons()};
  }

 private:
  Status known(const std::string& name) const {
    const auto& columns = sample_.columns();
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) return ok_status();
    return Error{Code::kInvalid, fmt::format("no column {}{}", name, did_you_mean(name, columns)),
                 name, ""};
  }
  std::string reasons() const {
    std::string text;
    for (const PlanReason& one : out_.reasons) {
      text += (text.empty() ? "" : "; ") + one.of + ": " + one.reason;
    }
    return text.substr(0, 1000);
  }
  // Whether a column is looked at at all.
  bool is_free(std::size_t at) const {
    const std::string& name = sample_.columns()[at];
    const auto& columns = sample_.columns();
    return !name.empty() && name != options_.target && name != options_.weight &&
           std::find(options_.drop.begin(), options_.drop.end(), name) == options_.drop.end() &&
           out_.plan.sensitive.match(name).empty() &&
           std::find(columns.begin(), columns.end(), name) ==
               columns.begin() + static_cast<std::ptrdiff_t>(at);
  }
  // Lists of which most entries are values of another column say what came before.
  void find_sequences() {
    std::size_t lists = 0;
    for (std::size_t i = 0; i < sample_.columns().size() && lists < kMostLists; ++i) {
      if (!is_free(i)) continue;
      const auto entries = entries_of(sample_, i);
      if (entries.empty()) continue;
      ++lists;
      std::size_t all = 0, most = 0, of = i;
      for (const auto& [entry, count] : entries) all += count;
      for (std::size_t other = 0; other < sample_.columns().size(); ++other) {
        if (other == i || !is_free(other)) continue;
        const std::size_t shared = shared_with(entries, sample_, other);
        if (shared > most) {
          most = shared;
          of = other;
        }
      }
      if (2 * most >= all && !sequences_.contains(of)) sequences_.emplace(i, of);
    }
    std::erase_if(sequences_, [&](const auto& one) { return sequences_.contains(one.second); });
  }
  Verdict sequence_of(std::size_t at, std::size_t of) const {
    PlanFeature feature = feature_of(kSequence, sample_.columns()[at]);
    feature.last = kSequenceEntries;
    feature.as = "column." + sample_.columns()[of];
    return {{feature},
            fmt::format("lists of what {} holds: sequence, the last entry is taken for the newest",
                        feature.as)};
  }
  Verdict verdict_at(std::size_t at) const {
    const std::string& name = sample_.columns()[at];
    if (const auto own = sequences_.find(at); own != sequences_.end()) {
      return sequence_of(at, own->second);
    }
    const ColumnSketch sketch = sketch_of(sample_, at);
    for (const auto& [list, of] : sequences_) {
      if (of != at) continue;
      return category_of(name, sketch,
                         fmt::format("what column.{} lists, ", sample_.columns()[list]));
    }
    return verdict_of(name, sketch);
  }
  Status column(std::size_t at) {
    const std::string& name = sample_.columns()[at];
    if (name == options_.target) return target(at);
    const bool is_dropped =
        std::find(options_.drop.begin(), options_.drop.end(), name) != options_.drop.end();
    const std::string_view listed = out_.plan.sensitive.match(name);
    const auto& columns = sample_.columns();
    const bool is_again = std::find(columns.begin(), columns.end(), name) !=
                          columns.begin() + static_cast<std::ptrdiff_t>(at);
    Verdict verdict;
    if (name.empty() || is_again) {
      verdict = left_out(name.empty() ? "no name" : "a second column of this name");
    } else if (name == options_.weight) {
      verdict.reason = "the weight of each row";
    } else if (is_dropped) {
      verdict = left_out("as told");
    } else if (!listed.empty()) {
      verdict = left_out(
          fmt::format("sensitive ({}), allow = [\"{}\"] lets it in", listed, words_of_name(name)));
    } else {
      verdict = verdict_at(at);
    }
    add(name, std::move(verdict));
    return ok_status();
  }
  void add(const std::string& name, Verdict verdict) {
    PlanReason reason{"column." + name, std::move(verdict.reason), !verdict.features.empty()};
    reason.begin = out_.plan.features.size();
    for (PlanFeature& feature : verdict.features) out_.plan.features.push_back(std::move(feature));
    reason.end = out_.plan.features.size();
    out_.reasons.push_back(std::move(reason));
  }
  Status target(std::size_t at) {
    const ColumnSketch s = sketch_of(sample_, at);
    const auto wrong = [&](const std::string& what, const std::string& hint) {
      return Error{Code::kInvalid, fmt::format("target {}: {}", options_.target, what),
                   options_.target, hint};
    };
    if (s.values.size() < 2) {
      return wrong(s.filled == 0 ? "no value in it" : "always the same value",
                   "a model learns from rows that differ in it");
    }
    std::string_view positive = options_.positive;
    const bool is_two = s.values.size() == 2;
    const bool is_0_1 = is_two && s.is_number() && s.min == 0 && s.max == 1;
    if (positive.empty() && is_two && !is_0_1) positive = likely_positive(s);
    if (!positive.empty() && !s.values.contains(positive)) {
      return wrong(fmt::format("no row has {}", positive), "it has " + values_of(s));
    }
    if (positive.empty() && !s.is_number()) {
      return wrong("neither numbers nor two values",
                   "say which text means 1; it has " + values_of(s));
    }
    out_.plan.positive = positive;
    Verdict verdict;
    verdict.reason = positive.empty()
                         ? fmt::format("the target, {}",
                                       is_0_1 ? "0 or 1" : "a number " + range_text(s.min, s.max))
                         : fmt::format("the target, 1 where it is {}: {} of {} rows", positive,
                                       grouped(s.values.at(positive)), grouped(s.rows));
    add(options_.target, std::move(verdict));
    return ok_status();
  }
  static std::string values_of(const ColumnSketch& s) {
    std::vector<std::string_view> values;
    for (const auto& [value, count] : s.values) values.push_back(value);
    std::sort(values.begin(), values.end());
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(values.size(), 8); ++i) {
      text += (i == 0 ? "" : ", ") + std::string(values[i].substr(0, 40));
    }
    return values.size() > 8 ? text + ", ..." : text;
  }

  const TableSample& sample_;
  const DeriveOptions& options_;
  std::map<std::size_t, std::size_t> sequences_;  // columns that list what another holds
  DerivedPlan out_;
};

}  // namespace

TableSample::TableSample(std::span<const std::string> columns)
    : columns_(columns.begin(), columns.end()) {
  CHECK(!columns_.empty());
}

bool TableSample::add(Cells cells) {
  CHECK(cells.size() == columns_.size());
  if (seen_++ % stride_ != 0) return true;
  std::size_t bytes = 0;
  for (const std::string_view cell : cells) bytes += cell.size();
  // Two more: a caller may have put one row of each class first.
  while (rows() >= kMostRows + 2 || (rows() > 1 && text_.size() + bytes > kMostBytes)) thin();
  if ((seen_ - 1) % stride_ != 0) return true;
  for (const std::string_view cell : cells) {
    text_ += cell;
    ends_.push_back(text_.size());
  }
  return true;
}

// Leaves every second row.
void TableSample::thin() {
  std::string text;
  std::vector<std::size_t> ends;
  for (std::size_t row = 0; row < rows(); row += 2) {
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      text += cell(row, column);
      ends.push_back(text.size());
    }
  }
  text_ = std::move(text);
  ends_ = std::move(ends);
  stride_ *= 2;
}

std::string_view TableSample::cell(std::size_t row, std::size_t column) const {
  const std::size_t at = row * columns_.size() + column;
  const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
  return std::string_view(text_).substr(begin, ends_[at] - begin);
}

std::string DerivedPlan::toml() const {
  // A comment ends with its line, whatever a column is called.
  const auto comment = [](const PlanReason& reason) {
    std::string line = fmt::format("# {}: {}", reason.of, reason.reason);
    for (char& c : line) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    return line + "\n";
  };
  Plan head = plan;
  head.features.clear();
  std::string out = head.toml();
  for (const PlanReason& reason : reasons) {
    if (!reason.is_used) out += comment(reason);
  }
  out += '\n';
  for (const PlanReason& reason : reasons) {
    if (!reason.is_used) continue;
    out += comment(reason);
    for (std::size_t i = reason.begin; i < reason.end; ++i) {
      Plan one;
      one.features = {plan.features[i]};
      out += one.toml();
    }
  }
  return out;
}

Result<DerivedPlan> derive_plan(const TableSample& sample, const DeriveOptions& options) {
  return TableDeriver(sample, options).derive();
}

}  // namespace attune
