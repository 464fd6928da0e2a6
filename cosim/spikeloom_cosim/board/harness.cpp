// Runs a board, and carries the bytes of a file descriptor to and from its serial pins as bits.
//
//   bench DESCRIPTOR CLOCK_FILE DIVISOR RESET_CYCLES
//
//   host ◄──► pseudo-terminal ◄──► DESCRIPTOR ◄──► this ◄──► rx, tx ◄──► board
//
// When nothing has happened on the line for a while, the clock stops, and this sleeps until a byte
// comes. It ends when its standard input does, which whoever started it holds open.
//
// The clock file tells the time on the board, in 64-bit words: its cycles, the cycle in which the
// last byte came from it, nanoseconds for which the clock has stood still, and since when it does.

#include <cerrno>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "Vbench.h"
#include "verilated.h"

namespace {

// The longest that a board computes without a byte on its line, with a wide margin. Should it need
// longer, the host's next byte wakes it.
constexpr uint64_t QUIET = 1 << 18;
constexpr uint64_t LOOK = 256;
constexpr uint64_t LEASH = 1 << 20;
constexpr int FRAME_BITS = 10;
// A frame ends with a zero. When the line to the board is idle after one, the clock stands still
// until the host has reacted, or has had time to, in nanoseconds: so that times on the board do not
// depend on how busy the host is.
constexpr uint8_t END = 0;
constexpr uint64_t REACTION = 50000000;

struct Times {
  std::atomic<uint64_t> cycles, heard, asleep, since;
};

uint64_t nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return uint64_t(now.tv_sec) * 1000000000u + uint64_t(now.tv_nsec);
}

class Line {
 public:
  explicit Line(int descriptor) : descriptor_(descriptor) {
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  }

  bool empty() const { return coming_.empty(); }

  uint8_t take() {
    uint8_t byte = coming_.front();
    coming_.pop_front();
    return byte;
  }

  void look() {
    uint8_t buffer[4096];
    ssize_t size;
    while ((size = read(descriptor_, buffer, sizeof buffer)) > 0)
      coming_.insert(coming_.end(), buffer, buffer + size);
  }

  // What the other end has no room for waits here.
  void give(uint8_t byte) {
    going_.push_back(byte);
    push();
  }

  void push() {
    while (!going_.empty()) {
      uint8_t byte = going_.front();
      if (write(descriptor_, &byte, 1) != 1) return;
      going_.pop_front();
    }
  }

  bool full() const { return !going_.empty(); }

  // Until a byte comes, or room for one, or `milliseconds` have passed; ends when the leash does.
  void wait(int milliseconds) {
    short wanted = full() ? POLLIN | POLLOUT : POLLIN;
    pollfd watched[] = {{descriptor_, wanted, 0}, {STDIN_FILENO, 0, 0}};
    int found = poll(watched, 2, milliseconds);
    if (found < 0 && errno != EINTR) std::exit(1);
    if (watched[1].revents) std::_Exit(0);
    // Nobody holds the other end of the line: there is no end of that to wait for.
    if (milliseconds < 0 && watched[0].revents == POLLHUP) usleep(20000);
  }

 private:
  int descriptor_;
  std::deque<uint8_t> coming_, going_;
};

}  // namespace

int main(int count, char** words) {
  if (count < 5) return 2;
  Line line(std::atoi(words[1]));
  int file = open(words[2], O_RDWR);
  if (file < 0) return 2;
  void* shared = mmap(nullptr, sizeof(Times), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (shared == MAP_FAILED) return 2;
  Times& times = *static_cast<Times*>(shared);
  const uint32_t divisor = uint32_t(std::atoi(words[3]));
  // A board has long ended its reset when a host comes.
  const uint64_t reset = uint64_t(std::atoi(words[4]));

  VerilatedContext context;
  context.commandArgs(count, words);
  Vbench bench(&context);
  bench.rx = 1;

  // To the board: bits left of a byte, the stop bit included, and cycles left of this bit.
  uint32_t sending = 0, bits = 0, left = 0;
  // From the board: likewise, with the first sample in the middle of the first bit.
  uint32_t byte = 0, missing = 0, until = 0;
  bool idle = true;
  uint64_t cycle = 0, quiet = 0, reaction = 0;

  for (;;) {
    bench.clk = 1;
    bench.eval();
    bench.clk = 0;
    bench.eval();
    ++cycle;
    ++quiet;
    if (context.gotFinish()) return 1;

    if (bits) {
      quiet = 0;
      if (--left == 0) {
        --bits;
        left = divisor;
        bench.rx = bits ? sending & 1 : 1;
        sending >>= 1;
      }
    } else if (!line.empty()) {
      sending = line.take() | 0x100u;
      bits = FRAME_BITS;
      left = divisor;
      bench.rx = 0;
      quiet = 0;
    } else if (reaction) {
      line.look();
      uint64_t now = nanoseconds();
      if (line.empty() && now < reaction) line.wait(int((reaction - now) / 1000000));
      line.look();
      reaction = 0;
    } else if (cycle > reset && (cycle % LOOK == 0 || quiet == 1)) {
      line.look();
    }

    if (idle) {
      if (!bench.tx) {
        idle = false;
        until = divisor + divisor / 2;
        missing = 9;
      }
    } else {
      quiet = 0;
      if (--until == 0) {
        until = divisor;
        if (--missing) {
          byte = byte >> 1 | (bench.tx ? 0x80u : 0u);
        } else {
          // A byte without a stop bit is broken; its host will find that out.
          times.heard.store(cycle);
          times.cycles.store(cycle);
          line.give(uint8_t(byte));
          idle = true;
          if (uint8_t(byte) == END) reaction = nanoseconds() + REACTION;
        }
      }
    }

    if (cycle % LOOK == 0) {
      times.cycles.store(cycle, std::memory_order_relaxed);
      if (line.full()) line.push();
      if (cycle % LEASH == 0) line.wait(0);
    }
    if (quiet >= QUIET && cycle > reset) {
      line.look();
      if (!line.empty()) continue;
      times.cycles.store(cycle);
      uint64_t since = nanoseconds();
      times.since.store(since);
      line.wait(-1);
      times.asleep.fetch_add(nanoseconds() - since);
      times.since.store(0);
      line.push();
      line.look();
      // Woken for something else than a byte: back to sleep soon.
      quiet = line.empty() ? QUIET - LOOK : 0;
    }
  }
}
