// CSV and JSONL: one event a row, by a mapping of columns.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/json.h"
#include "format/event_formats.h"
#include "format/event_row.h"
#include "format/row_time.h"

namespace attune {
namespace {

constexpr std::size_t kNone = MappedColumns::kNone;
constexpr std::size_t kMostNameBytes = 256;
constexpr Duration kStep = std::chrono::milliseconds(1);

// Words of shops and feeds for our verbs, lower case, letters only.
constexpr std::pair<std::string_view, Verb> kWords[] = {
    {"addtocart", Verb::kCart},      {"basket", Verb::kCart},      {"buy", Verb::kPurchase},
    {"bought", Verb::kPurchase},     {"order", Verb::kPurchase},   {"transaction", Verb::kPurchase},
    {"conversion", Verb::kPurchase}, {"pv", Verb::kView},          {"pageview", Verb::kView},
    {"detail", Verb::kView},         {"read", Verb::kView},        {"play", Verb::kView},
    {"watch", Verb::kView},          {"fav", Verb::kLike},         {"favorite", Verb::kLike},
    {"favourite", Verb::kLike},      {"upvote", Verb::kLike},      {"exposure", Verb::kImpression},
    {"shown", Verb::kImpression},    {"show", Verb::kImpression},  {"display", Verb::kImpression},
    {"clk", Verb::kClick},           {"tap", Verb::kClick},        {"clicked", Verb::kClick},
    {"purchased", Verb::kPurchase},  {"viewed", Verb::kView},      {"liked", Verb::kLike},
    {"shared", Verb::kShare},        {"repost", Verb::kShare},     {"retweet", Verb::kShare},
    {"reply", Verb::kComment},       {"subscribe", Verb::kFollow}, {"dislike", Verb::kHide},
    {"skip", Verb::kHide},
};

class TableEvents final : public NotedReader {
 public:
  TableEvents(std::unique_ptr<TableReader> table, const EventFileOptions& options)
      : table_(std::move(table)), options_(options) {}

  Status open() {
    const TableShape& shape = table_->shape();
    note_shape(shape);
    TRY(columns_, map_columns(options_.mapping, shape, notes_));
    if (columns_.verb == kNone && !options_.mapping.verb) {
      notes_.push_back(
          "no column says what was done: every row is a click (--verb says otherwise)");
    }
    if (columns_.time == kNone) {
      notes_.push_back(
          "no column says when: the order of the rows is kept as times one millisecond apart, from "
          "a day before the import");
    }
    if (columns_.person == kNone && columns_.anonymous == kNone) {
      notes_.push_back("no column says who: every row is an anonymous person of its own");
    }
    event_.type = "track";
    return ok_status();
  }

  Result<Next> next(EventSink& sink) override {
    TRY(const auto what, table_->next());
    if (what == TableReader::Next::kEnd) return Next::kEnd;
    ++row_;
    if (what == TableReader::Next::kBad) {
      const BadRow& bad = table_->bad();
      return bad_row(bad.line, bad.column, bad.reason, "");
    }
    if (!read_row()) return bad_row(table_->line(), wrong_column_, reason_, joined());
    if (!columns_.traits.empty()) {
      identify_.user_id = event_.user_id;
      identify_.anonymous_id = event_.anonymous_id;
      identify_.time = event_.time;
      identify_.verb = Verb::kIdentify;
      identify_.type = "identify";
      write_object(columns_.traits, identify_.traits);
      TRY_OK(sink.event(identify_));
    }
    TRY_OK(sink.event(event_));
    return Next::kRow;
  }

  std::uint64_t rows_without_person() const override { return without_person_; }
  const ByteSource& bytes() const override { return table_->bytes(); }

 private:
  void note_shape(const TableShape& shape) {
    if (shape.format == TableFormat::kJsonl) return notes_.push_back("the file is JSONL");
    notes_.push_back(
        fmt::format("the file is {}, parted by {}, {} header", encoding_name(shape.encoding),
                    shape.delimiter == '\t' ? "tabs" : fmt::format("\"{}\"", shape.delimiter),
                    shape.has_header ? "with a" : "without"));
  }
  std::string_view cell(std::size_t column) const {
    return column == kNone ? std::string_view() : table_->cells()[column];
  }
  bool wrong(std::size_t column, std::string_view reason) {
    wrong_column_ = column == kNone ? std::string_view() : table_->shape().columns[column];
    reason_ = reason;
    return false;
  }

  bool read_row() {
    return read_person() && read_item() && read_verb() && read_time() && read_value() &&
           read_kept();
  }

