#include "cli/data_player.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "cli/interrupt.h"

namespace attune {
namespace {

constexpr std::size_t kWaveSteps = 100;
constexpr std::size_t kWaveRequests = 40;
constexpr std::size_t kAskedItems = 2 * kHitSlate;  // what the person has already is left out
constexpr std::uint64_t kRandomEvery = 10;          // it scores the whole catalog
constexpr double kLessonShare = 0.1;                // of the steps
constexpr std::size_t kLessonItems = 5;
constexpr double kDays = 40;                              // the steps are spread over
const Time kBegin = time_from_us(1'767'225'600'000'000);  // 2026-01-01

std::string stamp(double day) { return format_iso8601(kBegin + seconds(day * 86400)); }

// Nobody sees the slates asked for: they are neither served, nor joined to what people do.
constexpr std::pair<std::string_view, std::string_view> kPlacements[] = {
    {"learned", R"({"candidates":500,"control_share":0,"epsilon":0,"seen_window_s":0,)"
                R"("outcome_window_s":0,"is_impression_served":false})"},
    {"popularity", R"({"candidates":500,"control_share":1,"epsilon":0,"seen_window_s":0,)"
                   R"("outcome_window_s":0,"is_impression_served":false})"},
    {"random", R"({"candidates":100000,"control_share":0,"epsilon":1,"seen_window_s":0,)"
               R"("outcome_window_s":0,"is_impression_served":false})"},
    {"lesson", R"({"candidates":100,"control_share":0,"epsilon":1,"seen_window_s":0,)"
               R"("outcome_window_s":21600,"is_impression_served":true})"}};

}  // namespace

DataPlayer::DataPlayer(const DataPlayOptions& options, const Sequences& sequences,
                       std::vector<Client> clients, Screen& screen, const Words& words)
    : options_(options),
      sequences_(sequences),
      feed_(std::move(clients)),
      screen_(screen),
      words_(words),
      rng_(mix64(options.seed, 2)),
      tally_(sequences.step_count),
      next_(sequences.persons.size()) {}

Status DataPlayer::load() {
  std::vector<std::string> items;
  for (std::size_t i = 0; i < sequences_.items.size(); ++i) {
    JsonWriter json(items.emplace_back());
    json.begin_object().field("id", sequences_.items[i]).key("tags").begin_array();
    for (const std::string& tag : sequences_.tags[i]) json.value(tag);
    json.end_array().field("created", stamp(0)).end_object();
  }
  TRY_OK(feed_.put_items(items));
  for (const auto& [name, body] : kPlacements) {
    TRY_OK(feed_.client().call("PUT", fmt::format("/api/v1/placements/{}", name), body));
  }
  return ok_status();
}

// The person's next step, and what is asked before it.
void DataPlayer::gather(std::uint32_t person) {
  const std::size_t step = wave_.size();
  const std::uint32_t at = next_[person]++;
  wave_.push_back({person, sequences_.steps[person][at],
                   kDays * double(played_ + step) / double(sequences_.step_count)});
  present_.insert(person);
  const bool is_asked = rng_.chance(double(options_.questions) / double(sequences_.step_count));
  const bool is_lesson = rng_.chance(kLessonShare);
  if (at == 0) return;  // nothing is known of the person yet
  if (is_asked) {
    requests_.push_back({step, Share::kLearned});
    requests_.push_back({step, Share::kPopularity});
    if (tally_.all(Share::kPopularity).asked % kRandomEvery == 0) {
      requests_.push_back({step, Share::kRandom});
    }
  }
  if (is_lesson && !is_asked) requests_.push_back({step, Share::kLearned, true});
}

std::string DataPlayer::body_of(const Request& request) {
  const Step& step = wave_[request.step];
  const std::string& person = sequences_.persons[step.person];
  if (!request.is_lesson) {
    return fmt::format(R"({{"person":"{}","placement":"{}","n":{}}})", person,
                       share_name(request.share), kAskedItems);
  }
  std::string items = fmt::format("\"{}\"", sequences_.items[step.item]);
  for (std::size_t i = 1; i < kLessonItems; ++i) {
    items += fmt::format(",\"{}\"", sequences_.items[rng_.below(sequences_.items.size())]);
  }
  return fmt::format(R"({{"person":"{}","placement":"lesson","n":{},"candidates":[{}]}})", person,
                     kLessonItems, items);
}

Status DataPlayer::take_answer(const Request& request, const std::string& answer) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array items;
  std::string_view decision;
  if (parser.parse(answer).get(root) || root["items"].get(items) ||
      root["decision_id"].get(decision)) {
    return Error{Code::kInternal, "not a decision: " + answer, "", ""};
  }
  if (request.is_lesson) {
    wave_[request.step].lesson = decision;
    ++lessons_;
    return ok_status();
  }
  std::vector<std::string_view> slate;
  for (const simdjson::dom::element item : items) {
    std::string_view id;
    if (!item["item_id"].get(id)) slate.push_back(id);
  }
  judge(request, slate, decision);
  return ok_status();
}

// Where the item the person takes next stands among those the person does not have.
void DataPlayer::judge(const Request& request, const std::vector<std::string_view>& slate,
                       std::string_view decision) {
  const Step& step = wave_[request.step];
  const std::string_view wanted = sequences_.items[step.item];
  const auto& steps = sequences_.steps[step.person];
  std::unordered_set<std::string_view> known;
  for (std::uint32_t i = 0; i + 1 < next_[step.person]; ++i) {
    if (steps[i] != step.item) known.insert(sequences_.items[steps[i]]);
  }
  int rank = 0, place = 0;
  for (const std::string_view id : slate) {
    if (known.contains(id)) continue;
    ++place;
    if (id == wanted) rank = place;
  }
  if (place > 0 && rank > int(kHitSlate)) rank = 0;
  tally_.add(request.share, played_, rank);
  if (request.share != Share::kLearned || (is_chosen_hit_ && rank != 1)) return;
  is_chosen_hit_ = rank == 1;
  chosen_decision_ = decision;
  chosen_subject_ = fmt::format(fmt::runtime(words_.took_next), sequences_.persons[step.person],
                                next_[step.person] - 1, wanted);
}

Status DataPlayer::send_steps() {
  for (const Step& step : wave_) {
    const std::string decision =
        step.lesson.empty() ? "" : fmt::format(R"(,"decision_id":"{}")", step.lesson);
    TRY_OK(feed_.add(fmt::format(
        R"({{"type":"track","event":"purchase","userId":"{}","messageId":"s{}","timestamp":"{}",)"
        R"("properties":{{"item_id":"{}"{}}}}})",
        sequences_.persons[step.person], ++played_, stamp(step.day), sequences_.items[step.item],
        decision)));
  }
  return feed_.flush();
}

Status DataPlayer::wave() {
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    TRY_OK(feed_.client(i).send("POST", "/api/v1/decide", body_of(requests_[i])));
  }
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    TRY(const std::string answer, feed_.client(i).receive());
    if (first_decision_s_ == 0) {
      first_decision_s_ = feed_.elapsed_s();
      screen_.say(fmt::format(fmt::runtime(words_.first), first_decision_s_));
    }
    TRY_OK(take_answer(requests_[i], answer));
  }
  TRY_OK(send_steps());
  wave_.clear();
  requests_.clear();
  present_.clear();
  return Interrupt::check();
}

Status DataPlayer::run() {
  screen_.say(fmt::format(fmt::runtime(words_.playing_data), sequences_.name,
                          thousands(sequences_.step_count), thousands(sequences_.persons.size()),
                          thousands(sequences_.items.size()), options_.address));
  screen_.tell(std::string(words_.about_data));
  TRY_OK(load());
  for (const std::uint32_t person : interleave(sequences_, options_.seed)) {
    const bool is_full = wave_.size() >= kWaveSteps || requests_.size() >= kWaveRequests;
    if (is_full || present_.contains(person)) {
      TRY_OK(wave());
      TRY_OK(progress());
    }
    gather(person);
  }
  TRY_OK(wave());
  return progress();
}

}  // namespace attune
