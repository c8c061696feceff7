// The findings of a pass: each rule looks at one thing and says what, why and what to do.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "collect/quality.h"

namespace attune {
namespace {

constexpr std::size_t kMostFindings = 200;
constexpr double kLeakShare = 0.999;  // rows whose label one column tells
constexpr double kLeakAuc = 0.995;
constexpr double kOutlierZ = 8;  // robust deviations
constexpr std::uint64_t kFewRows = 50;

std::string grouped(double n) {
  std::string text = fmt::format("{:.0f}", n);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}
std::string grouped(std::uint64_t n) { return grouped(static_cast<double>(n)); }

std::string share_text(std::uint64_t part, std::uint64_t whole) {
  return fmt::format("{} of {} ({:.1f} %)", grouped(part), grouped(whole),
                     100 * static_cast<double>(part) / static_cast<double>(whole));
}

double middle_of(std::vector<double> sorted_or_not) {
  const auto at = sorted_or_not.begin() + static_cast<std::ptrdiff_t>(sorted_or_not.size() / 2);
  std::nth_element(sorted_or_not.begin(), at, sorted_or_not.end());
  return *at;
}

// Chance that a positive's number is the greater, ties half; NaN with one class.
double auc_of(std::vector<QualityNumber> sample) {
  std::erase_if(sample, [](const QualityNumber& n) { return std::isnan(n.label); });
  std::sort(sample.begin(), sample.end(),
            [](const QualityNumber& a, const QualityNumber& b) { return a.value < b.value; });
  double below = 0, wins = 0, positives = 0;
  for (std::size_t i = 0, end = 0; i < sample.size(); i = end) {
    double here = 0, others = 0;
    for (end = i; end < sample.size() && sample[end].value == sample[i].value; ++end) {
      (sample[end].label > 0 ? here : others) += 1;
    }
    wins += here * (below + others / 2);
    below += others;
    positives += here;
  }
  return wins / (positives * below);
}

class Finder {
 public:
  explicit Finder(const Quality& quality) : q_(quality) {}

  std::vector<QualityFinding> find() {
    rows();
    target();
    for (std::size_t i = 0; i < q_.columns().size(); ++i) {
      const ColumnQuality& column = q_.columns()[i];
      fill(column);
      if (i != q_.target()) leak(column);
      numbers(column);
      texts(column);
      times(column);
    }
    gaps();
    std::stable_sort(out_.begin(), out_.end(),
                     [](const auto& a, const auto& b) { return a.weight > b.weight; });
    if (out_.size() > kMostFindings) out_.resize(kMostFindings);
    return std::move(out_);
  }

 private:
  void add(QualityFinding finding) { out_.push_back(std::move(finding)); }