  bool read_person() {
    const std::string_view user = cell(columns_.person);
    const std::string_view anonymous = cell(columns_.anonymous);
    event_.user_id.assign(user);
    event_.anonymous_id.clear();
    if (!user.empty()) {
      const auto bad = wrong_id(user);
      return bad.empty() || wrong(columns_.person, bad);
    }
    if (!anonymous.empty()) {
      event_.anonymous_id.assign(anonymous);
      const auto bad = wrong_id(anonymous);
      return bad.empty() || wrong(columns_.anonymous, bad);
    }
    ++without_person_;
    anonymous_row_id(options_.digest, row_, event_.anonymous_id);
    return true;
  }

  bool read_item() {
    const std::string_view item = cell(columns_.item);
    event_.item_id.assign(item);
    event_.decision_id.assign(cell(columns_.decision));
    if (columns_.item == kNone) return true;
    const auto bad = wrong_id(item);
    return bad.empty() || wrong(columns_.item, bad);
  }

  bool read_verb() {
    event_.name.clear();
    if (columns_.verb == kNone) {
      event_.verb = options_.mapping.verb.value_or(Verb::kClick);
      return true;
    }
    const std::string_view word = cell(columns_.verb);
    if (word.empty()) return wrong(columns_.verb, "is empty");
    if (word != last_word_) {
      if (word.size() > kMostNameBytes) return wrong(columns_.verb, "is longer than 256 bytes");
      last_word_ = word;
      last_verb_ = verb_of(word);
    }
    event_.verb = last_verb_;
    if (verb_name(event_.verb) != word) event_.name = word;
    return true;
  }

  Verb verb_of(std::string_view word) const {
    const auto told = options_.mapping.verbs.find(word);
    if (told != options_.mapping.verbs.end()) return told->second;
    std::string plain;
    for (const char c : word) {
      if (c >= 'A' && c <= 'Z') plain += static_cast<char>(c - 'A' + 'a');
      if (c >= 'a' && c <= 'z') plain += c;
    }
    if (const auto verb = verb_from_name(plain)) return *verb;
    for (const auto& [text, verb] : kWords) {
      if (text == plain) return verb;
    }
    return Verb::kOther;
  }

  bool read_time() {
    if (columns_.time == kNone) {
      event_.time = synthetic_time(options_.began, row_, kStep);
      return true;
    }
    const std::string_view text = cell(columns_.time);
    if (text.empty()) return wrong(columns_.time, "is empty");
    const auto time = parse_row_time(text, options_.mapping.time_format);
    if (!time) {
      return wrong(columns_.time,
                   "is no time: ISO-8601, a date, or seconds or milliseconds since "
                   "1970");
    }
    event_.time = *time;
    const auto bad = wrong_time(*time, options_.now);
    return bad.empty() || wrong(columns_.time, bad);
  }

  bool read_value() {
    const std::string_view text = cell(columns_.value);
    event_.value = 0;
    if (text.empty()) return true;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), event_.value);
    const bool is_number = error == std::errc() && end == text.data() + text.size();
    if (is_number && std::isfinite(event_.value)) return true;
    return wrong(columns_.value, "is no number");
  }

  bool read_kept() {
    if (columns_.keep.empty()) return true;
    write_object(columns_.keep, event_.properties);
    return true;
  }

  // Numbers and booleans as such, all else as text.
  void write_object(const std::vector<std::size_t>& columns, std::string& out) const {
    const TableShape& shape = table_->shape();
    out.clear();
    JsonWriter json(out);
    json.begin_object();
    for (const std::size_t column : columns) {
      const std::string_view text = cell(column);
      if (text.empty()) continue;
      json.key(shape.columns[column]);
      double number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      const bool is_number = shape.types[column] == ColumnType::kNumber && error == std::errc() &&
                             end == text.data() + text.size() && std::isfinite(number);
      if (is_number) {
        json.value(number);
      } else {
        json.value(text);
      }
    }
    json.end_object();
  }

  std::string joined() const {
    std::string out;
    for (const std::string_view one : table_->cells()) {
      if (!out.empty()) out += table_->shape().delimiter == '\0' ? ',' : table_->shape().delimiter;
      out += one;
    }
    return out;
  }

  std::unique_ptr<TableReader> table_;
  const EventFileOptions options_;
  MappedColumns columns_;
  Event event_, identify_;
  std::uint64_t row_ = 0, without_person_ = 0;
  std::string last_word_;
  Verb last_verb_{};
  std::string_view wrong_column_, reason_;
};

}  // namespace

Result<std::unique_ptr<EventReader>> open_table_events(const std::vector<std::string>& files,
                                                       const EventFileOptions& options) {
  TRY(auto table, TableReader::open(files.front(), options.table));
  auto reader = std::make_unique<TableEvents>(std::move(table), options);
  TRY_OK(reader->open());
  return std::unique_ptr<EventReader>(std::move(reader));
}

}  // namespace attune
