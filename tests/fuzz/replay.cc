// Runs a fuzz target without libFuzzer: every input of a corpus, then inputs close to them for about a second.
//
// usage: NAME_replay CORPUS...     each a file, or a folder of files
//
// The inputs are the same in every run of one corpus; how many of them fit into the second is the machine's.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr std::chrono::milliseconds kTime{1000};
constexpr int kMostRuns = 20'000;
constexpr std::size_t kLongest = 4096;

std::span<const std::uint8_t> current;  // the input that runs, for the signal handler

// What made the target fall stays behind as a file, to become part of the corpus.
void keep_input(int signal) {
  constexpr char kName[] = "finding-XXXXXX";
  std::array<char, sizeof kName> name{};
  std::copy(std::begin(kName), std::end(kName), name.begin());
  const int file = mkstemp(name.data());
  if (file >= 0 && write(file, current.data(), current.size()) == static_cast<ssize_t>(current.size())) {
    dprintf(STDERR_FILENO, "the target fell; its input is in %s\n", name.data());
  }
  std::signal(signal, SIG_DFL);
  raise(signal);
}

void run(const Input& input) {
  const Input exact(input.begin(), input.end());  // no spare capacity behind it that could hide an overrun
  current = exact;
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::vector<Input> load(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) files.emplace_back(argv[i]);
    if (!std::filesystem::is_directory(argv[i])) continue;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Input> inputs;
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

// A few bytes set, removed, repeated or taken from another input.
class Mutator {
 public:
  explicit Mutator(const std::vector<Input>& corpus) : corpus_(corpus) {}

  Input next() {
    Input input = corpus_[below(corpus_.size())];
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) change(input);
    input.resize(std::min(input.size(), kLongest));
    return input;
  }

 private:
  std::size_t below(std::size_t end) { return random_() % end; }

  void change(Input& input) {
    const std::size_t at = below(input.size() + 1);
    const std::size_t length = std::min(1 + below(16), input.size() - at);
    const auto begin = input.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = begin + static_cast<std::ptrdiff_t>(length);
    switch (below(5)) {
      case 0:
        if (length != 0) *begin = static_cast<std::uint8_t>(below(256));
        break;
      case 1:
        if (length != 0) *begin = static_cast<std::uint8_t>(*begin ^ (1U << below(8)));
        break;
      case 2:
        input.erase(begin, end);
        break;
      case 3: {
        const Input piece(begin, end);
        input.insert(begin, piece.begin(), piece.end());
        break;
      }
      default: {
        const Input& other = corpus_[below(corpus_.size())];
        const std::size_t from = below(other.size() + 1);
        const auto first = other.begin() + static_cast<std::ptrdiff_t>(from);
        input.insert(begin, first, first + static_cast<std::ptrdiff_t>(std::min<std::size_t>(64, other.size() - from)));
      }
    }
  }

  const std::vector<Input>& corpus_;
  std::minstd_rand random_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<Input> corpus = load(argc, argv);
  if (corpus.empty()) {
    std::fprintf(stderr, "no input to run: name the folder of a corpus\n");
    return 2;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE}) std::signal(signal, keep_input);
  for (const Input& input : corpus) run(input);
  Mutator mutator(corpus);
  int runs = 0;
  const auto end = std::chrono::steady_clock::now() + kTime;
  for (; runs < kMostRuns && std::chrono::steady_clock::now() < end; ++runs) run(mutator.next());
  std::printf("%zu inputs of the corpus and %d close to them\n", corpus.size(), runs);
  return 0;
}
