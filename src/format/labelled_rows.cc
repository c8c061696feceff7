// criteo, vw, libsvm, libffm: rows with a label, but without person, item and time. Each becomes
// one event of an anonymous person, whose properties keep the row: a click where the label is above
// 0, else an impression. To learn from such files, attune train reads them directly.
#include "base/json.h"
#include "format/event_formats.h"
#include "format/event_row.h"
#include "format/text_lines.h"

namespace attune {
namespace {

constexpr std::size_t kMostLineBytes = 1u << 20;
constexpr Duration kStep = std::chrono::milliseconds(1);

class LabelledRows final : public NotedReader {
 public:
  LabelledRows(TextWindow window, const EventFileOptions& options)
      : lines_(std::move(window), kMostLineBytes), options_(options) {
    event_.type = "track";
    notes_ = {
        "the rows name no person and no item: each is an anonymous person with one event, a click "
        "where the label is above 0 and an impression elsewhere, with the row as a property",
        "to learn from this file, let attune train read it: there is no need to import it",
        "the rows have no times: a millisecond apart, from a day before the import"};
  }

  Result<Next> next(EventSink& sink) override {
    TRY(const auto what, lines_.next());
    if (what == TextLines::Next::kEnd) return Next::kEnd;
    ++row_;
    if (what == TextLines::Next::kTooLong) {
      return bad_row(lines_.line(), "", "is longer than 1 MB", "");
    }
    const std::string_view text = lines_.text();
    const std::string_view label = text.substr(0, text.find_first_of(" \t|"));
    if (label.empty()) return bad_row(lines_.line(), "label", "is empty", text);
    if (label.find_first_not_of("+-.0123456789e") != std::string_view::npos) {
      return bad_row(lines_.line(), "label", "must be a number", text);
    }
    if (text.find('\xff') != std::string_view::npos) {
      return bad_row(lines_.line(), "", "is not text", "");
    }
    const bool is_positive = label[0] != '-' && label.find_first_of("123456789") != label.npos;
    event_.verb = is_positive ? Verb::kClick : Verb::kImpression;
    event_.time = synthetic_time(options_.began, row_, kStep);
    anonymous_row_id(options_.digest, row_, event_.anonymous_id);
    event_.properties.clear();
    JsonWriter(event_.properties).begin_object().field("row", text).end_object();
    TRY_OK(sink.event(event_));
    return Next::kRow;
  }
  std::uint64_t rows_without_person() const override { return row_; }
  const ByteSource& bytes() const override { return lines_.window().bytes(); }

 private:
  TextLines lines_;
  const EventFileOptions options_;
  Event event_;
  std::uint64_t row_ = 0;
};

}  // namespace

Result<std::unique_ptr<EventReader>> open_labelled_rows(const std::vector<std::string>& files,
                                                        const EventFileOptions& options) {
  TRY(auto source, ByteSource::open(files.front()));
  TRY(auto window, TextWindow::open(std::move(source), Encoding::kUtf8));
  return std::unique_ptr<EventReader>(std::make_unique<LabelledRows>(std::move(window), options));
}

}  // namespace attune
