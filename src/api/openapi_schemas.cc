// The schemas of /openapi.json, as JSON text.
#include "api/openapi_schemas.h"

namespace attune {

// What messages of every kind hold. Kept open: clients send more than we read.
constexpr std::string_view kEventSchemas = R"json(
"ExternalId":{"description":"UTF-8 of 1 to 256 bytes without control characters; numbers become text.",
  "type":["string","number"],"examples":["u-19"]},
"EventTime":{"type":"string","format":"date-time","examples":["2026-11-02T10:11:12.345Z"]},
"Message":{"type":"object","description":"What every call may hold. userId or anonymousId is required.",
  "properties":{
    "messageId":{"$ref":"#/components/schemas/ExternalId","description":"The same one twice is stored once."},
    "userId":{"$ref":"#/components/schemas/ExternalId"},
    "anonymousId":{"$ref":"#/components/schemas/ExternalId"},
    "timestamp":{"$ref":"#/components/schemas/EventTime"},
    "originalTimestamp":{"$ref":"#/components/schemas/EventTime"},
    "sentAt":{"$ref":"#/components/schemas/EventTime"},
    "context":{"type":"object","description":"consent.categoryPreferences is read, the rest kept."},
    "writeKey":{"type":"string","description":"The key, when no header names it."}}},
"Properties":{"type":"object","properties":{
    "item_id":{"$ref":"#/components/schemas/ExternalId"},
    "product_id":{"$ref":"#/components/schemas/ExternalId"},
    "decision_id":{"type":"string"},
    "value":{"type":["number","string"]},"revenue":{"type":["number","string"]},
    "products":{"type":"array","items":{"type":"object"}}}},
"Track":{"allOf":[{"$ref":"#/components/schemas/Message"},{"type":"object","required":["event"],"properties":{
    "event":{"type":"string","minLength":1},"properties":{"$ref":"#/components/schemas/Properties"}}}],
  "examples":[{"userId":"ann","event":"Product Clicked","messageId":"m-1","properties":{"product_id":"p1"}}]},
"Identify":{"allOf":[{"$ref":"#/components/schemas/Message"},{"type":"object","properties":{
    "traits":{"type":"object"}}}],
  "examples":[{"userId":"ann","anonymousId":"a-1","traits":{"country":"DE"}}]},
"Page":{"allOf":[{"$ref":"#/components/schemas/Message"},{"type":"object","properties":{
    "name":{"type":"string"},"category":{"type":"string"},"properties":{"$ref":"#/components/schemas/Properties"}}}],
  "examples":[{"anonymousId":"a-1","name":"Home","properties":{"url":"https://shop.example/"}}]},
"Screen":{"allOf":[{"$ref":"#/components/schemas/Page"}],"examples":[{"userId":"ann","name":"Start"}]},
"Group":{"allOf":[{"$ref":"#/components/schemas/Message"},{"type":"object","required":["groupId"],"properties":{
    "groupId":{"$ref":"#/components/schemas/ExternalId"},"traits":{"type":"object"}}}],
  "examples":[{"userId":"ann","groupId":"g-1","traits":{"plan":"pro"}}]},
"Alias":{"allOf":[{"$ref":"#/components/schemas/Message"},{"type":"object","required":["userId","previousId"],"properties":{
    "previousId":{"$ref":"#/components/schemas/ExternalId"}}}],
  "examples":[{"userId":"ann","previousId":"a-2"}]},
"Batch":{"type":"object","required":["batch"],"properties":{
    "batch":{"type":"array","minItems":1,"maxItems":2500,"items":{"allOf":[{"$ref":"#/components/schemas/Message"},
      {"type":"object","required":["type"],"properties":{"type":{"enum":["track","identify","page","screen","group","alias"]}}}]}},
    "writeKey":{"type":"string"},
    "sentAt":{"$ref":"#/components/schemas/EventTime"},
    "context":{"type":"object","description":"Of every message that has none."}},
  "examples":[{"batch":[{"type":"track","userId":"ann","event":"click","properties":{"item_id":"p1"}}]}]},
"Rejection":{"type":"object","required":["index","field","reason"],"properties":{
    "index":{"type":"integer","description":"In the request, from 0."},"field":{"type":"string"},"reason":{"type":"string"}}},
"BatchAnswer":{"type":"object","required":["success"],"properties":{"success":{"const":true},
    "rejected":{"type":"array","description":"Dropped; the others are stored.","items":{"$ref":"#/components/schemas/Rejection"}}}},
"Cursor":{"type":"object","required":["url","has_more","next","limit"],"properties":{"url":{"type":"string"},
    "has_more":{"type":"boolean"},"next":{"type":"string"},"limit":{"type":"integer"}}},
"StoredEvent":{"type":"object","required":["type","event","message_id","timestamp","properties"],"properties":{
    "type":{"type":"string"},"event":{"type":"string"},"message_id":{"type":"string"},
    "timestamp":{"$ref":"#/components/schemas/EventTime"},"properties":{"type":"object"},
    "traits":{"type":"object"},"context":{"type":"object"}}},
"ReadBack":{"type":"object","required":["data","cursor"],"properties":{
    "data":{"description":"Events, newest first, or traits by name.",
      "oneOf":[{"type":"array","items":{"$ref":"#/components/schemas/StoredEvent"}},{"type":"object"}]},
    "cursor":{"$ref":"#/components/schemas/Cursor"}}})json";

