// attune_load: measures a running server over HTTP. One JSON object on stdout per measurement.
#include <cstdio>

#include "base/command_line.h"
#include "load/measure.h"

namespace {

using namespace attune;
using namespace attune::load;

int finish(const Result<std::string>& report) {
  if (report.ok()) return std::printf("%s\n", report->c_str()) > 0 ? 0 : 1;
  std::fprintf(stderr, "attune_load: %s\n", report.error().message.c_str());
  return 1;
}

Command* add_ingest(Command& app, IngestOptions& options) {
  Command* command = app.add_subcommand("ingest", "durable events at a fixed rate");
  command->add_option("--rate", options.rate, "events per second");
  command->add_option("--seconds", options.seconds, "length of the measurement");
  command->add_option("--batch", options.batch, "events per request");
  command->add_option("--persons", options.persons, "different persons");
  command->add_option("--items", options.items, "different items");
  return command;
}

Command* add_decide(Command& app, DecideOptions& options) {
  Command* command = app.add_subcommand("decide", "decisions at a fixed rate");
  command->add_option("--rate", options.rate, "decisions per second");
  command->add_option("--seconds", options.seconds, "length of the measurement");
  command->add_option("--items", options.items, "items in the catalog");
  command->add_option("--persons", options.persons, "different persons");
  command->add_option("--candidates", options.candidates, "items scored per decision");
  command->add_option("--n", options.n, "items per answer");
  command->add_flag("--loaded", options.is_loaded, "items and persons are there already");
  return command;
}

Command* add_scale(Command& app, ScaleOptions& options) {
  Command* command = app.add_subcommand("scale", "many persons, as fast as the server takes them");
  command->add_option("--persons", options.persons, "different persons");
  command->add_option("--items", options.items, "items in the catalog");
  command->add_option("--events", options.events, "events in all");
  command->add_option("--batch", options.batch, "events per request");
  command->add_option("--decisions", options.decisions, "decisions sampled at the end");
  return command;
}

}  // namespace

int main(int argc, char** argv) {
  Command app{"Measures a running Attune server."};
  app.require_subcommand(1);
  Target target;
  app.add_option("--host", target.host, "address of the server");
  app.add_option("--port", target.port, "its port");
  app.add_option("--key", target.key, "a key with every scope");
  app.add_option("--pid", target.pid, "its process, to measure time and memory");
  app.add_option("--connections", target.connections, "connections kept open");
  IngestOptions ingest;
  DecideOptions decide;
  FreshOptions fresh;
  ScaleOptions scale;
  const Command* ingest_command = add_ingest(app, ingest);
  const Command* decide_command = add_decide(app, decide);
  Command* fresh_command = app.add_subcommand("fresh", "an event to that person's next decision");
  fresh_command->add_option("--rounds", fresh.rounds, "persons, one after the other");
  add_scale(app, scale);
  if (const auto code = app.parse(argc, argv)) return *code;
  if (ingest_command->parsed()) return finish(measure_ingest(target, ingest));
  if (decide_command->parsed()) return finish(measure_decide(target, decide));
  if (fresh_command->parsed()) return finish(measure_fresh(target, fresh));
  return finish(measure_scale(target, scale));
}
