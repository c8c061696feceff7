// movielens: ratings.csv (userId,movieId,rating,timestamp), u.data (the same by tabs, without a
// header) or ratings.dat (parted by "::"). A rating of 4 and more is a like, a lower one a view;
// the event's value is the rating.
#include <array>
#include <charconv>

#include "format/event_formats.h"
#include "format/event_row.h"
#include "format/row_time.h"
#include "format/text_lines.h"

namespace attune {
namespace {

constexpr std::size_t kMostLineBytes = 64u << 10;
constexpr double kLiked = 4, kMostStars = 10;
constexpr std::array<std::string_view, 4> kNames = {"user", "movie", "rating", "timestamp"};

// user, movie, rating, timestamp; false when there are not four.
bool split(std::string_view line, std::string_view by, std::array<std::string_view, 4>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto end = line.find(by);
    if ((end == std::string_view::npos) != (i + 1 == out.size())) return false;
    out[i] = line.substr(0, end);
    if (i + 1 < out.size()) line.remove_prefix(end + by.size());
  }
  return true;
}

class MovieLens final : public NotedReader {
 public:
  MovieLens(TextWindow window, const EventFileOptions& options)
      : lines_(std::move(window), kMostLineBytes), options_(options) {
    event_.type = "track";
    notes_ = {"a rating of 4 and more is a like, a lower one a view; the value is the rating"};
  }

  Result<Next> next(EventSink& sink) override {
    while (true) {
      TRY(const auto what, lines_.next());
      if (what == TextLines::Next::kEnd) return Next::kEnd;
      if (what == TextLines::Next::kTooLong) {
        return bad_row(lines_.line(), "", "is longer than 64 KB", "");
      }
      if (lines_.line() != 1) break;
      const std::string_view text = lines_.text();
      by_ = text.find("::") != std::string_view::npos ? "::"
            : text.find('\t') != text.npos            ? "\t"
                                                      : ",";
      if (!text.starts_with("userId")) break;
    }
    std::array<std::string_view, 4> cells;
    if (!split(lines_.text(), by_, cells)) {
      return bad_row(lines_.line(), "", "must be user, movie, rating and timestamp", lines_.text());
    }
    for (std::size_t i : {0u, 1u}) {
      if (const auto bad = wrong_id(cells[i]); !bad.empty()) return wrong(i, bad);
    }
    const std::string_view text = cells[2];
    double stars = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), stars);
    if (error != std::errc() || end != text.data() + text.size() || !(stars >= 0) ||
        stars > kMostStars) {
      return wrong(2, "must be a number from 0 to 10");
    }
    const auto time = parse_row_time(cells[3], TimeFormat::kSeconds);
    if (!time) return wrong(3, "must be seconds since 1970");
    if (const auto bad = wrong_time(*time, options_.now); !bad.empty()) return wrong(3, bad);
    event_.user_id = cells[0];
    event_.item_id = cells[1];
    event_.verb = options_.mapping.verb.value_or(stars >= kLiked ? Verb::kLike : Verb::kView);
    event_.value = stars;
    event_.time = *time;
    TRY_OK(sink.event(event_));
    return Next::kRow;
  }
  const ByteSource& bytes() const override { return lines_.window().bytes(); }

 private:
  Next wrong(std::size_t column, std::string_view reason) {
    return bad_row(lines_.line(), kNames[column], reason, lines_.text());
  }
  TextLines lines_;
  const EventFileOptions options_;
  std::string_view by_ = ",";
  Event event_;
};

}  // namespace

Result<std::unique_ptr<EventReader>> open_movielens(const std::vector<std::string>& files,
                                                    const EventFileOptions& options) {
  TRY(auto source, ByteSource::open(files.front()));
  TRY(auto window, TextWindow::open(std::move(source), Encoding::kUtf8));
  return std::unique_ptr<EventReader>(std::make_unique<MovieLens>(std::move(window), options));
}

}  // namespace attune
