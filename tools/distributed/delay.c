/* A cable between two network namespaces that holds every frame for some time, for kernels without netem. It makes a TAP device in each
 * namespace and carries frames from one to the other, in their order, each so many microseconds after it was read.
 *   delay MICROSECONDS NAMESPACE DEVICE NAMESPACE DEVICE
 * It prints `ready` once both devices are there, and ends when its standard input does. Linux, as root. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES = 1 << 14, LONGEST = 2048 };

typedef struct {
  long due; /* nanoseconds */
  int length;
  unsigned char bytes[LONGEST];
} frame;

/* One direction: what has been read from one device and not yet been written to the other. */
typedef struct {
  int from, to;
  unsigned long first, end;
  frame *frames;
} lane;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int open_device(const char *space, const char *name) {
  char path[256];
  snprintf(path, sizeof path, "/var/run/netns/%s", space);
  int to = open(path, O_RDONLY | O_CLOEXEC);
  if (to < 0) die(path);
  if (setns(to, CLONE_NEWNET) != 0) die("setns");
  int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) die("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
  if (ioctl(device, TUNSETIFF, &request) != 0) die("TUNSETIFF");
  close(to);
  return device;
}

static void take(lane *l, long delay) {
  while (l->end - l->first < FRAMES) {
    frame *f = &l->frames[l->end % FRAMES];
    ssize_t length = read(l->from, f->bytes, LONGEST);
    if (length <= 0) return;
    f->length = length;
    f->due = now() + delay;
    l->end++;
  }
}

/* Writes what is due; when the next one is, or a long time. */
static long give(lane *l) {
  while (l->first < l->end) {
    frame *f = &l->frames[l->first % FRAMES];
    long wait = f->due - now();
    if (wait > 0) return wait;
    /* A device that is down loses frames, as a cable would. */
    ssize_t written = write(l->to, f->bytes, f->length);
    (void)written;
    l->first++;
  }
  return 1000000000L;
}

int main(int count, char **args) {
  if (count != 6) return fprintf(stderr, "delay MICROSECONDS NAMESPACE DEVICE NAMESPACE DEVICE\n"), 2;
  long delay = 1000L * atol(args[1]);
  int a = open_device(args[2], args[3]), b = open_device(args[4], args[5]);
  lane lanes[2] = {{.from = a, .to = b}, {.from = b, .to = a}};
  for (int i = 0; i < 2; i++)
    if ((lanes[i].frames = malloc(FRAMES * sizeof(frame))) == 0) die("malloc");
  /* Frames are let go when they are due, not when those who compute leave a core. */
  prctl(PR_SET_TIMERSLACK, 1000);
  struct sched_param priority = {.sched_priority = 10};
  if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) perror("sched_setscheduler");
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    long wait = 1000000000L;
    for (int i = 0; i < 2; i++) {
      take(&lanes[i], delay);
      long next = give(&lanes[i]);
      if (next < wait) wait = next;
    }
    struct pollfd polled[3] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    /* A lane that is full is not asked for more. */
    for (int i = 0; i < 2; i++)
      if (lanes[i].end - lanes[i].first == FRAMES) polled[i].events = 0;
    struct timespec limit = {.tv_sec = wait / 1000000000L, .tv_nsec = wait % 1000000000L};
    if (ppoll(polled, 3, &limit, 0) < 0 && errno != EINTR) die("ppoll");
    if (polled[2].revents != 0) return 0;
  }
}
