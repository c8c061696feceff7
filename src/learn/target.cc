#include "learn/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "feature/cell.h"

namespace attune {
namespace {

constexpr std::size_t kMostTexts = 1000;  // distinct texts counted
constexpr std::size_t kTextsNamed = 5;    // in a message
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kYesAndNo = {
    {{"1", "0"},
     {"yes", "no"},
     {"true", "false"},
     {"y", "n"},
     {"t", "f"},
     {"1", "-1"},
     {"positive", "negative"},
     {"1.0", "0.0"},
     {"是", "否"}}};

// What stands in a column.
struct Values {
  std::map<std::string, std::uint64_t, std::less<>> texts;  // the first kMostTexts
  bool is_over = false;
  std::uint64_t rows = 0, missing = 0, numbers = 0;
  double sum = 0;
};

Values values_of(const LoadedTable& table, std::size_t column) {
  Values values;
  values.rows = table.rows();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string_view text = trimmed(table.cell(row, column));
    if (text.empty()) {
      ++values.missing;
      continue;
    }
    if (const auto number = number_of(text)) {
      ++values.numbers;
      values.sum += *number;
    }
    const auto known = values.texts.find(text);
    if (known != values.texts.end()) {
      ++known->second;
    } else if (values.texts.size() < kMostTexts) {
      values.texts.emplace(text, 1);
    } else {
      values.is_over = true;
    }
  }
  return values;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// "a (12), b (3), ...", the most frequent first.
std::string listed(const Values& values) {
  std::vector<std::pair<std::string, std::uint64_t>> texts(values.texts.begin(),
                                                           values.texts.end());
  std::stable_sort(texts.begin(), texts.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string out;
  for (std::size_t i = 0; i < texts.size() && i < kTextsNamed; ++i) {
    out += fmt::format("{}{} ({})", i == 0 ? "" : ", ", texts[i].first, texts[i].second);
  }
  return out + (texts.size() > kTextsNamed ? ", ..." : "");
}

// Which of two texts means yes; "" = neither says so.
std::string yes_of(const std::string& a, const std::string& b) {
  for (const auto& [yes, no] : kYesAndNo) {
    if (lower(a) == yes && lower(b) == no) return a;
    if (lower(b) == yes && lower(a) == no) return b;
  }
  return "";
}

Error wrong(const std::string& what, const std::string& hint) {
  return {Code::kInvalid, what, "target", hint};
}

Error one_class(const Target& target, const Values& values, std::string_view missing) {
  return wrong(fmt::format("0 {} examples: all {} labels of {} are {}", missing,
                           values.rows - values.missing, target.name, listed(values)),
               "there is nothing to tell apart: add rows of the other kind");
}

Status settle_binary(const Values& values, const TargetOptions& options, Target& target) {
  target.is_binary = true;
  target.positive = options.positive;
  if (target.positive.empty()) {
    const auto& [first, first_rows] = *values.texts.begin();
    const auto& [second, second_rows] = *values.texts.rbegin();
    target.positive = yes_of(first, second);
    target.is_guessed = target.positive.empty();
    if (target.is_guessed) target.positive = second_rows <= first_rows ? second : first;
  }
  const auto yes = values.texts.find(target.positive);
  if (yes == values.texts.end()) {
    return wrong(
        fmt::format("0 positive examples: no label of {} is \"{}\"", target.name, target.positive),
        fmt::format("its values are {}", listed(values)));
  }
  target.positives = yes->second;
  target.negatives = values.rows - values.missing - yes->second;
  if (target.negatives == 0) return one_class(target, values, "negative");
  return ok_status();
}

Status settle_value(const Values& values, const TargetOptions& options, Target& target) {
  target.is_binary = false;
  target.mean = values.sum / static_cast<double>(values.numbers);
  if (options.kind.empty() || options.is_value_kind) return ok_status();
  return wrong(
      fmt::format("{} holds {}{} different numbers, and kind {} predicts yes or no", target.name,
                  values.is_over ? "more than " : "", values.texts.size(), options.kind),
      "use --kind linear for a number, or --positive VALUE for the number that means yes");
}

}  // namespace

Result<Target> find_target(const LoadedTable& table, const TargetOptions& options) {
  Target target;
  target.name = options.name;
  TRY(target.column, table.need_column(options.name, "target"));
  const Values values = values_of(table, target.column);
  target.missing = values.missing;
  target.distinct = values.texts.size();
  const std::uint64_t present = values.rows - values.missing;
  if (present == 0) {
    return wrong(
        fmt::format("0 labelled examples: {} is empty in all {} rows", options.name, values.rows),
        "name another column with --target");
  }
  const bool is_numeric = values.numbers == present;
  if (!options.positive.empty()) {
    TRY_OK(settle_binary(values, options, target));
  } else if (values.texts.size() == 1) {
    const std::string& only = values.texts.begin()->first;
    const bool is_yes =
        yes_of(only, "0") == only || yes_of(only, "no") == only || yes_of(only, "false") == only;
    return one_class(target, values, is_yes ? "negative" : "positive");
  } else if (values.texts.size() == 2 && !values.is_over) {
    const bool is_wanted_as_number =
        is_numeric && options.is_value_kind &&
        yes_of(values.texts.begin()->first, values.texts.rbegin()->first).empty();
    TRY_OK(is_wanted_as_number ? settle_value(values, options, target)
                               : settle_binary(values, options, target));
  } else if (is_numeric) {
    TRY_OK(settle_value(values, options, target));
  } else {
    return wrong(
        fmt::format("{} holds {}{} different texts: {}", options.name,
                    values.is_over ? "more than " : "", values.texts.size(), listed(values)),
        "say which of them means yes with --positive VALUE");
  }
  return target;
}

}  // namespace attune
