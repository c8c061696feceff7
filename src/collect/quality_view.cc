#include "collect/quality_view.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"

namespace attune {
namespace {

void write_column(const ColumnQuality& c, JsonWriter& json) {
  json.begin_object().field("name", c.name()).field("kind", kind_of(c));
  json.field("filled", c.filled()).field("missing", c.missing.count);
  json.field("different", std::round(c.different())).field("is_exact", c.is_exact());
  if (c.numbers.seen() > 0) {
    json.field("numbers", c.numbers.seen()).field("min", c.least.value);
    json.field("max", c.most.value).field("negative", c.negative);
    std::vector<double> sorted;
    for (const QualityNumber& n : c.numbers.sample()) sorted.push_back(n.value);
    std::sort(sorted.begin(), sorted.end());
    json.field("median", sorted[sorted.size() / 2]);
  }
  if (c.times > 0) {
    json.field("times", c.times).field("first", format_iso8601(c.first));
    json.field("last", format_iso8601(c.last));
  }
  json.field("not_ascii", c.not_ascii).field("mojibake", c.mojibake.count).end_object();
}

void write_days(const std::map<std::int64_t, std::uint64_t>& days, JsonWriter& json) {
  json.begin_object();
  for (const auto& [day, count] : days) json.field(day_text(day), count);
  json.end_object();
}

}  // namespace

std::string_view kind_of(const ColumnQuality& column) {
  if (column.filled() == 0) return "empty";
  if (column.is_time()) return "time";
  return column.is_number() ? "number" : "text";
}

std::vector<double> histogram_of(const ColumnQuality& column, std::size_t bins) {
  std::vector<double> sorted, shares(bins);
  for (const QualityNumber& n : column.numbers.sample()) sorted.push_back(n.value);
  if (sorted.empty()) return shares;
  std::sort(sorted.begin(), sorted.end());
  const double low = sorted[sorted.size() / 100],
               high = sorted[sorted.size() - 1 - sorted.size() / 100];
  for (const double value : sorted) {
    const double place = high > low ? (value - low) / (high - low) : 0;
    const double bin =
        std::clamp(place * static_cast<double>(bins), 0.0, static_cast<double>(bins) - 1);
    shares[static_cast<std::size_t>(bin)] += 1 / static_cast<double>(sorted.size());
  }
  return shares;
}

std::string quality_json(const Quality& quality, const std::vector<QualityFinding>& findings) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("rows", quality.rows()).field("bad_rows", quality.bad().count);
  json.field("duplicate_rows", quality.row_counter().repeats());
  json.key("columns").begin_array();
  for (const ColumnQuality& column : quality.columns()) write_column(column, json);
  json.end_array().key("volume").begin_object();
  json.field("time_column", quality.volume().time_column).key("days");
  write_days(quality.volume().days, json);
  json.key("verbs").begin_object();
  for (const auto& [verb, days] : quality.volume().verbs) {
    json.key(verb);
    write_days(days, json);
  }
  json.end_object().end_object().key("findings").begin_array();
  for (const QualityFinding& f : findings) {
    json.begin_object().field("weight", weight_name(f.weight)).field("kind", f.kind);
    json.field("column", f.column).field("what", f.what).field("why", f.why).field("fix", f.fix);
    json.key("lines").begin_array();
    for (const std::uint64_t line : f.lines) json.value(line);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return out;
}

}  // namespace attune
