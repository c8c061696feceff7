// Outcomes: what came of the items a workspace showed, as rows to learn from, read from its files
// alone: the workspace may be stopped or in use, and nothing changes. The rows, their order and
// their labels are those of the live learner, since the base; persons who refuse personalization
// teach nothing. Stops at the end of what was on disk when opened.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "event/event.h"
#include "format/example_reader.h"
#include "learn/outcome_source.h"

namespace attune {

// names: of the features of each decision's rows; null = not asked for. kNotFound without a
// workspace there.
Result<std::unique_ptr<OutcomeSource>> open_outcomes(const std::string& workspace,
                                                     const NameSink& names = nullptr);

// The same items with a label for each verb, 1 = it happened inside the window: known when the
// window has ended, and not handed out before (learn/verb_join.h). Rows come by end of their
// windows.
Result<std::unique_ptr<OutcomeSource>> open_verb_outcomes(const std::string& workspace,
                                                          const std::vector<Verb>& verbs,
                                                          const NameSink& names = nullptr);

}  // namespace attune
