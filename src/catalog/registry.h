// ModelRegistry: named models, each with versions of which one at most is promoted: that one ranks
// where a placement names the model. Another may challenge it: as a shadow, measured and never
// shown, or as a canary, which ranks for a share of the persons. Versions may go on learning from
// the stream. A fold of control records, part of the catalog; the files themselves lie beside the
// journal, found by their id. Bounded. One writer.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace attune {

class Reader;
class Writer;

struct ModelVersion {
  std::uint32_t number = 0;  // from 1, never used again
  std::string id;            // of the file: "m_" and 26 base32 characters
  std::string kind;          // "fm", "ftrl", ...
  std::string input;         // rows it takes: "workspace", "table", "criteo", ...
  std::uint64_t bytes = 0;   // of the file
  Time created{};            // when it was registered
  std::string about;         // JSON object text: how good it is, who made it; "" = nothing said
};

// What was done, for people to read; the newest last.
struct ModelStep {
  enum class What : std::uint8_t {
    kRegister,
    kPromote,
    kRollBack,
    kRemove,
    kShadow,
    kCanary,
    kRetire,
    kLearn,
    kStopLearning
  } what{};
  Time time{};
  std::uint32_t version = 0;  // now promoted, after a roll back; 0 = none
  std::string reason;
};
std::string_view step_name(ModelStep::What what);  // "register", "promote", "roll_back", ...

struct Challenger {
  std::uint32_t version = 0;
  double share = 0;  // of the persons it ranks for, in [0, 0.5]; 0 = a shadow
  Time since{};
  bool promotes = false;  // a canary: promoted by itself once it is clearly better
};

struct RegisteredModel {
  std::string name;
  std::uint32_t last_number = 0;
  std::vector<ModelVersion> versions;     // ascending
  std::vector<std::uint32_t> promotions;  // the last one holds; those before are rolled back to
  std::optional<Challenger> challenger;
  std::vector<std::uint32_t> learning;  // versions that learn from the stream, ascending
  std::vector<ModelStep> steps;

  const ModelVersion* version(std::uint32_t number) const;  // null = none
  const ModelVersion* promoted() const;                     // null = none
  bool is_learning(std::uint32_t number) const;
  // Whether it is promoted, what a roll back would lead to, or the challenger.
  bool is_held(std::uint32_t number) const;
};

// The changes, as control records carry them.
struct RegisterModel {
  std::string name;
  ModelVersion version;  // without number and time
};
struct PromoteModel {
  std::string name, reason;
  std::uint32_t version = 0;
};
struct RollBackModel {
  std::string name, reason;
};
struct RemoveModel {
  std::string name;
  std::uint32_t version = 0;
};
struct ChallengeModel {
  std::string name = {}, reason = {};
  std::uint32_t version = 0;
  double share = 0;
  bool promotes = false;
};
struct RetireChallenger {
  std::string name, reason;
};
struct TeachModel {  // it goes on learning from the stream, or no longer
  std::string name, reason;
  std::uint32_t version = 0;
  bool is_learning = true;
};

class ModelRegistry {
 public:
  static constexpr std::size_t kMostModels = 1000;
  static constexpr std::size_t kMostVersions = 1000;  // of one model
  static constexpr std::size_t kMostLearning = 4;     // of all models
  static constexpr std::size_t kStepsKept = 100;
  static constexpr double kMostShare = 0.5;  // of a canary
  static constexpr std::size_t kMostAboutBytes = 16'384;

  // kConflict: the same file is a version already, or there are too many.
  Status apply(RegisterModel change, Time when);
  // kNotFound: no such model or version; kConflict: it is promoted already.
  Status apply(const PromoteModel& change, Time when);
  // To the version promoted before, or to none. kConflict: none is promoted.
  Status apply(const RollBackModel& change, Time when);
  // Further roll backs pass it by. kConflict: it is held.
  Status apply(const RemoveModel& change, Time when);
  // Instead of the one that challenges now. kConflict: it is promoted, or challenges in this way
  // already. kInvalid: a shadow is to be promoted by itself.
  Status apply(const ChallengeModel& change, Time when);
  // kConflict: there is none.
  Status apply(const RetireChallenger& change, Time when);
  // kConflict: it is so already, or too many learn.
  Status apply(const TeachModel& change, Time when);

  const RegisteredModel* find(std::string_view name) const;  // null = none
  // kNotFound, naming the nearest.
  Result<const RegisteredModel*> require(std::string_view name) const;
  const std::map<std::string, RegisteredModel, std::less<>>& models() const { return models_; }

  void encode(Writer& out) const;  // canonical
  // in.ok() says whether it was one. format: of the catalog.
  void decode(Reader& in, std::uint8_t format);

 private:
  Result<RegisteredModel*> change(std::string_view name);
  std::size_t learning() const;
  std::map<std::string, RegisteredModel, std::less<>> models_;
};

// Whether a text has the form of a model file's id.
bool is_model_id(std::string_view text);
// 1 to 64 of a-z, 0-9, - and _, a letter first: so that NAME@VERSION can be told from a file.
bool is_model_name(std::string_view text);

std::string model_json(const RegisteredModel& model);      // with its versions and steps
std::string challenge_json(const ChallengeModel& change);  // the control record

}  // namespace attune
