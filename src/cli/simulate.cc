// `attune simulate`: rows of a simulated world, and events of its people, as files.
#include <fmt/format.h>

#include <cstdio>
#include <functional>

#include "base/command_line.h"
#include "base/json.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/plot.h"
#include "cli/screen.h"
#include "simulate/world.h"

namespace attune {
namespace {

constexpr std::size_t kBar = 30;
constexpr std::uint64_t kRowsPerWrite = 1000;
const Time kBegin = time_from_us(1'767'225'600'000'000);  // 2026-01-01, as in attune start

struct SimulateOptions {
  std::uint64_t seed = 1;
  std::uint64_t count = 10'000;
  std::string output = "-";
  bool is_json = false;
};

// text_of(k, out): appends row k.
Status write_rows(const SimulateOptions& options, std::string_view unit, const std::string& head,
                  const std::function<void(std::uint64_t, std::string&)>& text_of) {
  if (options.is_json && options.output == "-") {
    return Error{Code::kInvalid, "--json and the rows would both go to standard output", "output",
                 "add --output FILE"};
  }
  Output output(options.output);
  TRY_OK(output.open());
  Screen screen;
  std::string text = head;
  for (std::uint64_t k = 0; k < options.count; ++k) {
    text_of(k, text);
    if ((k + 1) % kRowsPerWrite != 0) continue;
    TRY_OK(output.write(text));
    text.clear();
    if (options.output != "-" && screen.is_due()) {
      screen.draw(
          {fmt::format(" {} {} {}", bar(double(k), double(options.count), kBar), k + 1, unit)});
    }
  }
  TRY_OK(output.write(text));
  TRY_OK(output.close());
  screen.erase();
  if (options.output == "-") return ok_status();
  screen.say(fmt::format("{} {} of world 1, seed {}, in {}", options.count, unit, options.seed,
                         options.output));
  if (!options.is_json) return ok_status();
  std::string report;
  JsonWriter json(report);
  json.begin_object().field("world", 1).field("seed", options.seed);
  json.field(unit, options.count).field("output", options.output).end_object();
  std::printf("%s\n", report.c_str());
  return ok_status();
}

Status simulate_world(const SimulateOptions& options) {
  const World world(options.seed);
  return write_rows(
      options, "rows", "person,item,day,p,click\n",
      [&](std::uint64_t k, std::string& out) { out += world_row_csv(world, world.row(k)); });
}

// Row `number` of the world as an impression, or the click on it.
struct Shown {
  std::uint64_t number = 0;
  WorldRow row;
  bool is_click = false;
};

void write_event(const World& world, std::uint64_t seed, const Shown& shown, std::string& out) {
  const auto& [k, row, is_click] = shown;
  JsonWriter json(out);
  json.begin_object().field("type", "track").field("event", is_click ? "click" : "impression");
  json.field("userId", world.persons()[row.person].id);
  json.field("messageId", fmt::format("world-{}-{}{}", seed, k, is_click ? "c" : "i"));
  json.field("timestamp", format_iso8601(kBegin + seconds(row.day * 86400 + (is_click ? 5 : 0))));
  json.key("properties").begin_object().field("item_id", world.items()[row.item].id).end_object();
  json.end_object();
  out += '\n';
}

void write_identify(const SimPerson& person, std::uint64_t seed, std::string& out) {
  JsonWriter json(out);
  json.begin_object().field("type", "identify").field("userId", person.id);
  json.field("messageId", fmt::format("world-{}-{}", seed, person.id));
  json.field("timestamp", format_iso8601(kBegin)).key("traits").begin_object();
  for (const auto& [name, value] : person.traits) json.field(name, value);
  json.end_object().end_object();
  out += '\n';
}

// First who the people are, then what they see and click, by time.
Status simulate_events(const SimulateOptions& options) {
  const World world(options.seed);
  std::uint64_t row_number = 0;
  Shown shown;
  return write_rows(options, "events", "", [&](std::uint64_t k, std::string& out) {
    if (k < world.persons().size()) return write_identify(world.persons()[k], options.seed, out);
    if (shown.row.click && !shown.is_click) {
      shown.is_click = true;
    } else {
      shown = {.number = row_number, .row = world.row(row_number), .is_click = false};
      ++row_number;
    }
    write_event(world, options.seed, shown, out);
  });
}

struct Rows {
  const char* name;
  const char* summary;
  const char* example;
  const char* count;  // the option that says how many
  Status (*run)(const SimulateOptions&);
};

void add_one(Command& parent, Action& chosen, const Rows& rows) {
  const auto options = std::make_shared<SimulateOptions>();
  Command* command = add_command(parent, "Commands", rows.name, rows.summary, rows.example);
  command->add_option("--seed", options->seed, "seed of the simulated world");
  command->add_option(rows.count, options->count, "how many")
      ->check(range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  command->add_option("--output", options->output, "file; - is standard output");
  command->add_flag("--json", options->is_json, "a summary as one JSON object on stdout");
  command->callback(
      [options, run = rows.run, &chosen] { chosen = [options, run] { return run(*options); }; });
}

}  // namespace

void add_simulate(Command& app, Action& chosen) {
  Command* command =
      add_command(app, kRunGroup, "simulate", "Data of a simulated audience, for files",
                  "attune simulate world --seed 1 --rows 10000 --output world.csv\n"
                  "attune simulate events --seed 1 --events 50000 --output events.jsonl\n"
                  "attune simulate ctr --rows 1000000 --test-rows 200000 --out ctr");
  command->require_subcommand(1);
  add_one(
      *command, chosen,
      {"world",
       "Rows of world 1: a random person sees a random item; p is the true chance of a click",
       "attune simulate world --seed 1 --rows 10000 --output world.csv", "--rows", simulate_world});
  add_one(
      *command, chosen,
      {"events", "Segment calls of the same people, one JSON object a line: identify, then track",
       "attune simulate events --seed 1 --events 50000 --output events.jsonl", "--events",
       simulate_events});
  add_simulate_ctr(*command, chosen);
}

}  // namespace attune