constexpr std::string_view kDecisionSchemas = R"json(
"DecideRequest":{"type":"object","required":["person"],"additionalProperties":false,"properties":{
    "person":{"type":["string","integer"],"description":"A user id, or an anonymous id."},
    "placement":{"type":"string","default":"default"},
    "n":{"type":"integer","minimum":1,"maximum":100,"default":10},
    "context":{"type":"object","description":"What the request knows, as {\"device\":\"phone\"}: inputs of the plan. At most 4096 bytes."},
    "candidates":{"type":"array","maxItems":10000,"items":{"type":"string"},
      "description":"Choose among these items only; unknown ones are skipped."}},
  "examples":[{"person":"ann","placement":"feed","n":2,"context":{"country":"DE"}}]},
"ShownItem":{"type":"object","required":["item_id","score","p","propensity","source","rules","is_explored"],"properties":{
    "item_id":{"type":"string"},"score":{"type":"number"},
    "p":{"type":"number","minimum":0,"maximum":1,"description":"Probability of a click."},
    "propensity":{"type":"number","exclusiveMinimum":0,"maximum":1},
    "source":{"type":"string"},"rules":{"type":"array","items":{"type":"string"}},
    "is_explored":{"type":"boolean"}}},
"Decision":{"type":"object","required":["decision_id","placement","time","policy","reason","model","model_version","items"],"properties":{
    "decision_id":{"type":"string","pattern":"^d_[0-9A-HJKMNP-TV-Z]{26}$"},"placement":{"type":"string"},
    "time":{"$ref":"#/components/schemas/EventTime"},
    "policy":{"enum":["learned","control","random","fallback"]},"reason":{"type":"string"},
    "model":{"type":"string","description":"What scored: live, or a registered model as ranker@3."},
    "model_version":{"type":"integer"},
    "items":{"type":"array","items":{"$ref":"#/components/schemas/ShownItem"}}}},
"ExplainedItem":{"allOf":[{"$ref":"#/components/schemas/ShownItem"},{"type":"object",
    "required":["parts","sum_of_parts","rank_by_model","rank_by_rules","what_would_change_it"],"properties":{
    "parts":{"type":"array","items":{"type":"object","required":["name","value","part"],"properties":{
      "name":{"type":"string"},"value":{"type":"number"},"part":{"type":"number"}}}},
    "sum_of_parts":{"type":"number","description":"The logit of p."},
    "rank_by_model":{"type":"integer"},"rank_by_rules":{"type":"integer"},
    "rank_by_diversity":{"type":"integer","description":"As the next three, only where the placement's dials are on."},
    "freshness_factor":{"type":"number","description":"What the item's age left of its score; the score holds it."},
    "diversity_factor":{"type":"number","description":"What the items above left of it."},
    "score_by_diversity":{"type":"number","description":"The score times that: what placed the item."},
    "what_would_change_it":{"type":"string"}}}]},
