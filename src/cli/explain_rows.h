// attune explain --importance, --column, --counterfactual: what a model's predictions do when the
// cells of a table are changed.
#pragma once
#include "cli/explain_model.h"
#include "learn/trained.h"

namespace attune {

bool asks_what_if(const ExplainModelOptions& options);
Status explain_rows(const Trained& trained, const ExplainModelOptions& options);

}  // namespace attune
