// `attune eval recommend`: lists of items against what people took later.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "base/command_line.h"
#include "base/hash.h"
#include "base/json.h"
#include "cli/access.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/plot.h"
#include "cli/screen.h"
#include "learn/recommend_eval.h"

namespace attune {
namespace {

constexpr std::size_t kBar = 30;

struct EvalOptions {
  std::string data;
  std::string workspace;  // instead of data
  std::string test;       // with it
  std::string format = "gowalla-ngcf";
  std::vector<std::string> methods;  // empty = all
  std::size_t k = 20;
  std::uint64_t seed = 1;
  bool is_json = false;
};

struct MethodReport {
  std::string_view name;
  RecommendScores scores;
  double cpu_s = 0;
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// The published split: train.txt and test.txt, packed or not.
Result<RecommendSplit> read_split(const EvalOptions& options) {
  TRY(const auto train, read_id_lists(options.data + "/train.txt"));
  TRY(const auto test, read_id_lists(options.data + "/test.txt"));
  return make_split(train, test);
}

// An id as a number: what it says in digits, else its hash.
std::uint64_t number_of(const std::string& id) {
  std::uint64_t number = 0;
  const char* const end = id.data() + id.size();
  const auto [stop, error] = std::from_chars(id.data(), end, number);
  const bool is_number = error == std::errc() && stop == end && (id == "0" || id.front() != '0');
  return is_number ? number : hash64(id);
}

struct Taken {
  Time time{};
  std::uint64_t person = 0, item = 0;
};

std::vector<IdList> lists_of(std::span<const Taken> taken) {
  std::vector<IdList> lists;
  for (const Taken& one : taken) lists.push_back({one.person, {one.item}});
  return lists;
}

// Training is what the workspace knows; the test a file of user and item ids, or the latest fifth.
Result<RecommendSplit> workspace_split(const EvalOptions& options) {
  TRY(const auto engine, open_stopped(options.workspace));
  std::vector<Taken> taken;
  TRY_OK(engine->engagements([&](std::uint64_t person, const Event& event) {
    taken.push_back({event.time, person, number_of(event.item_id)});
  }));
  if (options.test.empty()) {
    std::stable_sort(taken.begin(), taken.end(),
                     [](const Taken& a, const Taken& b) { return a.time < b.time; });
    const std::size_t cut = taken.size() * 4 / 5;
    const std::span<const Taken> all(taken);
    TRY_OK(engine->close());
    return make_split(lists_of(all.first(cut)), lists_of(all.subspan(cut)));
  }
  TRY(std::vector<IdList> test, read_id_lists(options.test));
  for (IdList& list : test) {
    const std::string id = std::to_string(list.person);
    list.person = engine->person_number(IdType::kUser, id).value_or(hash64(id));
  }
  TRY_OK(engine->close());
  return make_split(lists_of(taken), test);
}

Result<RecommendSplit> split_of(const EvalOptions& options) {
  if (options.data.empty() == options.workspace.empty()) {
    return Error{Code::kInvalid, "eval recommend: name either --data or --workspace", "data",
                 "attune eval recommend --data gowalla-ngcf"};
  }
  return options.data.empty() ? workspace_split(options) : read_split(options);
}

MethodReport run_method(const RecommendMethod& method, const RecommendSplit& split,
                        const EvalOptions& options, Screen& screen) {
  const double begin_s = cpu_seconds();
  if (screen.is_live()) screen.draw({fmt::format(" {}: learning", method.name)});
  const ItemScorer scorer = method.make(split, options.seed);
  const auto tick = [&](std::uint32_t person) {
    if (person % 256 != 0 || !screen.is_due()) return;
    screen.draw({fmt::format(" {} {} of {} persons, {}",
                             bar(double(person), double(split.test.size()), kBar), person,
                             split.test.size(), method.name)});
  };
  MethodReport report{.name = method.name,
                      .scores = evaluate_lists(split, options.k, scorer, tick)};
  report.cpu_s = cpu_seconds() - begin_s;
  return report;
}

void mean_field(JsonWriter& json, std::string_view name, const MeanInterval& value) {
  json.field(name, value.mean).key(std::string(name) + "_interval");
  if (!value.interval) {
    json.null();
    return;
  }
  json.begin_array().value(value.interval->low).value(value.interval->high).end_array();
}

std::string report_json(const EvalOptions& options, const RecommendSplit& split,
                        const std::vector<MethodReport>& reports) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("k", std::uint64_t{options.k}).field("seed", options.seed);
  json.field("persons", std::uint64_t{split.train.persons()});
  json.field("items", std::uint64_t{split.train.items()});
  json.field("train_pairs", std::uint64_t{split.train.size()});
  json.field("test_pairs", std::uint64_t{split.test_pairs});
  json.field("repeated_test_pairs", std::uint64_t{split.repeated}).key("methods").begin_array();
  for (const MethodReport& report : reports) {
    const RecommendScores& scores = report.scores;
    json.begin_object().field("method", report.name).field("persons", scores.persons);
    mean_field(json, "recall", scores.recall);
    mean_field(json, "ndcg", scores.ndcg);
    mean_field(json, "hit_rate", scores.hit_rate);
    mean_field(json, "reciprocal_rank", scores.reciprocal_rank);
    json.field("coverage", scores.coverage).key("popularity_bias");
    scores.popularity_bias ? json.value(*scores.popularity_bias) : json.null();
    json.field("cpu_s", report.cpu_s).end_object();
  }
  json.end_array().end_object();
  return out;
}

// "0.1806 ± 0.0021"
std::string with_margin(const MeanInterval& value) {
  if (!value.interval) return fmt::format("{:.4f}", value.mean);
  return fmt::format("{:.4f} ± {:.4f}", value.mean,
                     std::max(value.interval->high - value.mean, value.mean - value.interval->low));
}

void print_table(const EvalOptions& options, const RecommendSplit& split,
                 const std::vector<MethodReport>& reports) {
  std::printf("%s\n", fmt::format("{} persons, {} items; {} pairs to learn from, {} to find\n",
                                  split.train.persons(), split.train.items(), split.train.size(),
                                  split.test_pairs)
                          .c_str());
  const std::string at = fmt::format("@{}", options.k);
  std::printf("%s\n",
              fmt::format("{:10}{:>18}{:>18}{:>10}{:>11}{:>13}{:>8}", "ranked by", "Recall" + at,
                          "NDCG" + at, "hit rate", "items seen", "popularity", "CPU s")
                  .c_str());
  for (const MethodReport& report : reports) {
    const RecommendScores& s = report.scores;
    // "±" takes two bytes and one column; fmt counts columns.
    const std::string bias = s.popularity_bias ? fmt::format("x {:.2f}", *s.popularity_bias) : "-";
    std::printf("%s\n", fmt::format("{:10}{:>18}{:>18}{:>8.1f} %{:>9.1f} %{:>13}{:>8.2f}",
                                    report.name, with_margin(s.recall), with_margin(s.ndcg),
                                    100 * s.hit_rate.mean, 100 * s.coverage, bias, report.cpu_s)
                            .c_str());
  }
  std::printf(
      "\nEvery item is ranked for every person, those taken in training left out; equal scores "
      "count\nagainst the ranker. ±: 95 %% interval over persons. popularity: of what is shown, "
      "over that of\nwhat people took.\n");
}

Status eval_recommend(const EvalOptions& options) {
  TRY(const RecommendSplit split, split_of(options));
  Screen screen;
  if (split.repeated > 0) {
    screen.say(
        fmt::format("{} pairs of the test are in training as well: left out", split.repeated));
  }
  std::vector<MethodReport> reports;
  for (const RecommendMethod& method : recommend_methods()) {
    const auto& wanted = options.methods;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), method.name) == wanted.end()) {
      continue;
    }
    reports.push_back(run_method(method, split, options, screen));
  }
  screen.erase();
  if (options.is_json) {
    std::printf("%s\n", report_json(options, split, reports).c_str());
  } else {
    print_table(options, split, reports);
  }
  return ok_status();
}

}  // namespace