"ExplainedDecision":{"allOf":[{"$ref":"#/components/schemas/Decision"},{"type":"object","required":["items","others"],"properties":{
    "items":{"type":"array","items":{"$ref":"#/components/schemas/ExplainedItem"}},
    "others":{"type":"array","description":"The best not shown.","items":{"type":"object",
      "required":["item_id","source","score"],"properties":{"item_id":{"type":"string"},
      "source":{"type":"string"},"score":{"type":"number"}}}}}}]},
"PolicyCount":{"type":"object","required":["impressions","clicks"],"properties":{
    "impressions":{"type":"integer"},"clicks":{"type":"integer"}}},
"Learning":{"type":"object","required":["updates","progressive","policies"],"properties":{
    "updates":{"type":"integer"},
    "progressive":{"type":"object","required":["n","auc","log_loss"],"description":"Each prediction is judged before it is learned from.",
      "properties":{"n":{"type":"integer"},"base_rate":{"type":["number","null"]},"log_loss":{"type":["number","null"]},
      "base_log_loss":{"type":["number","null"]},"auc":{"type":["number","null"]},"calibration":{"type":["number","null"]}}},
    "policies":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/PolicyCount"}}}})json";

constexpr std::string_view kItemSchemas = R"json(
"Item":{"type":"object","description":"Other fields are kept as attributes.","properties":{
    "id":{"type":"string","description":"May be left out where the path names it."},
    "category":{"type":["string","null"]},"categories":{"type":"array","items":{"type":"string"}},
    "tags":{"type":"array","items":{"type":"string"}},"price":{"type":"number","minimum":0},
    "is_hidden":{"type":"boolean"},"created":{"$ref":"#/components/schemas/EventTime"}},
  "examples":[{"category":"shoes","tags":["red"],"price":39.95}]},
"Items":{"type":"array","minItems":1,"items":{"allOf":[{"$ref":"#/components/schemas/Item"},{"type":"object","required":["id"]}]},
  "examples":[[{"id":"p1","category":"shoes"},{"id":"p2","category":"hats"}]]},
"ItemsAnswer":{"type":"object","required":["success","items"],"properties":{"success":{"const":true},
    "items":{"type":"integer","description":"How many were stored."},
    "rejected":{"type":"array","items":{"$ref":"#/components/schemas/Rejection"}}}},
"StoredItem":{"type":"object","required":["id","category","tags","price","is_hidden","created","attributes"],"properties":{
    "id":{"type":"string"},"category":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}},
    "price":{"type":"number"},"is_hidden":{"type":"boolean"},
    "created":{"$ref":"#/components/schemas/EventTime"},"attributes":{"type":"object"}}},
"Rule":{"type":"object","required":["kind"],"additionalProperties":false,"properties":{
    "kind":{"enum":["pin","hide","boost","max_per_category"]},"item_id":{"type":"string"},
    "category":{"type":"string"},"position":{"type":"integer","minimum":0},
    "factor":{"type":"number","exclusiveMinimum":0},"limit":{"type":"integer","minimum":1}}},
"Placement":{"type":"object","properties":{"name":{"type":"string"},
    "epsilon":{"type":"number","minimum":0,"maximum":1,"description":"Share of places filled at random."},
    "control_share":{"type":"number","minimum":0,"maximum":1,"description":"Share of persons served by popularity."},
    "seen_window_s":{"type":"number","minimum":0},"outcome_window_s":{"type":"number","minimum":0},
    "negative_after_s":{"type":"number","minimum":0,"description":"What is not clicked so long counts as not clicked, until it is; 0: only when the outcome window ends."},
    "is_impression_served":{"type":"boolean"},"candidates":{"type":"integer","minimum":1},
    "model":{"type":"string","description":"A registered model whose promoted version ranks; empty: the live learner."},
    "retriever":{"type":"string","description":"A registered model of kind factors whose promoted version draws candidates; empty: none."},
    "diversity":{"type":"number","minimum":0,"maximum":1,"default":0,"description":"Each like item above (same category, brand or author; tags or vectors alike) takes this share of an item's score."},
    "freshness":{"type":"number","minimum":0,"maximum":1,"default":0,"description":"Share of its score that the oldest item loses; a new one loses nothing."},
    "freshness_half_life_s":{"type":"number","minimum":60,"default":604800,"description":"At this age an item has lost half of that share."},
    "rules":{"type":"array","items":{"$ref":"#/components/schemas/Rule"}}},
  "examples":[{"epsilon":0.05,"rules":[{"kind":"boost","category":"shoes","factor":1.5}]}]},
