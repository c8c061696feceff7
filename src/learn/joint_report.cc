#include "learn/joint_report.h"

#include "base/json.h"
#include "learn/train_report.h"

namespace attune {
namespace {

void write_alone(JsonWriter& json, const AloneReport& alone) {
  json.key("alone").begin_object();
  write_measures(json, alone.measures);
  json.key("difference");
  alone.difference ? json.value(*alone.difference) : json.null();
  write_interval(json, "difference_interval", alone.interval);
  json.field("verdict", verdict_name(alone.verdict)).end_object();
}

void write_part(JsonWriter& json, std::string_view name, const LossPart& learned,
                const LossPart& tested) {
  json.begin_object().field("name", name).field("weight", learned.weight);
  json.field("learned", learned.mean()).field("tested", tested.mean()).end_object();
}

}  // namespace

void write_joint(JsonWriter& json, const JointReport& report) {
  json.key("joint").begin_object().key("heads").begin_array();
  for (const HeadReport& head : report.heads) {
    json.begin_object().field("target", head.target).field("weight", head.weight);
    json.field("rows", head.rows).field("unlabelled_rows", head.unlabelled);
    write_measures(json, head.measures);
    if (const auto error = head.after.error()) {
      json.field("ece_before", head.before.error().value()).field("ece", *error);
    }
    if (head.alone) write_alone(json, *head.alone);
    json.end_object();
  }
  json.end_array().key("loss").begin_object();
  json.field("learned", report.learned.total()).field("tested", report.tested.total());
  json.key("parts").begin_array();
  for (std::size_t i = 0; i < report.learned.tasks.size(); ++i) {
    write_part(json, report.learned.tasks[i].name, report.learned.tasks[i], report.tested.tasks[i]);
  }
  if (report.learned.second) {
    write_part(json, report.learned.second->name, *report.learned.second, *report.tested.second);
  }
  json.end_array().end_object().end_object();
}

}  // namespace attune
