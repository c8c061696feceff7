// `attune preview`: what the dials of a placement would do, before they are set.
#include <fmt/format.h>
#include <simdjson.h>

#include <cstdio>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/access.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "engine/dial_preview.h"

namespace attune {
namespace {

using simdjson::dom::element;

struct PreviewOptions {
  Place place;
  DialQuestion question;
  double half_life_s = 0;
  bool is_json = false;
};

Result<std::string> ask_server(const PreviewOptions& options) {
  TRY(Client client, connect_admin(options.place.server));
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("persons", std::uint64_t{options.question.persons});
  if (options.half_life_s > 0) json.field("freshness_half_life_s", options.half_life_s);
  json.end_object();
  return client.call(
      "POST", "/api/v1/placements/" + percent_encoded(options.question.placement) + "/preview",
      body);
}

Result<std::string> ask(const PreviewOptions& options) {
  if (!options.place.server.empty()) return ask_server(options);
  TRY(const auto engine, open_stopped(options.place.workspace));
  TRY(const DialPreview preview, preview_dials(*engine, options.question));
  TRY_OK(engine->close());
  return dial_preview_json(preview);
}

double number(element object, const char* name) {
  double found = 0;
  return object[name].get(found) ? 0 : found;
}

void print_settings(element root, const char* name, const char* dial) {
  simdjson::dom::array settings;
  if (root[name].get(settings)) return;
  std::printf("\n%-10s%12s%9s%16s%14s%17s%10s%11s\n", dial, "categories", "entropy", "items shown",
              "top ten hold", "expected clicks", "mean age", "as global");
  double first = 0;
  for (const element s : settings) {
    const double clicks = number(s, "expected_clicks");
    if (first == 0) first = clicks;
    const std::string cost = clicks == first || first == 0
                                 ? ""
                                 : fmt::format(" ({:+.1f} %)", 100 * (clicks / first - 1));
    std::printf("%s\n",
                fmt::format("{:<10}{:>12.2f}{:>9.2f}{:>16}{:>12.0f} %{:>17}{:>8.1f} d{:>9.0f} %",
                            number(s, dial), number(s, "categories"), number(s, "entropy_bits"),
                            fmt::format("{:.0f} ({:.1f} %)", number(s, "items"),
                                        100 * number(s, "coverage")),
                            100 * number(s, "top_ten_share"), fmt::format("{:.3f}{}", clicks, cost),
                            number(s, "mean_age_days"), 100 * number(s, "near_global_share"))
                    .c_str());
  }
}

Status print_tables(const std::string& preview) {
  simdjson::dom::parser parser;
  element root;
  const simdjson::padded_string padded(preview);
  std::string_view placement;
  if (parser.parse(padded).get(root) || root["placement"].get(placement)) {
    return Error{Code::kInternal, "not a preview: " + preview};
  }
  std::printf("%s\n", fmt::format("Placement {}: the last requests of {:.0f} persons made again, "
                                  "{:.1f} places each.\nSet now: diversity {}, freshness {} with a "
                                  "half-life of {:.3g} days.",
                                  placement, number(root, "persons"), number(root, "places"),
                                  number(root, "diversity"), number(root, "freshness"),
                                  number(root, "freshness_half_life_s") / 86400)
                          .c_str());
  print_settings(root, "by_diversity", "diversity");
  print_settings(root, "by_freshness", "freshness");
  std::printf(
      "\nentropy: bits, of the categories of a list. items shown: in all lists, and of those that "
      "may be.\nexpected clicks: of a list, by the model, all places alike. as global: persons "
      "whose list differs by\nat most two items from that of someone of whom nothing is known. "
      "Exploration is left out.\n");
  return ok_status();
}

Status preview(const PreviewOptions& options) {
  TRY(const std::string answer, ask(options));
  if (!options.is_json) return print_tables(answer);
  std::printf("%s\n", answer.c_str());
  return ok_status();
}

}  // namespace

void add_preview(Command& app, Action& chosen) {
  const auto options = std::make_shared<PreviewOptions>();
  Command* command = add_command(
      app, kUnderstandGroup, "preview",
      "What diversity and freshness would do to a placement's lists, before they are set",
      "attune preview --workspace shop --placement feed\n"
      "attune preview --server http://127.0.0.1:8090 --placement feed --persons 500 --json");
  command->add_option("--workspace", options->place.workspace, "folder of the workspace");
  command->add_option("--server", options->place.server,
                      "ask a running server instead, with the key in ATTUNE_ADMIN_KEY");
  command->add_option("--placement", options->question.placement, "whose lists");
  command
      ->add_option("--persons", options->question.persons,
                   "how many persons' last requests are made again")
      ->check(range(std::size_t{1}, DialQuestion::kMostPersons));
  command
      ->add_option("--half-life-s", options->half_life_s,
                   "of freshness, instead of the placement's own")
      ->check(range(60.0, 3660.0 * 86400));
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] {
    if (options->half_life_s > 0) options->question.freshness_half_life_s = options->half_life_s;
    chosen = [options] { return preview(*options); };
  });
}

}  // namespace attune