"Placements":{"type":"object","required":["placements"],"properties":{
    "placements":{"type":"array","items":{"$ref":"#/components/schemas/Placement"}}}},
"PreviewRequest":{"type":"object","additionalProperties":false,"properties":{
    "persons":{"type":"integer","minimum":1,"maximum":5000,"default":200,"description":"How many persons' last requests are made again."},
    "freshness_half_life_s":{"type":"number","minimum":60,"description":"Instead of the placement's own."}},
  "examples":[{"persons":100}]},
"DialSetting":{"type":"object","required":["diversity","freshness","categories","entropy_bits","items","coverage","top_ten_share","expected_clicks","mean_age_days","near_global_share"],"properties":{
    "diversity":{"type":"number"},"freshness":{"type":"number"},
    "categories":{"type":"number","description":"Different ones in a list, on average."},
    "entropy_bits":{"type":"number","description":"Of the categories of a list, on average."},
    "items":{"type":"integer","description":"Different ones in all lists."},
    "coverage":{"type":"number","description":"Share of the items that may be shown."},
    "top_ten_share":{"type":"number","description":"Of all places, held by the ten items shown most often."},
    "expected_clicks":{"type":"number","description":"Of a list, by the model, all places alike."},
    "mean_age_days":{"type":"number"},
    "near_global_share":{"type":"number","description":"Of persons whose list differs by at most two items from that of someone of whom nothing is known."}}},
"Preview":{"type":"object","required":["placement","persons","places","diversity","freshness","freshness_half_life_s","by_diversity","by_freshness"],"properties":{
    "placement":{"type":"string"},"persons":{"type":"integer"},"places":{"type":"number"},
    "diversity":{"type":"number"},"freshness":{"type":"number"},"freshness_half_life_s":{"type":"number"},
    "by_diversity":{"type":"array","items":{"$ref":"#/components/schemas/DialSetting"}},
    "by_freshness":{"type":"array","items":{"$ref":"#/components/schemas/DialSetting"}}}})json";

constexpr std::string_view kModelSchemas = R"json(
"ModelRequest":{"type":"object","required":["name","id"],"additionalProperties":false,"properties":{
    "name":{"type":"string","pattern":"^[a-z][a-z0-9_-]{0,63}$"},
    "id":{"type":"string","pattern":"^m_[0-9A-Z]{26}$","description":"Of the file in the workspace's folder registry."},
    "about":{"type":"object","description":"How good it is, who made it."}},
  "examples":[{"name":"ranker","id":"m_0123456789ABCDEFGHJKMNPQRS"}]},
"NewVersion":{"type":"object","required":["success","name","version"],"properties":{"success":{"const":true},
    "name":{"type":"string"},"version":{"type":"integer"}}},
"Promotion":{"type":"object","required":["version"],"additionalProperties":false,"properties":{
    "version":{"type":"integer","minimum":1},"reason":{"type":"string"}},
  "examples":[{"version":2,"reason":"log loss 2 % lower"}]},
"RollBack":{"type":"object","additionalProperties":false,"properties":{"reason":{"type":"string"}},
  "examples":[{"reason":"clicks fell"}]},
"Challenge":{"type":"object","required":["version"],"additionalProperties":false,"properties":{
    "version":{"type":"integer","minimum":1},
    "share":{"type":"number","minimum":0,"maximum":0.5,"default":0,"description":"Of the persons it ranks for; 0: a shadow, measured only."},
    "promote_when_better":{"type":"boolean","default":false,"description":"Of a canary: it is promoted once it is clearly better, and what was promoted challenges it with the same share."},
    "reason":{"type":"string"}},
  "examples":[{"version":2,"share":0.05,"reason":"better in the shadow"}]},
"Retirement":{"type":"object","additionalProperties":false,"properties":{"reason":{"type":"string"}},
  "examples":[{"reason":"no better"}]},
"Teaching":{"type":"object","required":["version"],"additionalProperties":false,"properties":{
    "version":{"type":"integer","minimum":1},
    "is_learning":{"type":"boolean","default":true,"description":"false: it is as it was registered again."},
    "reason":{"type":"string"}},
  "examples":[{"version":2}]},
