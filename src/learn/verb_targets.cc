#include "learn/verb_targets.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.h"

namespace attune {
namespace {

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const Verb verb : target_verbs()) names.emplace_back(verb_name(verb));
  return names;
}

Error unknown(const std::string& name, const std::string& option) {
  const std::vector<std::string> names = target_names();
  const std::string near = nearest(name, names);
  if (!near.empty()) {
    return {Code::kInvalid,
            fmt::format("--{} {}: no such verb, did you mean {}?", option, name, near), option, ""};
  }
  return {Code::kInvalid, fmt::format("--{} {}: no such verb of shown items", option, name), option,
          fmt::format("they are {}; one with --target, more with --also", fmt::join(names, ", "))};
}

Result<Verb> target_verb(const std::string& name, const std::string& option) {
  const auto verb = verb_from_name(name);
  const auto& all = target_verbs();
  if (verb && std::find(all.begin(), all.end(), *verb) != all.end()) return *verb;
  return unknown(name, option);
}

}  // namespace

const std::vector<Verb>& target_verbs() {
  static const std::vector<Verb> kVerbs = {
      Verb::kView,   Verb::kClick, Verb::kLike,     Verb::kComment, Verb::kShare,
      Verb::kFollow, Verb::kCart,  Verb::kPurchase, Verb::kHide,    Verb::kReport};
  return kVerbs;
}

Result<std::vector<TaskOptions>> verb_tasks(const std::string& first,
                                            const FurtherTargetOptions& also) {
  TRY_OK(target_verb(first, "target"));
  std::vector<TaskOptions> tasks = {{first}};
  for (const std::string& name : also.names) {
    TRY_OK(target_verb(name, "also"));
    TRY_OK(add_task(name, tasks));
  }
  TRY_OK(set_weights(also, tasks));
  return tasks;
}

Result<std::vector<Verb>> verbs_of(const std::vector<TaskOptions>& tasks) {
  std::vector<Verb> verbs;
  for (const TaskOptions& task : tasks) {
    TRY(const Verb verb, target_verb(task.name, "target"));
    verbs.push_back(verb);
  }
  return verbs;
}

}  // namespace attune
