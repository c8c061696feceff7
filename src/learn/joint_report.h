// JointReport: what there is to say of a model of several tasks: each head by itself, beside a
// model of that task alone, and the parts of the joint loss with their stated weights. Data.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "stat/measure.h"
#include "stat/paired_loss.h"
#include "stat/reliability.h"

namespace attune {

class JsonWriter;

// A model of the same kind that learned the task alone, on the same rows tested on.
struct AloneReport {
  std::vector<Measure> measures;
  std::optional<double> difference = {};  // log loss of the head less its own: below 0 = sharing
                                          // helped
  std::optional<Interval> interval = {};  // 95 %, of the difference
  PairedLoss::Verdict verdict = PairedLoss::Verdict::kNoClearDifference;  // on the head
};

struct HeadReport {
  std::string target;
  double weight = 1;
  std::uint64_t rows = 0, unlabelled = 0;  // tested on; without a label there
  std::vector<Measure> measures;
  Reliability before = {}, after = {};  // of the rows tested on; empty of one not calibrated
  std::optional<AloneReport> alone = {};
};

struct JointReport {
  std::vector<HeadReport> heads;  // the first target's first
  JointParts learned, tested;     // while it learned, of all passes; on the rows tested on
};

// An object "joint" into an open one.
void write_joint(JsonWriter& json, const JointReport& report);

}  // namespace attune
