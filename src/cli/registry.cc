// attune registry: named models of a workspace, their versions, and which one ranks.
#include <fmt/format.h>
#include <simdjson.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/access.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/model_comparison.h"
#include "cli/model_registry.h"
#include "cli/words.h"
#include "engine/observe.h"
#include "learn/trained.h"

namespace attune {
namespace {

struct RegistryOptions {
  Place place;
  std::string model, file, name, reason;
  double share = 0.05;
  bool promotes = false;  // a canary, once it is better
  bool stops = false;     // learning
  bool is_json = false;
};

// "0.36812 log loss, 0.7421 auc", of what training said.
std::string scores_of(const std::string& about) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(about).get(root)) return "";
  std::string out;
  double log_loss = 0, auc = 0;
  if (!root["log_loss"].get(log_loss)) out += fmt::format("{:.5f} log loss", log_loss);
  if (!root["auc"].get(auc)) out += fmt::format("{}{:.4f} auc", out.empty() ? "" : ", ", auc);
  return out;
}

// "promoted, learns", "canary 5 %", "shadow".
std::string stage_of(const RegisteredModel& model, const ModelVersion& version) {
  std::string out = &version == model.promoted() ? "promoted" : "";
  if (model.challenger && model.challenger->version == version.number) {
    out = model.challenger->share > 0 ? fmt::format("canary {:g} %", 100 * model.challenger->share)
                                      : "shadow";
    if (model.challenger->promotes) out += " or all";
  }
  if (!model.is_learning(version.number)) return out;
  return out + (out.empty() ? "learns" : ", learns");
}

void print_versions(const RegisteredModel& model) {
  std::size_t width = 8;
  for (const ModelVersion& version : model.versions) {
    width = std::max(width, stage_of(model, version).size());
  }
  for (const ModelVersion& version : model.versions) {
    std::printf("%s %s %s %s %s %s\n",
                left(fmt::format("{}@{}", model.name, version.number), 16).c_str(),
                left(stage_of(model, version), width).c_str(), left(version.kind, 8).c_str(),
                version.id.c_str(), format_iso8601(version.created).c_str(),
                scores_of(version.about).c_str());
  }
}

void print_steps(const RegisteredModel& model) {
  std::size_t width = 9;
  for (const ModelStep& step : model.steps) width = std::max(width, step_name(step.what).size());
  for (const ModelStep& step : model.steps) {
    const std::string to = step.version == 0 ? "the live learner" : std::to_string(step.version);
    std::printf("%s  %s %s%s%s\n", format_iso8601(step.time).c_str(),
                left(std::string(step_name(step.what)), width).c_str(), to.c_str(),
                step.reason.empty() ? "" : ": ", step.reason.c_str());
  }
}

Result<Catalog> catalog_of(const RegistryOptions& options) {
  TRY_OK(require_workspace(options.place.workspace));
  return observe_catalog(options.place.workspace);
}

Status list(const RegistryOptions& options) {
  TRY(const Catalog catalog, catalog_of(options));
  std::string out = "{\"models\":[";
  for (const auto& [name, model] : catalog.models().models()) {
    if (options.is_json) {
      out += (out.back() == '[' ? "" : ",") + model_json(model);
    } else {
      print_versions(model);
    }
  }
  if (options.is_json) std::printf("%s]}\n", out.c_str());
  if (!options.is_json && catalog.models().models().empty()) {
    std::fprintf(stderr,
                 "attune: no model is registered: attune train --workspace %s --register "
                 "NAME registers one\n",
                 options.place.workspace.c_str());
  }
  return ok_status();
}

Status show(const RegistryOptions& options) {
  TRY(const Catalog catalog, catalog_of(options));
  TRY(const RegisteredModel* const model, catalog.models().require(options.name));
  if (options.is_json) {
    std::printf("%s\n", model_json(*model).c_str());
    return ok_status();
  }
  print_versions(*model);
  std::printf("\n");
  print_steps(*model);
  return ok_status();
}

// "ranks for 5 % of the persons, as a canary, and learns from the stream".
std::string words_of(const RegisteredModel& model, const ModelVersion& version) {
  std::vector<std::string> out;
  if (&version == model.promoted()) out.emplace_back("ranks where a placement asks for it");
  const auto& challenger = model.challenger;
  if (challenger && challenger->version == version.number) {
    out.push_back(
        challenger->share > 0
            ? fmt::format("ranks for {:g} % of the persons, as a canary{}", 100 * challenger->share,
                          challenger->promotes ? ", and for all once it is clearly better" : "")
            : "is measured beside what ranks, as a shadow");
  }
  if (model.is_learning(version.number)) out.emplace_back("learns from the stream");
  if (out.empty()) return "neither ranks, nor challenges, nor learns";
  return fmt::format("{}", fmt::join(out, ", and "));
}

