// The commands of `attune`. Each file of commands adds its own with add_command (help.h); parsing
// leaves in `chosen` what to do. Data on stdout, talk on stderr; exit 0 done, 1 failed, 2 misuse.
#pragma once
#include <functional>

#include "base/result.h"

namespace attune {

class Command;

using Action = std::function<Status()>;

// Headings of the list in `attune --help`.
inline constexpr const char* kRunGroup = "Run";
inline constexpr const char* kLearnGroup = "Learn from files";
inline constexpr const char* kUnderstandGroup = "Understand";
inline constexpr const char* kOperateGroup = "Operate";

void add_start(Command& app, Action& chosen);
void add_serve(Command& app, Action& chosen);
void add_train(Command& app, Action& chosen);
void add_eval(Command& app, Action& chosen);
void add_predict(Command& app, Action& chosen);
void add_explain(Command& app, Action& chosen);
void add_preview(Command& app, Action& chosen);
void add_replay(Command& app, Action& chosen);
void add_person(Command& app, Action& chosen);
void add_export(Command& app, Action& chosen);
void add_erase(Command& app, Action& chosen);
void add_backup(Command& app, Action& chosen);
void add_restore(Command& app, Action& chosen);
void add_retain(Command& app, Action& chosen);
void add_import(Command& app, Action& chosen);
void add_items(Command& app, Action& chosen);
void add_simulate(Command& app, Action& chosen);
void add_simulate_ctr(Command& simulate, Action& chosen);
void add_eval_recommend(Command& eval, Action& chosen);
void add_report(Command& app, Action& chosen);
void add_tune(Command& app, Action& chosen);
void add_config(Command& app, Action& chosen);
void add_keys(Command& app, Action& chosen);
void add_registry(Command& app, Action& chosen);
void add_runs(Command& app, Action& chosen);
void add_workspace(Command& app, Action& chosen);
void add_plan(Command& app, Action& chosen);
void add_doctor(Command& app, Action& chosen);
void add_reference(Command& app, Action& chosen);

int run_attune(int argc, char** argv);

}  // namespace attune
