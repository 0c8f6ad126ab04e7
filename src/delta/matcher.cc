#include "delta/matcher.h"

#include <divsufsort.h>

#include <algorithm>

namespace mv::delta {
namespace {

using Bytes = std::span<const std::uint8_t>;

// A match must beat going on as before by so many bytes.
constexpr std::size_t kWorthwhile = 8;

std::size_t common(Bytes a, Bytes b) {
  const auto [end, unused] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(end - a.begin());
}

// How far a rough match reaches: the length, at most `limit`, for which agreeing bytes outnumber the others most.
// `agree(i)`: whether the i-th byte does.
template <typename Agree>
std::size_t reach(std::size_t limit, Agree agree) {
  std::size_t best = 0;
  std::ptrdiff_t score = 0, best_score = 0;
  for (std::size_t i = 0; i < limit; ++i) {
    score += agree(i) ? 1 : -1;
    if (score > best_score) best_score = score, best = i + 1;
  }
  return best;
}

// Where in an overlap of two rough matches, `size` bytes long, the first one should end.
template <typename First, typename Second>
std::size_t best_cut(std::size_t size, First first, Second second) {
  std::size_t best = 0;
  std::ptrdiff_t score = 0, best_score = 0;
  for (std::size_t i = 0; i < size; ++i) {
    score += (first(i) ? 1 : 0) - (second(i) ? 1 : 0);
    if (score > best_score) best_score = score, best = i + 1;
  }
  return best;
}

// Goes through the new image and keeps the rough match that it is in.
class Scan {
 public:
  Scan(const Matcher& matcher, Bytes image) : matcher_(matcher), old_(matcher.old()), new_(image) {}

  std::vector<Piece> run() {
    while (at_ < new_.size()) {
      const bool as_before = !find_better();
      if (as_before && at_ < new_.size()) continue;
      change_over();
    }
    return std::move(pieces_);
  }

 private:
  // The byte at `place` is what the match that we are in says.
  bool as_before(std::size_t place) const {
    const auto old_place = static_cast<std::ptrdiff_t>(place) + shift_;
    return old_place >= 0 && old_place < std::ssize(old_) && old_[static_cast<std::size_t>(old_place)] == new_[place];
  }

  // Moves `at_` on to an exact match that is clearly longer than what agrees as before. False if the match found is no
  // better, so that it may be skipped, or if the image ended.
  bool find_better() {
    at_ += found_.size;
    std::size_t agreeing = 0;
    for (std::size_t counted = at_; at_ < new_.size(); ++at_) {
      found_ = matcher_.longest(new_.subspan(at_));
      for (; counted < at_ + found_.size; ++counted) agreeing += as_before(counted) ? 1 : 0;
      if (found_.size == agreeing && found_.size != 0) return false;
      if (found_.size > agreeing + kWorthwhile) return true;
      if (as_before(at_)) --agreeing;
    }
    found_ = {};
    return false;
  }

  // Ends the match that we are in and begins the one that was found: both grow towards each other.
  void change_over() {
    const auto forward = std::min(at_ - begin_, old_.size() - std::min(old_begin_, old_.size()));
    std::size_t kept = reach(forward, [&](std::size_t i) { return old_[old_begin_ + i] == new_[begin_ + i]; });
    std::size_t back = 0;
    if (at_ < new_.size()) {
      const auto backward = std::min<std::size_t>(at_ - begin_, found_.old_place);
      back = reach(backward, [&](std::size_t i) { return old_[found_.old_place - 1 - i] == new_[at_ - 1 - i]; });
    }
    if (begin_ + kept > at_ - back) {
      const std::size_t overlap = begin_ + kept - (at_ - back);
      const std::size_t from = begin_ + kept - overlap;
      const std::size_t cut = best_cut(
          overlap, [&](std::size_t i) { return old_[old_begin_ + kept - overlap + i] == new_[from + i]; },
          [&](std::size_t i) { return old_[found_.old_place - back + i] == new_[from + i]; });
      kept = kept - overlap + cut;
      back -= cut;
    }
    add(begin_, kept, true, old_begin_);
    add(begin_ + kept, at_ - back - (begin_ + kept), false, 0);
    begin_ = at_ - back;
    old_begin_ = found_.old_place - back;
    shift_ = static_cast<std::ptrdiff_t>(old_begin_) - static_cast<std::ptrdiff_t>(begin_);
  }

  void add(std::size_t place, std::size_t size, bool from_old, std::size_t old_place) {
    if (size == 0) return;
    pieces_.push_back({static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(size), from_old,
                       static_cast<std::uint32_t>(old_place)});
  }

  const Matcher& matcher_;
  Bytes old_, new_;
  std::vector<Piece> pieces_;
  std::size_t at_ = 0;         // where we look for a match
  Matcher::Exact found_;       // the last one
  std::size_t begin_ = 0;      // of the rough match that we are in
  std::size_t old_begin_ = 0;  // likewise, in the old image
  std::ptrdiff_t shift_ = 0;   // old_begin_ - begin_
};

}  // namespace

tl::expected<Matcher, Error> Matcher::create(Bytes old) {
  if (old.size() > kMaxImage) return tl::make_unexpected(Error::kTooBig);
  Matcher matcher(old);
  matcher.suffixes_.resize(old.size());
  if (!old.empty() && divsufsort(old.data(), matcher.suffixes_.data(), static_cast<std::int32_t>(old.size())) != 0) {
    return tl::make_unexpected(Error::kOutOfMemory);
  }
  return matcher;
}

Matcher::Exact Matcher::longest(Bytes bytes) const {
  const auto suffix = [&](std::int32_t place) { return old_.subspan(static_cast<std::size_t>(place)); };
  const auto after = std::lower_bound(suffixes_.begin(), suffixes_.end(), bytes, [&](std::int32_t place, Bytes wanted) {
    return std::ranges::lexicographical_compare(suffix(place), wanted);
  });
  Exact best;
  const auto consider = [&](std::int32_t place) {
    const std::size_t size = common(suffix(place), bytes);
    if (size > best.size) best = {static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(size)};
  };
  if (after != suffixes_.end()) consider(*after);
  if (after != suffixes_.begin()) consider(*(after - 1));
  return best;
}

std::vector<Piece> Matcher::match(Bytes image) const { return Scan(*this, image).run(); }

}  // namespace mv::delta
