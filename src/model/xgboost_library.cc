#include "model/xgboost_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace attune {
namespace {

constexpr const char* kName = "libxgboost.so.0";

struct Loaded {
  XgboostLibrary functions;
  Status status = ok_status();
};

Status missing() {
  const char* const why = ::dlerror();
  return Error{Code::kUnavailable, fmt::format("trees: {}", why == nullptr ? kName : why), "kind",
               "install libxgboost 1.7 (on Debian: apt-get install libxgboost0), or name another "
               "--kind"};
}

// It stays until the program ends.
Loaded load() {
  Loaded out;
  void* const library = ::dlopen(kName, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) {
    out.status = missing();
    return out;
  }
  const auto find = [&](auto& function, const char* name) {
    void* const at = ::dlsym(library, name);
    if (at == nullptr) out.status = missing();
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(at);
  };
  XgboostLibrary& f = out.functions;
  find(f.XGBGetLastError, "XGBGetLastError");
  find(f.XGBSetGlobalConfig, "XGBSetGlobalConfig");
  find(f.XGDMatrixCreateFromDense, "XGDMatrixCreateFromDense");
  find(f.XGDMatrixFree, "XGDMatrixFree");
  find(f.XGDMatrixSetFloatInfo, "XGDMatrixSetFloatInfo");
  find(f.XGDMatrixSetUIntInfo, "XGDMatrixSetUIntInfo");
  find(f.XGProxyDMatrixCreate, "XGProxyDMatrixCreate");
  find(f.XGProxyDMatrixSetDataDense, "XGProxyDMatrixSetDataDense");
  find(f.XGQuantileDMatrixCreateFromCallback, "XGQuantileDMatrixCreateFromCallback");
  find(f.XGBoosterCreate, "XGBoosterCreate");
  find(f.XGBoosterFree, "XGBoosterFree");
  find(f.XGBoosterSetParam, "XGBoosterSetParam");
  find(f.XGBoosterUpdateOneIter, "XGBoosterUpdateOneIter");
  find(f.XGBoosterEvalOneIter, "XGBoosterEvalOneIter");
  find(f.XGBoosterSaveModelToBuffer, "XGBoosterSaveModelToBuffer");
  return out;
}

const Loaded& loaded() {
  static const Loaded once = load();
  return once;
}

}  // namespace

Status load_xgboost() { return loaded().status; }

const XgboostLibrary& xgboost() {
  CHECK(loaded().status.ok());
  return loaded().functions;
}

}  // namespace attune
