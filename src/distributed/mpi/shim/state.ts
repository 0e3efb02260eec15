// What all parts of the shim share: its types, the queue of jobs, how the job stands, and how a failure is noted and said. Included headers come first.
// C, a part of shim-source.ts.

export const STATE = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

enum { BARRIER, ALL_REDUCE, BROADCAST, ALL_GATHER, REDUCE_SCATTER, GATHER, FINISH };
enum { BYTE, INT32, FLOAT32, FLOAT64 };
enum { SUM, LEAST, MOST, MEAN };
enum { DONE, FAULT, LATE, DIED };
enum { RING = 256, LABEL = 112, TEXT = 1024 };

typedef struct {
  int kind, type, combine, root;
  const void *in;
  void *out;
  int count;
  int *counts, *starts;
  char label[LABEL];
} job;

/* What a rank that waits for long tells the others. */
typedef struct {
  long number;
  int is_end;
  char label[LABEL];
} notice;

typedef struct {
  char host[64];
  long pid;
  unsigned long long space; /* of process numbers: containers have their own */
} peer;

static job ring[RING];
static atomic_long started, done;
static atomic_int status, is_over, is_terminated, must_abort, is_waited_for, exit_code;
static pthread_t server;
static char text[TEXT], hint[TEXT];
static double limit = 600;
static double seconds_waited; /* of the thread of JavaScript */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int wake[2];

static int rank, size, must_finalize;
static MPI_Comm world, side, ends; /* a barrier at the end must not be taken for a collective of those who go on */
static peer *peers;
static struct pollfd *watched; /* watched[0] is the wake pipe; the others are processes */
static int *watched_rank, watched_count;
static notice *notices;
static MPI_Request *sending;
static MPI_Op smallest, largest;
static notice own;

static void without_waiting(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void fail(int how, const char *what) {
  pthread_mutex_lock(&lock);
  if (atomic_load(&status) == DONE) {
    snprintf(text, TEXT, "%s", what);
    atomic_store(&status, how);
  }
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

/* Said here, and not in JavaScript, which may be computing when the launcher ends the process. */
static void say(const char *what) {
  char line[2 * TEXT + 16];
  int length = snprintf(line, sizeof line, "nabla: %s%s%s\\n", what, hint[0] ? " " : "", hint);
  if (length > (int)sizeof line - 1) length = sizeof line - 1;
  ssize_t written = write(2, line, length);
  (void)written;
}

static int fault(int code, const char *label) {
  char message[MPI_MAX_ERROR_STRING], what[TEXT];
  int length = 0, class = MPI_SUCCESS;
  MPI_Error_string(code, message, &length);
  MPI_Error_class(code, &class);
  snprintf(what, TEXT, "%s: MPI says: %.*s.%s", label, length, message,
           class == MPI_ERR_TRUNCATE ? " Another rank is in another call: all have to make the same ones, in the same order." : "");
  fail(FAULT, what);
  return FAULT;
}
`;
