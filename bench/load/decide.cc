#include "load/measure.h"
namespace attune::load {
Result<std::string> measure_decide(const Target&, const DecideOptions&) { return std::string(); }
Result<std::string> measure_fresh(const Target&, const FreshOptions&) { return std::string(); }
Result<std::string> measure_scale(const Target&, const ScaleOptions&) { return std::string(); }
}  // namespace attune::load
