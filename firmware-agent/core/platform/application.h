// The application as the core sees it: what runs, and how to start, stop and tell it.
#pragma once

#include <cstdint>
#include <span>

namespace mv {

// Run control of the Non-secure application. Called from the Secure thread.
class Application {
 public:
  // Copies the installed image to where it runs, if the board needs that, and starts it at its reset vector.
  // False if there is no image with a plausible vector table.
  virtual bool start() = 0;

  // Stops it for good until `start`: no instruction of it runs after this returns.
  virtual void stop() = 0;

  // Whether the application's faults go to its own HardFault handler, if it has one, and end it only if they cannot.
  virtual void reflect_faults(bool wanted) = 0;

  virtual bool running() const = 0;

 protected:
  ~Application() = default;
};

// Ways for the core to tell the application something (system notifications, docs/system-calls.md).
class Notifier {
 public:
  // An update is staged: posted once per staged bundle to the notification centre that asked for it.
  // False if nobody asked, so the update need not wait for an answer.
  virtual bool update_staged() = 0;
  virtual void network_changed(bool connected) = 0;

 protected:
  ~Notifier() = default;
};

}  // namespace mv
