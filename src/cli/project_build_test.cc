// Building projects with the real CMake and Ninja, on an SDK and projects that need no compiler.
#include "cli/project_build.h"

#include <stdlib.h>

#include <fstream>

#include <gtest/gtest.h>

#include "emulator/test_folder.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;

const std::string kHead = "cmake_minimum_required(VERSION 3.25)\nproject(test NONE)\n";

class ProjectBuildTest : public testing::Test {
 protected:
  ProjectBuildTest() {
    fs::create_directories(sdk() / "cmake");
    std::ofstream(sdk() / "cmake" / "arm-none-eabi.cmake") << "set(TOOLCHAIN_SEEN yes)\n";
    ::setenv("MVCTL_SDK_DIR", sdk().c_str(), 1);
  }
  ~ProjectBuildTest() override { ::unsetenv("MVCTL_SDK_DIR"); }

  // A project whose CMakeLists.txt is `kHead` and this.
  void write(const std::string& text) {
    fs::create_directories(project());
    std::ofstream(project() / "CMakeLists.txt") << kHead << text;
  }
  // What makes an "application" in a project.
  static std::string application(const std::string& name) {
    return "add_custom_target(" + name + " ALL COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_BINARY_DIR}/" + name +
           ".elf)\n";
  }

  fs::path sdk() const { return folder_.path() / "sdk"; }
  fs::path project() const { return folder_.path() / "project"; }
  tl::expected<fs::path, Failure> build(const std::string& elf = "", const std::string& board = "mps2-an505") {
    return build_project({project(), board, elf});
  }
  void expect_failure(ExitCode code, const std::string& words, const std::string& elf = "") {
    const auto built = build(elf);
    ASSERT_FALSE(built.has_value()) << *built;
    EXPECT_EQ(built.error().code, code);
    const std::string all = built.error().message + "\n" + built.error().hint;
    EXPECT_NE(all.find(words), std::string::npos) << all;
  }

  emulator::TestFolder folder_;
};

TEST_F(ProjectBuildTest, BuildsTheOnlyApplication) {
  write(application("weather"));
  const auto built = build();
  ASSERT_TRUE(built.has_value()) << built.error().message << built.error().hint;
  EXPECT_EQ(*built, project() / "build" / "weather.elf");
}

TEST_F(ProjectBuildTest, TellsTheProjectWhichBoardAndWhichSdk) {
  write("file(WRITE ${CMAKE_BINARY_DIR}/seen \"${MV_BOARD} ${Microvisor_DIR} ${TOOLCHAIN_SEEN}\")\n" +
        application("weather"));
  const auto seen = [&] {
    std::ifstream in(project() / "build" / "seen");
    std::string text;
    std::getline(in, text);
    return text;
  };
  ASSERT_TRUE(build().has_value());
  const std::string package = (sdk() / "cmake").string();
  EXPECT_EQ(seen(), "mps2-an505 " + package + " yes");
  ASSERT_TRUE(build("", "stm32u585").has_value());
  EXPECT_EQ(seen(), "stm32u585 " + package + " yes") << "the board may change between builds";
}

TEST_F(ProjectBuildTest, SaysThatAFolderIsNoProject) {
  fs::create_directories(project());
  expect_failure(ExitCode::kUsage, "it has no CMakeLists.txt");
}

TEST_F(ProjectBuildTest, AsksWhichOfSeveralApplications) {
  write(application("one") + application("two"));
  expect_failure(ExitCode::kUsage, "several applications: one.elf, two.elf");
  expect_failure(ExitCode::kUsage, "makes no three", "three");
  EXPECT_EQ(*build("two"), project() / "build" / "two.elf");
  EXPECT_EQ(*build("two.elf"), project() / "build" / "two.elf");
}

TEST_F(ProjectBuildTest, SaysThatTheProjectMakesNoApplication) {
  write("");
  expect_failure(ExitCode::kUsage, "makes no application");
}

TEST_F(ProjectBuildTest, DoesNotTakeCMakesOwnTrialsForApplications) {
  write("file(WRITE ${CMAKE_BINARY_DIR}/CMakeFiles/trial.elf x)\n" + application("weather"));
  EXPECT_EQ(*build(), project() / "build" / "weather.elf");
}

TEST_F(ProjectBuildTest, ShowsTheEndOfWhatTheConfigurationSaid) {
  write("message(FATAL_ERROR \"the moon is wrong\")\n");
  expect_failure(ExitCode::kFailed, "cannot be configured");
  expect_failure(ExitCode::kFailed, "the moon is wrong");
  expect_failure(ExitCode::kFailed, "all of it is in " + (project() / "build" / "mvctl-build.log").string());
}

TEST_F(ProjectBuildTest, ShowsTheEndOfWhatTheBuildSaid) {
  write("add_custom_target(all_wrong ALL COMMAND ${CMAKE_COMMAND} -E echo the-screw-is-loose COMMAND false)\n");
  expect_failure(ExitCode::kFailed, "cannot be built");
  expect_failure(ExitCode::kFailed, "the-screw-is-loose");
}

TEST_F(ProjectBuildTest, ForgetsTheLogOfTheBuildBefore) {
  write("message(FATAL_ERROR \"the moon is wrong\")\n");
  expect_failure(ExitCode::kFailed, "the moon is wrong");
  write("message(FATAL_ERROR \"the sun is\")\n");
  const auto built = build();
  ASSERT_FALSE(built.has_value());
  EXPECT_EQ(built.error().hint.find("moon"), std::string::npos);
}

TEST_F(ProjectBuildTest, SaysWhichProgramIsMissing) {
  write(application("weather"));
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", folder_.path().c_str(), 1);
  expect_failure(ExitCode::kFailed, "cannot run cmake");
  ::setenv("PATH", path.c_str(), 1);
}

TEST(RunProgramLogged, GivesTheExitStatusAndMinusOneForAProgramThatIsNotThere) {
  const fs::path nowhere = "/dev/null";
  EXPECT_EQ(run_program_logged({"sh", "-c", "exit 7"}, nowhere), 7);
  EXPECT_EQ(run_program_logged({"sh", "-c", "kill -TERM $$"}, nowhere), 128 + 15);
  EXPECT_EQ(run_program_logged({"no-such-program-of-this-name"}, nowhere), -1);
}

}  // namespace
}  // namespace mv::cli