std::string answer_json(const RegisteredModel& model) {
  const ModelVersion* const promoted = model.promoted();
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("name", model.name).key("promoted");
  promoted == nullptr ? json.null() : json.value(std::uint64_t{promoted->number});
  json.key("challenger");
  if (model.challenger) {
    json.begin_object().field("version", std::uint64_t{model.challenger->version});
    json.field("share", model.challenger->share);
    json.field("promote_when_better", model.challenger->promotes).end_object();
  } else {
    json.null();
  }
  json.key("learning").begin_array();
  for (const std::uint32_t number : model.learning) json.value(std::uint64_t{number});
  json.end_array().field("versions", std::uint64_t{model.versions.size()}).key("newest");
  model.versions.empty() ? json.null() : json.value(std::uint64_t{model.versions.back().number});
  json.end_object();
  return out;
}

// number: the version that was spoken of; 0 = none.
Status say(const RegistryOptions& options, const RegisteredModel& model, std::uint32_t number) {
  if (options.is_json) {
    std::printf("%s\n", answer_json(model).c_str());
    return ok_status();
  }
  const ModelVersion* const version = model.version(number);
  const ModelVersion* const promoted = model.promoted();
  if (version != nullptr) {
    std::printf("%s@%u %s\n", model.name.c_str(), number, words_of(model, *version).c_str());
    if (version == promoted) return ok_status();
  }
  std::printf(
      "%s: %zu version%s, %s%s\n", model.name.c_str(), model.versions.size(),
      model.versions.size() == 1 ? "" : "s",
      promoted == nullptr
          ? "none promoted: where a placement asks for it, the live learner ranks"
          : fmt::format("version {} ranks where a placement asks for it", promoted->number).c_str(),
      model.challenger ? "" : "; none challenges");
  return ok_status();
}

using Change = std::function<Result<RegisteredModel>(ModelChanges&)>;

Status change(const RegistryOptions& options, std::uint32_t version, const Change& make) {
  TRY(const auto changes, ModelChanges::open(options.place));
  auto model = make(*changes);
  TRY_OK(changes->close());
  if (!model.ok()) return std::move(model).error();
  return say(options, *model, version);
}

Result<ModelReference> versioned(const std::string& text) {
  const auto reference = model_reference(text);
  if (reference && reference->version != 0) return *reference;
  return Error{Code::kInvalid, fmt::format("{}: which version? NAME@VERSION", text), "model",
               "for example ranker@3: attune registry list shows them"};
}

// What its training said of it, as short as it is told everywhere.
Result<std::string> about_of(const std::string& file) {
  TRY(const Trained trained, Trained::load(file));
  return short_report(trained.report, "registry register");
}

Status add(const RegistryOptions& options) {
  TRY(const std::string about, about_of(options.file));
  return change(options, 0, [&](ModelChanges& changes) {
    return changes.add(options.name, options.file, about);
  });
}

Status promote(const RegistryOptions& options) {
  TRY(const ModelReference model, versioned(options.model));
  return change(options, model.version,
                [&](ModelChanges& changes) { return changes.promote(model, options.reason); });
}

Status roll_back(const RegistryOptions& options) {
  return change(options, 0, [&](ModelChanges& changes) {
    return changes.roll_back(options.name, options.reason);
  });
}

Status remove(const RegistryOptions& options) {
  TRY(const ModelReference model, versioned(options.model));
  return change(options, 0, [&](ModelChanges& changes) { return changes.remove(model); });
}

Status challenge(const RegistryOptions& options, double share) {
  TRY(const ModelReference model, versioned(options.model));
  return change(options, model.version, [&](ModelChanges& changes) {
    return changes.challenge({model.name, options.reason, model.version, share, options.promotes});
  });
}

Status shadow(const RegistryOptions& options) { return challenge(options, 0); }

Status canary(const RegistryOptions& options) { return challenge(options, options.share); }

Status retire(const RegistryOptions& options) {
  return change(options, 0, [&](ModelChanges& changes) {
    return changes.retire(options.name, options.reason);
  });
}

Status learn(const RegistryOptions& options) {
  TRY(const ModelReference model, versioned(options.model));
  return change(options, model.version, [&](ModelChanges& changes) {
    return changes.teach(model, !options.stops, options.reason);
  });
}

Status keep(const RegistryOptions& options) {
  TRY(const ModelReference model, versioned(options.model));
  TRY(const auto changes, ModelChanges::open(options.place));
  const auto now = changes->keep(model);
  TRY_OK(changes->close());
  if (!now.ok()) return now.error();
  if (options.is_json) return say(options, *now, 0);
  std::printf("%s@%u, as far as it has learned, is %s@%u from now on\n", model.name.c_str(),
              model.version, model.name.c_str(), now->versions.back().number);
  return ok_status();
}

Status compare(const RegistryOptions& options) {
  TRY(const auto changes, ModelChanges::open(options.place));
  const auto comparison = changes->compare(options.name);
  TRY_OK(changes->close());
  if (!comparison.ok()) return comparison.error();
  if (options.is_json) {
    std::printf("%s\n", comparison->c_str());
    return ok_status();
  }
  return print_comparison(*comparison);
}

