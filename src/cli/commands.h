// The commands of `attune`. Each file of commands adds its own with add_command (help.h); parsing
// leaves in `chosen` what to do. Data on stdout, talk on stderr; exit 0 done, 1 failed, 2 misuse.
#pragma once
#include <functional>

#include "base/result.h"

namespace CLI {
class App;
}

namespace attune {

using Action = std::function<Status()>;

// Headings of the list in `attune --help`.
inline constexpr const char* kRunGroup = "Run";
inline constexpr const char* kLearnGroup = "Learn from files";
inline constexpr const char* kUnderstandGroup = "Understand";
inline constexpr const char* kOperateGroup = "Operate";

void add_start(CLI::App& app, Action& chosen);
void add_serve(CLI::App& app, Action& chosen);
void add_train(CLI::App& app, Action& chosen);
void add_eval(CLI::App& app, Action& chosen);
void add_predict(CLI::App& app, Action& chosen);
void add_explain(CLI::App& app, Action& chosen);
void add_preview(CLI::App& app, Action& chosen);
void add_replay(CLI::App& app, Action& chosen);
void add_person(CLI::App& app, Action& chosen);
void add_export(CLI::App& app, Action& chosen);
void add_erase(CLI::App& app, Action& chosen);
void add_backup(CLI::App& app, Action& chosen);
void add_restore(CLI::App& app, Action& chosen);
void add_retain(CLI::App& app, Action& chosen);
void add_import(CLI::App& app, Action& chosen);
void add_items(CLI::App& app, Action& chosen);
void add_simulate(CLI::App& app, Action& chosen);
void add_simulate_ctr(CLI::App& simulate, Action& chosen);
void add_eval_recommend(CLI::App& eval, Action& chosen);
void add_report(CLI::App& app, Action& chosen);
void add_tune(CLI::App& app, Action& chosen);
void add_config(CLI::App& app, Action& chosen);
void add_keys(CLI::App& app, Action& chosen);
void add_registry(CLI::App& app, Action& chosen);
void add_runs(CLI::App& app, Action& chosen);
void add_workspace(CLI::App& app, Action& chosen);
void add_plan(CLI::App& app, Action& chosen);
void add_doctor(CLI::App& app, Action& chosen);
void add_reference(CLI::App& app, Action& chosen);

int run_attune(int argc, char** argv);

}  // namespace attune
