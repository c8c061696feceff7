#include "event/decision.h"

#include "fuzz.h"

namespace attune {

void fuzz_one(std::string_view input) {
  const auto decision = decode_decision(input);
  if (!decision.ok()) return;
  (void)decision_json(*decision, true);
  std::string once, twice;
  encode_decision(*decision, once);
  const auto back = decode_decision(once);
  CHECK(back.ok());
  encode_decision(*back, twice);
  CHECK(once == twice);
}

}  // namespace attune
