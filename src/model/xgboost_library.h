// XGBoost's C functions, under their own names. The library is loaded when the first trees grow:
// its symbols and those it brings along would take 2 ms of every start of the program.
#pragma once
#include <xgboost/c_api.h>

#include "base/result.h"

namespace attune {

struct XgboostLibrary {
  decltype(&::XGBGetLastError) XGBGetLastError = nullptr;
  decltype(&::XGBSetGlobalConfig) XGBSetGlobalConfig = nullptr;
  decltype(&::XGDMatrixCreateFromDense) XGDMatrixCreateFromDense = nullptr;
  decltype(&::XGDMatrixFree) XGDMatrixFree = nullptr;
  decltype(&::XGDMatrixSetFloatInfo) XGDMatrixSetFloatInfo = nullptr;
  decltype(&::XGDMatrixSetUIntInfo) XGDMatrixSetUIntInfo = nullptr;
  decltype(&::XGProxyDMatrixCreate) XGProxyDMatrixCreate = nullptr;
  decltype(&::XGProxyDMatrixSetDataDense) XGProxyDMatrixSetDataDense = nullptr;
  decltype(&::XGQuantileDMatrixCreateFromCallback) XGQuantileDMatrixCreateFromCallback = nullptr;
  decltype(&::XGBoosterCreate) XGBoosterCreate = nullptr;
  decltype(&::XGBoosterFree) XGBoosterFree = nullptr;
  decltype(&::XGBoosterSetParam) XGBoosterSetParam = nullptr;
  decltype(&::XGBoosterUpdateOneIter) XGBoosterUpdateOneIter = nullptr;
  decltype(&::XGBoosterEvalOneIter) XGBoosterEvalOneIter = nullptr;
  decltype(&::XGBoosterSaveModelToBuffer) XGBoosterSaveModelToBuffer = nullptr;
};

// kUnavailable when it is not installed, or of another make. Later calls cost nothing.
Status load_xgboost();
// After load_xgboost() said ok.
const XgboostLibrary& xgboost();

}  // namespace attune
