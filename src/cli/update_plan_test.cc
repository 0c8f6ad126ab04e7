#include "cli/update_plan.h"

#include <gtest/gtest.h>

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

TEST(UpdatePlan, SaysOfEachLayerWhatGoesOverTheAir) {
  const auto plan = update_plan_of(ordered_json::parse(R"({
    "content_size": 212480, "bytes": 2917,
    "layers": [
      {"area": "flash", "start": 0, "content_size": 65536, "installed": true, "bytes": 0, "segments": []},
      {"area": "flash", "start": 65536, "content_size": 65536, "installed": false, "bytes": 2917,
       "segments": [{"size": 32768, "kind": "same", "bytes": 4}, {"size": 32768, "kind": "delta", "bytes": 2913}]},
      {"area": "external", "start": 8192, "content_size": 81408, "installed": false, "bytes": 81408, "segments": []}
    ]})"));
  EXPECT_EQ(summary(plan), "2,917 of 212,480 bytes over the air (1.37 %)");
  EXPECT_EQ(plan.layers, (std::vector<std::string>{
                             "flash 0x00000000  65,536 bytes: installed",
                             "flash 0x00010000  65,536 bytes: 1 delta, 1 same, 2,917 over the air",
                             "external 0x00002000  81,408 bytes: whole, 81,408 over the air",
                         }));
}

TEST(UpdatePlan, AnAnswerOfAnotherShapeIsNothing) {
  for (const char* text : {"{}", "[]", "7", R"({"layers": 7})", R"({"layers": [7, [], {"segments": [7]}]})",
                           R"({"content_size": -1, "bytes": "x"})"}) {
    const auto plan = update_plan_of(ordered_json::parse(text));
    EXPECT_EQ(summary(plan), "0 of 0 bytes over the air (-)") << text;
  }
}

}  // namespace
}  // namespace mv::cli