  void rows() {
    if (q_.bad().count > 0) {
      add({Weight::kWarn, "bad_rows", "",
           fmt::format("{} rows could not be read, the first: {}", grouped(q_.bad().count),
                       q_.bad().example),
           "they are left out of everything", "mend the file, or accept their loss",
           q_.bad().lines});
    }
    const auto again = [&](const RepeatCounter& counter) {
      return (counter.scale() > 1 ? "about " : "") + grouped(counter.repeats());
    };
    if (q_.repeated_rows().count > 0) {
      add({Weight::kWarn, "duplicate_rows", "",
           again(q_.row_counter()) + " rows are equal to one before them, cell by cell",
           "a row that stands in training and in test makes the test look too good",
           "find out whether they are real; if not, drop them before splitting",
           q_.repeated_rows().lines});
    }
    if (q_.repeated_keys().count > 0) {
      add({Weight::kWarn, "duplicate_keys", q_.key_column(),
           fmt::format("{} rows have a key of a row before them, the first is {}",
                       again(q_.key_counter()), q_.repeated_keys().example),
           "one thing counts twice", "keep the newest row of each key, or name the right --key",
           q_.repeated_keys().lines});
    }
    if (q_.rows() < kFewRows) {
      add({Weight::kWarn,
           "few_rows",
           "",
           fmt::format("{} rows", q_.rows()),
           "no figure of so few rows is sure",
           "bring more",
           {}});
    }
  }
  void target() {
    if (q_.target() >= q_.columns().size()) return;
    const ColumnQuality& column = q_.columns()[q_.target()];
    const std::uint64_t unknown = q_.rows() - q_.labelled();
    if (unknown > 0 && (!column.is_number() || column.different() <= 2)) {
      add({Weight::kWarn,
           "unknown_labels",
           column.name(),
           share_text(unknown, q_.rows()) + " rows have no label of 0 or 1",
           "they teach nothing and measure nothing",
           "say which text means 1 with --positive, or fill them in",
           {}});
    }
    const double rare =
        std::min(q_.positives(), static_cast<double>(q_.labelled()) - q_.positives());
    if (q_.labelled() >= kFewRows && rare == 0) {
      add({Weight::kStop,
           "one_class",
           column.name(),
           "all labels are the same",
           "there is nothing to tell apart",
           "bring rows of both kinds",
           {}});
    } else if (q_.labelled() >= kFewRows && rare < 50) {
      add({Weight::kWarn,
           "rare_class",
           column.name(),
           fmt::format("{:.0f} rows of the rarer label", rare),
           "intervals will be wide and splits may hold none",
           "bring more, or split by strata",
           {}});
    }
  }
  void fill(const ColumnQuality& c) {
    const auto& sparse = q_.options().sparse;
    const bool is_sparse = std::find(sparse.begin(), sparse.end(), c.name()) != sparse.end();
    if (is_sparse && c.filled() == 0) return;
    if (c.filled() == 0) {
      return add({Weight::kNote,
                  "empty",
                  c.name(),
                  "no value in it",
                  "it teaches nothing",
                  "leave it out",
                  {}});
    }
    if (c.missing.count > 0 && !is_sparse) {
      const bool is_many = 2 * c.missing.count > c.rows();
      add({is_many ? Weight::kWarn : Weight::kNote, "missing", c.name(),
           share_text(c.missing.count, c.rows()) + " cells are empty",
           "what is missing for a reason tells of the reason",
           "the plan gives missing values a weight of their own; ask why they miss",
           c.missing.lines});
    }
    if (c.placeholders.count > 0) {
      add({Weight::kWarn, "placeholder", c.name(),
           fmt::format("{} cells say \"{}\" or the like", grouped(c.placeholders.count),
                       c.placeholders.example),
           "it is read as a value, and turns a column of numbers into texts",
           "leave such cells empty", c.placeholders.lines});
    }
    if (c.is_exact() && c.different() == 1 && c.missing.count == 0 && c.rows() > 1) {
      add({Weight::kNote,
           "constant",
           c.name(),
           "always " + c.values().begin()->second.text,
           "it teaches nothing",
           "leave it out",
           {}});
    }
  }
  // Alone it gives the label away: by its values, or as a number.
  void leak(const ColumnQuality& c) {
    if (q_.target() >= q_.columns().size() || q_.labelled() < kFewRows) return;
    const double all = static_cast<double>(q_.labelled());
    const double base = std::max(q_.positives(), all - q_.positives()) / all;
    if (c.is_exact() && 20 * c.different() <= static_cast<double>(c.filled()) &&
        base < kLeakShare) {
      double right = 0, labelled = 0;
      for (const auto& [hash, value] : c.values()) {
        right += static_cast<double>(std::max(value.positive, value.labelled - value.positive));
        labelled += static_cast<double>(value.labelled);
      }
      const double gained = labelled > 0 ? right / labelled : 0;
      if (gained >= kLeakShare)
        return add(leaking(
            c, fmt::format("its values tell the label of {:.2f} % of the rows", 100 * gained)));
    }
    if (c.numbers.seen() < kFewRows || c.numbers_of_filled() < 0.9) return;
    const double auc = auc_of(c.numbers.sample());
    if (std::max(auc, 1 - auc) < kLeakAuc) return;
    add(leaking(c, fmt::format("as a number alone it ranks the labels with AUC about {:.4f}",
                               std::max(auc, 1 - auc))));
  }
  static QualityFinding leaking(const ColumnQuality& c, std::string what) {
    return {Weight::kStop,
            "leak",
            c.name(),
            std::move(what),
            "likely it is written after the outcome and will not be known when predicting",
            "leave it out, unless it is known beforehand",
            {}};
  }
  void numbers(const ColumnQuality& c) {
    if (c.is_time() || c.numbers.seen() < kFewRows || c.numbers_of_filled() < 0.5) return;
    if (c.numbers_of_filled() < 1) {
      add({Weight::kWarn, "mixed_types", c.name(),
           fmt::format("{} cells are no numbers, the first is {}",
                       grouped(c.filled() - c.numbers.seen()),
                       c.texts.count > 0 ? c.texts.example : "a time"),
           "they count as missing when the column is read as numbers", "mend or empty them",
           c.texts.lines});
    }
    if (units(c)) return;
    outliers(c);
  }
  // Two clusters about a power of ten apart: seconds beside milliseconds, cents beside euros.
  bool units(const ColumnQuality& c) {
    std::vector<double> logs;
    for (const QualityNumber& n : c.numbers.sample()) {
      if (n.value != 0) logs.push_back(std::log10(std::abs(n.value)));
    }
    if (logs.size() < kFewRows) return false;
    std::sort(logs.begin(), logs.end());
    double widest = 0;
    std::size_t at = 0;
    for (std::size_t i = 1; i < logs.size(); ++i) {
      if (logs[i] - logs[i - 1] <= widest) continue;
      widest = logs[i] - logs[i - 1];
      at = i;
    }
    const std::size_t less = std::min(at, logs.size() - at);
    if (widest < 1 || 100 * less < logs.size()) return false;
    const auto median = [&](std::size_t from, std::size_t to) { return logs[(from + to) / 2]; };
    const double apart = median(at, logs.size()) - median(0, at);
    if (apart < 2) return false;
    add({Weight::kWarn,
         "mixed_units",
         c.name(),
         fmt::format("two clusters, around {:.3g} and around {:.3g} ({:.0f} % of the cells in the "
                     "smaller), with nothing between",
                     std::pow(10, median(0, at)), std::pow(10, median(at, logs.size())),
                     100.0 * static_cast<double>(less) / static_cast<double>(logs.size())),
         fmt::format("about {:.0f} times apart: perhaps two units, as seconds and milliseconds",
                     std::pow(10, apart)),
         "bring them to one unit; a number that stands for none, as 999, is better left empty",
         {c.least.line, c.most.line}});
    return true;
  }
  void outliers(const ColumnQuality& c) {
    std::vector<double> values, off;
    for (const QualityNumber& n : c.numbers.sample()) values.push_back(n.value);
    const double median = middle_of(values);
    for (const double v : values) off.push_back(std::abs(v - median));
    const double mad = 1.4826 * middle_of(off);
    if (mad == 0) return;
    std::vector<std::uint64_t> lines;
    double beyond = 0;
    for (const QualityNumber& n : c.numbers.sample()) {
      if (std::abs(n.value - median) <= kOutlierZ * mad) continue;
      beyond += 1;
      if (lines.size() < Spot::kLines) lines.push_back(n.line);
    }
    const QualityNumber& farthest =
        c.most.value - median > median - c.least.value ? c.most : c.least;
    const double z = std::abs(farthest.value - median) / mad;
    if (z <= kOutlierZ || 10 * beyond > static_cast<double>(values.size())) return;
    if (lines.empty()) lines.push_back(farthest.line);
    add({z > 100 ? Weight::kWarn : Weight::kNote, "outliers", c.name(),
         fmt::format("about {:.2f} % of the numbers lie more than {} robust deviations from the "
                     "median {:.6g}; the farthest is {:.6g} (line {})",
                     100 * beyond / static_cast<double>(values.size()), kOutlierZ, median,
                     farthest.value, farthest.line),
         "they pull means, scales and linear weights towards them",
         "check a few; the plan takes logarithms and bins where a tail is long", lines});
  }
  void texts(const ColumnQuality& c) {
    if (c.mojibake.count > 0) {
      add({Weight::kWarn, "mojibake", c.name(),
           fmt::format("{} cells look decoded wrongly, the first is {}", grouped(c.mojibake.count),
                       c.mojibake.example),
           "one word becomes two, and people read nonsense",
           "export again as UTF-8, or say the encoding when importing", c.mojibake.lines});
    }
    if (c.padded.count > 0 && c.texts.count > 0) {
      add({Weight::kNote, "padded", c.name(),
           grouped(c.padded.count) + " cells have blanks around them",
           "other programs take \"a\" and \"a \" for two values", "trim them", c.padded.lines});
    }
    if (!c.is_exact() || c.texts.count == 0) return;
    std::map<std::string, std::vector<std::string>> by_lower;
    for (const auto& [hash, value] : c.values()) {
      std::string lower = value.text;
      for (char& ch : lower) ch = ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch + 32) : ch;
      by_lower[lower].push_back(value.text);
    }
    for (auto& [lower, spellings] : by_lower) {
      if (spellings.size() < 2) continue;
      std::sort(spellings.begin(), spellings.end());
      return add({Weight::kNote,
                  "spellings",
                  c.name(),
                  fmt::format("the same value in capital and small letters: {} and {}",
                              spellings[0], spellings[1]),
                  "each spelling learns a weight of its own",
                  "choose one",
                  {}});
    }
  }
  void times(const ColumnQuality& c) {
    if (!c.is_time()) return;
    if (c.future.count > 0) {
      add({Weight::kWarn, "future", c.name(),
           fmt::format("{} times lie in the future, the first is {}", grouped(c.future.count),
                       c.future.example),
           "a clock is wrong, or a zone is missing; such events are refused beyond 24 hours",
           "mend the clock or the zone of the source", c.future.lines});
    }
    if (c.before_2000.count > 0) {
      add({Weight::kWarn, "before_2000", c.name(),
           fmt::format("{} times lie before 2000, the first is {}", grouped(c.before_2000.count),
                       c.before_2000.example),
           "often a default where none is known, as 1970-01-01", "leave unknown times empty",
           c.before_2000.lines});
    }
    const bool is_mixed = (c.zoned > 0 && c.first_unzoned.count > 0) || c.offsets.size() > 1;
    if (!is_mixed) return;
    std::string zones;
    for (const std::string& offset : c.offsets) zones += (zones.empty() ? "" : ", ") + offset;
    if (c.unzoned > 0) zones += ", none";
    add({c.unzoned > 0 ? Weight::kWarn : Weight::kNote, "mixed_zones", c.name(),
         "times in different zones: " + zones, "times without a zone are read as UTC",
         "write all of them with their offset", c.first_unzoned.lines});
  }
  void gaps() {
    const auto& days = q_.volume().days;
    if (days.size() < 3) return;
    const std::int64_t span = days.rbegin()->first - days.begin()->first + 1;
    const auto empty = static_cast<std::uint64_t>(span) - days.size();
    // A table of few rows has few days by chance.
    const double mean = static_cast<double>(q_.rows()) / static_cast<double>(span);
    if (empty == 0 || mean < 10) return;
    std::string where;
    int named = 0;
    std::int64_t before = days.begin()->first;
    for (const auto& [day, count] : days) {
      if (day > before + 1 && named < 3) {
        const bool is_long = day - before > 2;
        where += (named++ == 0 ? "" : ", ") + day_text(before + 1) +
                 (is_long ? " to " + day_text(day - 1) : "");
      }
      before = day;
    }
    add({Weight::kWarn,
         "gaps",
         q_.volume().time_column,
         fmt::format("{} days without a row between {} and {}: {}", empty,
                     day_text(days.begin()->first), day_text(days.rbegin()->first), where),
         "a source was silent; counts and rates of those days are wrong",
         "import what is missing",
         {}});
  }

  const Quality& q_;
  std::vector<QualityFinding> out_;
};

}  // namespace

std::vector<QualityFinding> findings_of(const Quality& quality) { return Finder(quality).find(); }

}  // namespace attune
