// One person: what is known, everything stored, erased, unlinked.
#include "api/body.h"
#include "api/handlers.h"
#include "base/json.h"
#include "profile/profile_json.h"

namespace attune {
namespace {

constexpr std::size_t kMostExportBytes = 256u << 20;
constexpr std::string_view kUnlinkFields[] = {"anonymous_id"};

}  // namespace

std::pair<IdType, std::string_view> typed_id(std::string_view text) {
  constexpr std::string_view kUser = "user_id:";
  constexpr std::string_view kAnonymous = "anonymous_id:";
  if (text.starts_with(kAnonymous)) return {IdType::kAnonymous, text.substr(kAnonymous.size())};
  if (text.starts_with(kUser)) text.remove_prefix(kUser.size());
  return {IdType::kUser, text};
}

void get_person(const CallPtr& call) {
  const auto [type, id] = typed_id(call->arguments[0]);
  const auto profile = call->engine().profile_of(type, id);
  if (!profile.ok()) return call->fail(profile.error());
  std::string body = "{\"id\":";
  append_json_string(body, id);
  call->answer(body + "," + profile_json(*profile, call->engine().now()).substr(1));
}

void export_person(const CallPtr& call) {
  const auto [type, id] = typed_id(call->arguments[0]);
  HttpResponse response;
  response.content_type = "application/x-ndjson";
  bool is_too_large = false;
  const Status status = call->engine().export_person(type, id, [&](std::string_view line) {
    is_too_large = is_too_large || response.body.size() + line.size() > kMostExportBytes;
    if (!is_too_large) response.body.append(line).append("\n");
  });
  if (!status.ok()) return call->fail(status.error());
  if (is_too_large) {
    return call->fail({Code::kUnavailable, "more than 256 MB are stored of this person", "",
                       "use attune export, which writes a file"});
  }
  call->answer(std::move(response));
}

void erase_person(const CallPtr& call) {
  const auto [type, id] = typed_id(call->arguments[0]);
  auto receipt = call->engine().erase(type, id);
  receipt.ok() ? call->answer(std::move(*receipt)) : call->fail(receipt.error());
}

void unlink_person(const CallPtr& call) {
  const auto [type, id] = typed_id(call->arguments[0]);
  if (type != IdType::kUser) {
    return call->fail({Code::kInvalid, "id must be a user id", "id", "user_id:u-1"});
  }
  const auto object = read_object(call->request.body);
  if (!object.ok()) return call->fail(object.error());
  const JsonFields fields(*object, "");
  std::string anonymous_id;
  if (const Status known = fields.only("field", kUnlinkFields); !known.ok()) {
    return call->fail(known.error());
  }
  if (const Status read = fields.id("anonymous_id", true, anonymous_id); !read.ok()) {
    return call->fail(read.error());
  }
  const Status status = call->engine().unlink(id, anonymous_id);
  status.ok() ? call->done() : call->fail(status.error());
}

}  // namespace attune