"Keeping":{"type":"object","required":["version"],"additionalProperties":false,"properties":{
    "version":{"type":"integer","minimum":1,"description":"One that learns from the stream."}},
  "examples":[{"version":2}]},
"PairedLoss":{"type":["object","null"],"description":"Two log losses on the same outcomes; null: there are none.",
    "required":["rows","log_loss","other_log_loss","difference"],"properties":{"rows":{"type":"integer"},
    "log_loss":{"type":"number"},"other_log_loss":{"type":"number"},
    "difference":{"type":"number","description":"Less than 0: better than the other."},
    "interval":{"type":"array","items":{"type":"number"},"description":"95 %, of the difference."}}},
"StreamModel":{"type":"object","required":["name","version","is_learning","is_promoted","is_challenger","progressive","fault"],
    "properties":{"name":{"type":"string"},"version":{"type":"integer"},"is_learning":{"type":"boolean"},
    "is_promoted":{"type":"boolean"},"is_challenger":{"type":"boolean"},
    "until_tick":{"type":"integer","description":"It has learned until."},
    "progressive":{"type":"object","description":"Of each outcome before it was learned from."},
    "beside_live_learner":{"$ref":"#/components/schemas/PairedLoss"},
    "beside_registered":{"$ref":"#/components/schemas/PairedLoss"},
    "beside_promoted":{"$ref":"#/components/schemas/PairedLoss"},
    "fault":{"type":"string","description":"Why it stopped learning; empty: it did not."}}},
"PersonRate":{"type":"object","required":["persons","shown","clicked","rate","interval"],"properties":{
    "persons":{"type":"integer"},"shown":{"type":"number"},"clicked":{"type":"number"},
    "rate":{"type":["number","null"]},
    "interval":{"type":["array","null"],"items":{"type":"number"},"description":"95 %, persons being independent of each other."}}},
"Comparison":{"type":"object","required":["name","challenger","share","since","promoted","canary","predicts","outcomes"],"properties":{
    "name":{"type":"string"},"challenger":{"type":"integer"},"share":{"type":"number"},
    "since":{"$ref":"#/components/schemas/EventTime"},"promoted":{"type":["integer","null"]},
    "canary":{"type":["object","null"],"description":"By whom ranked for whom; null: it is a shadow.","properties":{
      "tried":{"$ref":"#/components/schemas/PersonRate"},"others":{"$ref":"#/components/schemas/PersonRate"},
      "difference_interval":{"type":["array","null"],"items":{"type":"number"}},
      "always_valid_interval":{"type":["array","null"],"items":{"type":"number"},"description":"Of the same, 95 % however often it is looked at; all below 0 ends the canary, all above 0 promotes one that is told to be."},
      "verdict":{"enum":["better","worse","no clear difference","too little is known"]}}},
    "predicts":{"type":["string","null"],"description":"The challenger: a verb, which no outcome here measures; null: whether an item is engaged with."},
    "outcomes":{"type":"array","items":{"$ref":"#/components/schemas/StreamModel"}}}},
"Model":{"type":"object","required":["name","promoted","challenger","versions","steps"],"properties":{"name":{"type":"string"},
    "promoted":{"type":["integer","null"],"description":"The version that ranks; null: none, so the live learner does."},
    "versions":{"type":"array","items":{"type":"object","required":["version","id","kind","input","bytes","created","is_promoted","is_learning","about"],
      "properties":{"version":{"type":"integer"},"id":{"type":"string"},"kind":{"type":"string"},
      "input":{"type":"string","description":"Rows it reads: workspace, table, criteo, ..."},"bytes":{"type":"integer"},
      "created":{"$ref":"#/components/schemas/EventTime"},"is_promoted":{"type":"boolean"},
      "is_learning":{"type":"boolean","description":"From the stream of outcomes."},"about":{"type":"object"}}}},
    "challenger":{"type":["object","null"],"properties":{"version":{"type":"integer"},
      "share":{"type":"number","description":"Of the persons it ranks for; 0: a shadow."},
      "since":{"$ref":"#/components/schemas/EventTime"},
      "promote_when_better":{"type":"boolean"}}},
    "steps":{"type":"array","description":"The latest hundred, newest last.","items":{"type":"object",
      "required":["step","time","version","reason"],"properties":{
      "step":{"enum":["register","promote","roll_back","remove","shadow","canary","retire","learn","stop_learning"]},"time":{"$ref":"#/components/schemas/EventTime"},
      "version":{"type":["integer","null"]},"reason":{"type":"string"}}}}}},
