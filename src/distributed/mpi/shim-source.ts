// The C program between nabla and MPI. It is compiled on the machine where it runs, since what the types of mpi.h are differs between
// Open MPI and MPICH. One thread of its own makes all calls of MPI, so that any level of thread support will do: it takes jobs from a
// queue, in the order in which they are started, and whoever needs a result waits for its number.
//   The same thread watches: processes of the job on this machine that die, collectives that take longer than the time limit,
//   and SIGTERM, with which launchers end what a dead rank has left.
// Collectives are the non-blocking ones, asked again and again, so that a wait can end with a reason instead of never.
// It knows bytes, element types and ranks; nothing of tensors.

/** Kinds of jobs, as in the program below. */
export const JOB = { barrier: 0, allReduce: 1, broadcast: 2, allGather: 3, reduceScatter: 4, gather: 5 } as const;
/** Element types. */
export const ELEMENT = { byte: 0, int32: 1, float32: 2, float64: 3 } as const;
/** How numbers are combined. */
export const COMBINE = { sum: 0, min: 1, max: 2 } as const;
/** How a job ended. */
export const STATUS = { done: 0, fault: 1, late: 2, died: 3 } as const;

export const SHIM_SOURCE = `
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

/* ---- who is alive ---- */

static int is_gone(int i) {
#if defined(__linux__) && defined(SYS_pidfd_open)
  if (watched[i].fd >= 0) return (watched[i].revents & POLLIN) != 0;
#endif
  return kill(peers[watched_rank[i]].pid, 0) == -1 && errno == ESRCH;
}

/* Whether a process of the job has died; waits for the news, or for a job, for so many milliseconds. */
static int look(int milliseconds) {
  poll(watched, watched_count, milliseconds);
  if (watched[0].revents & POLLIN) {
    char bytes[64];
    while (read(wake[0], bytes, sizeof bytes) == sizeof bytes) {}
  }
  if (atomic_load(&is_over) || atomic_load(&status) != DONE) return 0;
  int first = -1, is_lowest = 1;
  for (int i = 1; i < watched_count; i++) {
    if (!is_gone(i)) {
      if (watched_rank[i] < rank) is_lowest = 0;
    } else if (first < 0) first = watched_rank[i];
  }
  if (first < 0) return 0;
  char what[TEXT];
  snprintf(what, TEXT, "rank %d (process %ld on %s) has died, and the job ends.", first, peers[first].pid, peers[first].host);
  if (is_lowest) say(what);
  fail(DIED, what);
  return 1;
}

static void on_terminate(int number) {
  (void)number;
  int before = errno;
  atomic_store(&is_terminated, 1);
  ssize_t written = write(wake[1], "t", 1);
  (void)written;
  errno = before;
}

/* Launchers end what a dead rank has left with SIGTERM: if that is why, it is said before this process ends as well. */
static void end_by_signal(void) {
  double until = now() + 0.5;
  while (now() < until && !look(20)) {}
  signal(SIGTERM, SIG_DFL);
  kill(getpid(), SIGTERM);
}

/* ---- waiting, with a reason to stop ---- */

static void announce(const job *j, long number) {
  for (int r = 0; r < size; r++) {
    int is_sent = 1;
    if (sending[r] != MPI_REQUEST_NULL) MPI_Test(&sending[r], &is_sent, MPI_STATUS_IGNORE);
    if (!is_sent) return;
  }
  own.number = number;
  own.is_end = j->kind == FINISH;
  memcpy(own.label, j->label, LABEL);
  for (int r = 0; r < size; r++)
    if (r != rank) MPI_Isend(&own, sizeof own, MPI_BYTE, r, 1, side, &sending[r]);
}

static void listen(void) {
  for (;;) {
    int is_there = 0;
    MPI_Status from;
    MPI_Iprobe(MPI_ANY_SOURCE, 1, side, &is_there, &from);
    if (!is_there) return;
    MPI_Recv(&notices[from.MPI_SOURCE], sizeof(notice), MPI_BYTE, from.MPI_SOURCE, 1, side, MPI_STATUS_IGNORE);
  }
}

/* The time limit: names those who have not come, or who wait for something else. */
static int late(const job *j, long number) {
  char what[TEXT];
  int length = 0, missing = 0, lowest = rank;
  listen();
  for (int r = 0; r < size; r++) {
    if (r == rank) continue;
    if (notices[r].number >= number) {
      if (r < lowest) lowest = r;
    } else missing++;
  }
  length = snprintf(what, TEXT, "%s: after %g seconds ", j->label, limit);
  if (missing == 0) length += snprintf(what + length, TEXT - length, "all ranks are here, but the network does not bring it about");
  for (int r = 0, said = 0; r < size && length < TEXT - 256; r++) {
    if (r == rank || notices[r].number >= number) continue;
    length += snprintf(what + length, TEXT - length, "%srank %d (process %ld on %s) has not come", said++ ? ", " : "", r,
                       peers[r].pid, peers[r].host);
  }
  for (int r = 0; r < size && length < TEXT - 256; r++) {
    if (r == rank || notices[r].number != number || strncmp(notices[r].label, j->label, LABEL) == 0) continue;
    length += snprintf(what + length, TEXT - length, "; rank %d is in %s", r, notices[r].label);
  }
  snprintf(what + length, TEXT - length, ". It hangs, or its program does something else.");
  if (lowest == rank) say(what);
  fail(LATE, what);
  return LATE;
}

/* Whether a rank has come to the end of its program where others have a job for it. */
static int has_left(const job *j, long number) {
  int left = -1, lowest = rank;
  for (int r = 0; r < size && j->kind != FINISH; r++) {
    if (r == rank) continue;
    if (notices[r].is_end && notices[r].number <= number) left = left < 0 ? r : left;
    else if (notices[r].number >= number && r < lowest) lowest = r;
  }
  if (left < 0) return 0;
  char what[TEXT];
  snprintf(what, TEXT, "%s: rank %d (process %ld on %s) does not take part: its program has come to its end.", j->label, left,
           peers[left].pid, peers[left].host);
  if (lowest == rank) say(what);
  fail(LATE, what);
  return 1;
}

static int drive(MPI_Request *request, const job *j, long number) {
  double began = now(), looked = began, announced = began;
  for (long turn = 0;; turn++) {
    int is_done = 0, code = MPI_Test(request, &is_done, MPI_STATUS_IGNORE);
    if (code != MPI_SUCCESS) return fault(code, j->label);
    if (is_done) return DONE;
    if ((turn & 15) != 15) continue;
    double t = now();
    if (t - looked > 0.005) {
      looked = t;
      if (atomic_load(&is_terminated)) end_by_signal();
      if (look(0)) return DIED;
      if (atomic_load(&must_abort)) return FAULT;
      if (t - announced > (limit < 8 ? limit / 8 : 1)) {
        announced = t;
        announce(j, number);
        listen();
        if (has_left(j, number)) return LATE;
      }
      if (t - began > limit) return late(j, number);
    }
    /* First at full speed; then others may want the core; then it is somebody who comes late. */
    if (t - began < 50e-6) continue;
    if (t - began < 10e-3 && atomic_load(&is_waited_for)) sched_yield();
    else usleep(50); /* where nobody waits, this process computes, and needs the core more */
  }
}

static int perform(const job *j, long number) {
  static const MPI_Datatype *types[4];
  static MPI_Datatype byte = MPI_BYTE, int32 = MPI_INT32_T, float32 = MPI_FLOAT, float64 = MPI_DOUBLE;
  types[0] = &byte, types[1] = &int32, types[2] = &float32, types[3] = &float64;
  MPI_Datatype type = *types[j->type];
  MPI_Op combine = j->combine == 0 ? MPI_SUM : j->combine == 1 ? smallest : largest;
  MPI_Request request = MPI_REQUEST_NULL;
  int code = MPI_SUCCESS;
  switch (j->kind) {
    case BARRIER:
      code = MPI_Ibarrier(world, &request);
      break;
    case FINISH:
      code = MPI_Ibarrier(ends, &request);
      break;
    case ALL_REDUCE:
      code = MPI_Iallreduce(MPI_IN_PLACE, j->out, j->count, type, combine, world, &request);
      break;
    case BROADCAST:
      code = MPI_Ibcast(j->out, j->count, type, j->root, world, &request);
      break;
    case ALL_GATHER:
      code = MPI_Iallgatherv(j->in, j->count, type, j->out, j->counts, j->starts, type, world, &request);
      break;
    case REDUCE_SCATTER:
      code = MPI_Ireduce_scatter_block(j->in, j->out, j->count, type, combine, world, &request);
      break;
    case GATHER:
      code = MPI_Igatherv(j->in, j->count, type, j->out, j->counts, j->starts, type, j->root, world, &request);
      break;
  }
  if (code != MPI_SUCCESS) return fault(code, j->label);
  return drive(&request, j, number);
}

/* ---- the smallest and largest numbers ---- */

/* NaN is both, as in the engine. MPI's own give whichever of NaN and a number they see last, which is another one on each rank. */
#define EXTREME(name, type, sign) \\
  static void name(const type *in, type *out, int count) { \\
    for (int i = 0; i < count; i++) if (in[i] sign out[i] || in[i] != in[i]) out[i] = in[i]; \\
  }
EXTREME(least_of_floats, float, <)
EXTREME(most_of_floats, float, >)
EXTREME(least_of_doubles, double, <)
EXTREME(most_of_doubles, double, >)
EXTREME(least_of_ints, int, <)
EXTREME(most_of_ints, int, >)

static void take_least(void *in, void *out, int *count, MPI_Datatype *type) {
  if (*type == MPI_FLOAT) least_of_floats(in, out, *count);
  else if (*type == MPI_DOUBLE) least_of_doubles(in, out, *count);
  else least_of_ints(in, out, *count);
}

static void take_most(void *in, void *out, int *count, MPI_Datatype *type) {
  if (*type == MPI_FLOAT) most_of_floats(in, out, *count);
  else if (*type == MPI_DOUBLE) most_of_doubles(in, out, *count);
  else most_of_ints(in, out, *count);
}

/* ---- the thread ---- */

static unsigned long long process_space(void) {
  struct stat found;
  return stat("/proc/self/ns/pid", &found) == 0 ? found.st_ino : 0;
}

static int open_world(void) {
  int provided, is_initialized = 0;
  MPI_Initialized(&is_initialized);
  int code = is_initialized ? MPI_SUCCESS : MPI_Init_thread(0, 0, MPI_THREAD_FUNNELED, &provided);
  if (code != MPI_SUCCESS) return fault(code, "the start");
  must_finalize = !is_initialized;
  MPI_Comm_dup(MPI_COMM_WORLD, &world);
  MPI_Comm_dup(MPI_COMM_WORLD, &side);
  MPI_Comm_dup(MPI_COMM_WORLD, &ends);
  MPI_Comm_set_errhandler(world, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(side, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(ends, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN); /* Open MPI reports errors of collectives there */
  MPI_Op_create(take_least, 1, &smallest);
  MPI_Op_create(take_most, 1, &largest);
  MPI_Comm_rank(world, &rank);
  MPI_Comm_size(world, &size);
  peers = calloc(size, sizeof *peers);
  notices = calloc(size, sizeof *notices);
  sending = malloc(size * sizeof *sending);
  watched = calloc(size + 1, sizeof *watched);
  watched_rank = calloc(size + 1, sizeof *watched_rank);
  for (int r = 0; r < size; r++) sending[r] = MPI_REQUEST_NULL, notices[r].number = -1;
  peer *self = &peers[rank];
  gethostname(self->host, sizeof self->host - 1);
  self->pid = getpid();
  self->space = process_space();
  code = MPI_Allgather(MPI_IN_PLACE, 0, MPI_BYTE, peers, sizeof(peer), MPI_BYTE, world);
  if (code != MPI_SUCCESS) return fault(code, "the start");
  watched[0] = (struct pollfd){.fd = wake[0], .events = POLLIN};
  watched_count = 1;
  for (int r = 0; r < size; r++) {
    if (r == rank || peers[r].space != self->space || strcmp(peers[r].host, self->host) != 0) continue;
    int fd = -1;
#if defined(__linux__) && defined(SYS_pidfd_open)
    fd = syscall(SYS_pidfd_open, (pid_t)peers[r].pid, 0);
#endif
    watched[watched_count] = (struct pollfd){.fd = fd, .events = POLLIN};
    watched_rank[watched_count++] = r;
  }
  struct sigaction before, ours = {0};
  ours.sa_handler = on_terminate;
  if (sigaction(SIGTERM, 0, &before) == 0 && before.sa_handler == SIG_DFL) sigaction(SIGTERM, &ours, 0);
  return DONE;
}

static void finish_job(void) {
  pthread_mutex_lock(&lock);
  atomic_fetch_add(&done, 1);
  if (atomic_load(&is_waited_for)) pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static void *serve(void *unused) {
  (void)unused;
  open_world();
  finish_job(); /* the first one is the beginning */
  double idle = now();
  for (;;) {
    if (atomic_load(&must_abort)) {
      if (world != MPI_COMM_NULL) MPI_Abort(world, atomic_load(&must_abort));
      _exit(atomic_load(&must_abort));
    }
    if (atomic_load(&status) != DONE) { /* JavaScript has some seconds to end the process its own way */
      for (int i = 0; i < 100 && !atomic_load(&must_abort); i++) usleep(50000);
      if (!atomic_load(&must_abort)) atomic_store(&must_abort, 1);
      continue;
    }
    if (atomic_load(&is_terminated)) end_by_signal();
    long number = atomic_load(&done);
    if (number == atomic_load(&started)) {
      if (now() - idle < 30e-6) continue;
      if (!look(1000)) continue;
      continue;
    }
    const job *j = &ring[number % RING];
    int how = perform(j, number);
    if (j->kind == FINISH && how == DONE) {
      atomic_store(&is_over, 1);
      if (must_finalize) MPI_Finalize();
      finish_job();
      return 0;
    }
    free(j->counts);
    if (how == DONE) finish_job();
    idle = now();
  }
}

/* ---- what JavaScript calls ---- */

int nabla_mpi_wait(long number) {
  for (int i = 0; i < 2000; i++)
    if (atomic_load(&done) > number || atomic_load(&status) != DONE) break;
  if (atomic_load(&done) <= number && atomic_load(&status) == DONE) {
    pthread_mutex_lock(&lock);
    atomic_fetch_add(&is_waited_for, 1);
    while (atomic_load(&done) <= number && atomic_load(&status) == DONE) pthread_cond_wait(&changed, &lock);
    atomic_fetch_sub(&is_waited_for, 1);
    pthread_mutex_unlock(&lock);
  }
  return atomic_load(&done) > number ? DONE : atomic_load(&status);
}

int nabla_mpi_wait_timed(long number, double *seconds) {
  double began = now();
  int how = nabla_mpi_wait(number);
  seconds_waited += now() - began;
  *seconds = seconds_waited;
  return how;
}

/* The number of the job, or -1 where it cannot be done any more. \`counts\` are bytes or elements of each rank, or null. */
long nabla_mpi_start(int kind, const void *in, void *out, double count, int type, int combine, int root, const int *counts, const char *label) {
  if (atomic_load(&status) != DONE) return -1;
  long number = atomic_load(&started);
  if (number - RING >= 0 && nabla_mpi_wait(number - RING) != DONE) return -1;
  job *j = &ring[number % RING];
  *j = (job){.kind = kind, .in = in, .out = out, .count = (int)count, .type = type, .combine = combine, .root = root};
  snprintf(j->label, LABEL, "%s", label);
  if (counts != 0) {
    j->counts = malloc(2 * size * sizeof(int));
    j->starts = j->counts + size;
    for (int r = 0, start = 0; r < size; start += counts[r++]) j->counts[r] = counts[r], j->starts[r] = start;
  }
  atomic_store(&started, number + 1);
  ssize_t written = write(wake[1], "j", 1);
  (void)written;
  return number;
}

static void on_exit_of_process(void) {
  int code = atomic_load(&exit_code);
  if (atomic_load(&is_over) || code == 0) return;
  atomic_store(&must_abort, code);
  ssize_t written = write(wake[1], "a", 1);
  (void)written;
  for (int i = 0; i < 100; i++) usleep(20000);
  _exit(code);
}

int nabla_mpi_open(double time_limit, int *numbers) {
  limit = time_limit;
  if (pipe(wake) != 0) return FAULT;
  for (int i = 0; i < 2; i++) without_waiting(wake[i]);
  atomic_store(&started, 1);
  if (pthread_create(&server, 0, serve, 0) != 0) return FAULT;
  atexit(on_exit_of_process);
  int how = nabla_mpi_wait(0);
  if (atomic_load(&status) != DONE) return atomic_load(&status);
  numbers[0] = rank, numbers[1] = size;
  return how;
}

void nabla_mpi_limit(double time_limit) { limit = time_limit; }

/* What is said besides when the job ends before its time. */
void nabla_mpi_hint(const char *what) { snprintf(hint, TEXT, "%s", what); }

void nabla_mpi_text(char *out, int length) { snprintf(out, length, "%s", text); }

/* The machine and the process of a rank. */
void nabla_mpi_peer(int of, char *host, int length, double *pid) {
  snprintf(host, length, "%s", peers[of].host);
  *pid = peers[of].pid;
}

/* Ends together with the others. */
int nabla_mpi_close(void) {
  long number = nabla_mpi_start(FINISH, 0, 0, 0, 0, 0, 0, 0, "the end of the program");
  int how = number < 0 ? atomic_load(&status) : nabla_mpi_wait(number);
  if (how == DONE) pthread_join(server, 0);
  return how;
}

/* Has the whole job end when this process does: by then it has said why. */
void nabla_mpi_abort(int code) { atomic_store(&exit_code, code == 0 ? 1 : code); }
`;