enum Access { kRead, kChange };

}  // namespace

void add_registry(Command& app, Action& chosen) {
  Command* registry = add_command(
      app, kOperateGroup, "registry", "Trained models of a workspace, and which one ranks",
      "attune registry list --workspace shop\n"
      "attune registry promote ranker@2 --workspace shop --reason \"log loss 2 % lower\"\n"
      "attune registry rollback ranker --workspace shop --server http://127.0.0.1:8090");
  registry->require_subcommand(1);
  const auto add_one = [&](const char* name, const char* summary, const char* example,
                           Status (*work)(const RegistryOptions&), Access access,
                           const auto& more) {
    const auto options = std::make_shared<RegistryOptions>();
    Command* command = add_command(*registry, "Commands", name, summary, example);
    more(*command, *options);
    command->add_option("--workspace", options->place.workspace, "folder of the workspace");
    if (access == kChange) {
      command->add_option("--server", options->place.server,
                          "http(s)://HOST:PORT that serves it, with its key in ATTUNE_ADMIN_KEY");
    }
    command->add_flag("--json", options->is_json, "one JSON object on stdout");
    command->callback([=, &chosen] { chosen = [=] { return work(*options); }; });
  };
  const auto by_name = [](Command& command, RegistryOptions& options) {
    command.add_option("name", options.name, "of the model")->required()->type_name("NAME");
  };
  const auto by_version = [](Command& command, RegistryOptions& options) {
    command.add_option("model", options.model, "which version of which model")
        ->required()
        ->type_name("NAME@VERSION");
  };
  const auto with_reason = [](Command& command, RegistryOptions& options) {
    command.add_option("--reason", options.reason, "why, for those who ask later");
  };
  add_one("list", "Every version of every model", "attune registry list --workspace shop", list,
          kRead, [](Command&, RegistryOptions&) {});
  add_one("show", "The versions of a model, and each step it took",
          "attune registry show ranker --workspace shop", show, kRead, by_name);
  add_one("register", "A model file becomes the next version of a named model",
          "attune registry register fm.attune --name ranker --workspace shop", add, kChange,
          [](Command& command, RegistryOptions& options) {
            command.add_option("file", options.file, "model of attune train")->required();
            command.add_option("--name", options.name, "a-z, 0-9, - and _")->required();
          });
  add_one("promote", "A version ranks from now on, where a placement asks for the model",
          "attune registry promote ranker@2 --workspace shop", promote, kChange,
          [&](Command& command, RegistryOptions& options) {
            by_version(command, options);
            with_reason(command, options);
          });
  add_one("rollback", "Back to the version promoted before, or to the live learner",
          "attune registry rollback ranker --workspace shop", roll_back, kChange,
          [&](Command& command, RegistryOptions& options) {
            by_name(command, options);
            with_reason(command, options);
          });
  add_one("shadow", "A version is measured beside what ranks, and ranks for nobody",
          "attune registry shadow ranker@3 --workspace shop", shadow, kChange,
          [&](Command& command, RegistryOptions& options) {
            by_version(command, options);
            with_reason(command, options);
          });
  add_one("canary",
          "A version ranks for a share of the persons, always the same ones, until it harms",
          "attune registry canary ranker@3 --share 0.05 --workspace shop", canary, kChange,
          [&](Command& command, RegistryOptions& options) {
            by_version(command, options);
            command.add_option("--share", options.share, "of the persons, at most 0.5")
                ->check(range(0.0001, ModelRegistry::kMostShare))
                ->capture_default_str();
            command.add_flag(
                "--promote-when-better", options.promotes,
                "promote it once it is clearly better; what was promoted then challenges it");
            with_reason(command, options);
          });
  add_one("compare", "What the challenger and what ranks came to",
          "attune registry compare ranker --workspace shop", compare, kChange, by_name);
  add_one("retire", "The challenge ends; the version stays",
          "attune registry retire ranker --workspace shop --reason \"no better\"", retire, kChange,
          [&](Command& command, RegistryOptions& options) {
            by_name(command, options);
            with_reason(command, options);
          });
  add_one("learn", "A version goes on learning from the stream of outcomes while it ranks",
          "attune registry learn ranker@3 --workspace shop\n"
          "attune registry learn ranker@3 --stop --workspace shop",
          learn, kChange, [&](Command& command, RegistryOptions& options) {
            by_version(command, options);
            command.add_flag("--stop", options.stops, "as it was registered again");
            with_reason(command, options);
          });
  add_one("keep", "What a version has learned from the stream becomes the next version",
          "attune registry keep ranker@3 --workspace shop", keep, kChange, by_version);
  add_one("remove", "A version and its file go; not one that ranks or did",
          "attune registry remove ranker@1 --workspace shop", remove, kChange, by_version);
}

}  // namespace attune