void add_eval_recommend(Command& eval, Action& chosen) {
  const auto options = std::make_shared<EvalOptions>();
  Command* command = add_command(
      eval, "Commands", "recommend",
      "Ranks all items for every person, against what they took later",
      "attune eval recommend --data gowalla-ngcf --format gowalla-ngcf\n"
      "attune eval recommend --data gowalla-ngcf --methods popular,p3 --k 10 --json\n"
      "attune eval recommend --workspace shop                 the latest fifth is the test\n"
      "attune eval recommend --workspace gowalla --test gowalla-ngcf/test.txt.gz");
  std::vector<std::string> names;
  std::string help = "with commas, else all:";
  for (const RecommendMethod& method : recommend_methods()) {
    help += fmt::format("{} {} ({})", names.empty() ? "" : ",", method.name, method.summary);
    names.emplace_back(method.name);
  }
  command->add_option("--data", options->data, "folder with train.txt and test.txt, packed or not");
  command->add_option("--workspace", options->workspace,
                      "a stopped workspace instead: its engagements are what is learned from");
  command->add_option(
      "--test", options->test,
      "with --workspace: file of what people took later, a line is a user and items; "
      "if not given, the latest fifth of the engagements is the test");
  command
      ->add_option("--format", options->format, "gowalla-ngcf: a line is a person and their items")
      ->check(one_of({"gowalla-ngcf"}));
  command->add_option("--methods", options->methods, help)->delimiter(',')->check(one_of(names));
  command->add_option("--k", options->k, "places of a list")->check(range(1, 1000));
  command->add_option("--seed", options->seed, "of the random ranking");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback(
      [options, &chosen] { chosen = [options] { return eval_recommend(*options); }; });
}

}  // namespace attune
