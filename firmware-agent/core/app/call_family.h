// A group of system calls with a memory of its own.
#pragma once

namespace mv::app {

class CallFamily {
 public:
  // The application is about to start afresh: it holds nothing.
  virtual void reset() = 0;

 protected:
  ~CallFamily() = default;
};

}  // namespace mv::app