"Models":{"type":"object","required":["models"],"properties":{
    "models":{"type":"array","items":{"$ref":"#/components/schemas/Model"}}}})json";

constexpr std::string_view kPersonSchemas = R"json(
"Person":{"type":"object","required":["id","traits","denied_purposes","counts","touches","seen"],"properties":{
    "id":{"type":"string"},"traits":{"type":"object"},
    "denied_purposes":{"type":"array","items":{"enum":["analytics","personalization","advertising","storage"]}},
    "counts":{"type":"object","description":"By verb over 30 days, decayed.","additionalProperties":{"type":"number"}},
    "touches":{"type":"integer"},"seen":{"type":"integer"}}},
"Receipt":{"type":"object","description":"What was erased in which store, and the limits of it."},
"Unlink":{"type":"object","required":["anonymous_id"],"additionalProperties":false,
  "properties":{"anonymous_id":{"type":"string"}},"examples":[{"anonymous_id":"a-1"}]})json";

constexpr std::string_view kOperationSchemas = R"json(
"Scopes":{"type":"array","minItems":1,"items":{"enum":["write","decide","read","admin"]}},
"KeyRequest":{"type":"object","required":["name","scopes"],"additionalProperties":false,"properties":{
    "name":{"type":"string"},"scopes":{"$ref":"#/components/schemas/Scopes"}},
  "examples":[{"name":"shop page","scopes":["write"]}]},
"NewKey":{"type":"object","required":["id","key","scopes"],"properties":{"id":{"type":"string"},
    "key":{"type":"string","description":"Shown this once."},"scopes":{"$ref":"#/components/schemas/Scopes"},
    "hint":{"type":"string"}}},
"Keys":{"type":"object","required":["keys"],"properties":{"keys":{"type":"array","items":{"type":"object",
    "required":["id","name","scopes","created","is_revoked"],"properties":{"id":{"type":"string"},
    "name":{"type":"string"},"scopes":{"$ref":"#/components/schemas/Scopes"},
    "created":{"$ref":"#/components/schemas/EventTime"},"is_revoked":{"type":"boolean"}}}}}},
"BackupRequest":{"type":"object","additionalProperties":false,"properties":{
    "name":{"type":"string","pattern":"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}$"}},"examples":[{"name":"monday"}]},
"Backup":{"type":"object","required":["success","name"],"properties":{"success":{"const":true},"name":{"type":"string"}}},
"Retained":{"type":"object","required":["success","dropped_records"],"properties":{"success":{"const":true},
    "dropped_records":{"type":"integer"}}},
"Done":{"type":"object","required":["success"],"properties":{"success":{"const":true}}},
"Status":{"type":"object","required":["status"],"properties":{"status":{"const":"ok"}}},
"Description":{"type":"object","required":["openapi","info","paths"],"properties":{"openapi":{"type":"string"},
    "info":{"type":"object"},"paths":{"type":"object"}}},
"Error":{"type":"object","required":["error"],"properties":{"error":{"type":"object",
    "required":["code","message","field","hint","request_id"],"properties":{
    "code":{"type":"string","description":"Fixed words, for programs."},
    "message":{"type":"string","description":"What is wrong and where, for people."},
    "field":{"type":"string","description":"The field at fault; empty when it is none."},
    "hint":{"type":"string","description":"What to do."},
    "request_id":{"type":"string","description":"As in the header X-Request-Id and in the log."}}}},
  "examples":[{"error":{"code":"invalid","message":"n is 0, must be in [1, 100]","field":"n","hint":"",
    "request_id":"req_0123456789abcdef"}}]})json";

std::string openapi_schemas() {
  std::string out = "{";
  for (const std::string_view part : {kEventSchemas, kDecisionSchemas, kItemSchemas, kModelSchemas,
                                      kPersonSchemas, kOperationSchemas}) {
    out.append(out.size() > 1 ? "," : "").append(part);
  }
  return out + "}";
}

}  // namespace attune
