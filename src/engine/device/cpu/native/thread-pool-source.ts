// The threads of the native tier, in C: a pool of POSIX threads that all run the same program, stage by stage (the protocol of
// thread.ts). Thread 0 is the caller. Programs are shared libraries that export `program` (see emit/c).
//
// A good neighbour: whoever waits spins for microseconds, then does the shares that late threads have not begun, then sleeps.
// There is no sched_yield: beside other programs it gives away a time slice of milliseconds, and waking up is quicker.

export const THREAD_POOL_SOURCE = `
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#ifdef __linux__
#include <linux/futex.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__x86_64__) || defined(__i386__)
#define RELAX() __builtin_ia32_pause()
#else
#define RELAX() __asm__ volatile("yield")
#endif

/* Looks at a word before a thread does anything else than wait: some microseconds. */
#define SPINS 128
/* Milliseconds that a thread spins before it sleeps, if nobody else wants its core; waking up takes some hundredths. */
#define STAGE_PATIENCE 0.3
#define COMMAND_PATIENCE 0.3
/* A gap of so many milliseconds between two looks: another program has had the core. */
#define TAKEN 0.1
/* Again within so many milliseconds: the program is there to stay. Now and then a core is gone on a quiet machine, too. */
#define STAYS 20.0
/* After that, so many waits go to sleep without spinning: twice as many each time. */
#define LEAST_SHY 64
#define MOST_SHY 4096

typedef struct {
  int stages, kernels;
  void (*run)(int, int, int, int, char *, const unsigned *, unsigned, char *, void (*)(void *, int), void *);
} program;

/* What a command asks for: a program, and the number of its first stage, counted since the start. active 0: to end. */
typedef struct {
  const program *program;
  char *heap;
  const unsigned *table;
  unsigned arena, scratch, stride, first;
  int active;
} task;

/* The last stage in which somebody has begun the share of this thread. */
typedef struct { _Alignas(64) atomic_uint stage; } claim;

typedef struct { _Alignas(64) atomic_uint value; _Alignas(64) atomic_int sleepers; } word;

typedef struct pool {
  int threads, spins_freely;
  pthread_t *handles;
  double *profile, begun; /* milliseconds in the first share of each kernel */
  pthread_mutex_t lock; /* for sleeping where there is no futex */
  pthread_cond_t wake;
  word command, complete; /* commands given, and stages that all threads' shares are done of */
  _Alignas(64) atomic_uint arrived; /* shares of the current stage that are done */
  _Alignas(64) atomic_int inside; /* followers that may be looking into a program */
  task tasks[2]; /* of the even and the odd commands */
  claim *claims;
} pool;

typedef struct { pool *pool; int tid; } start;

static double milliseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int has_reached(word *w, unsigned target) {
  return (int)(atomic_load_explicit(&w->value, memory_order_acquire) - target) >= 0;
}

static int spin(word *w, unsigned target, int looks) {
  for (int i = 0; i < looks; i++) {
    if (has_reached(w, target)) return 1;
    RELAX();
  }
  return 0;
}

/* A thread that sleeps counts itself before it looks for the last time: none is missed. */
static void sleep_until(pool *c, word *w, unsigned target) {
  atomic_fetch_add(&w->sleepers, 1);
#ifdef __linux__
  (void)c;
  for (unsigned seen; (int)((seen = atomic_load(&w->value)) - target) < 0;)
    syscall(SYS_futex, &w->value, FUTEX_WAIT_PRIVATE, seen, 0, 0, 0);
#else
  pthread_mutex_lock(&c->lock);
  while ((int)(atomic_load(&w->value) - target) < 0) pthread_cond_wait(&c->wake, &c->lock);
  pthread_mutex_unlock(&c->lock);
#endif
  atomic_fetch_sub(&w->sleepers, 1);
}

static void set(pool *c, word *w, unsigned value) {
  atomic_store(&w->value, value);
  if (atomic_load(&w->sleepers) == 0) return;
#ifdef __linux__
  (void)c;
  syscall(SYS_futex, &w->value, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
#else
  pthread_mutex_lock(&c->lock);
  pthread_cond_broadcast(&c->wake);
  pthread_mutex_unlock(&c->lock);
#endif
}

/* Of this thread: waits that will not spin, how many that were the last time, and when its core was taken last. */
static _Thread_local int shy, shyness;
static _Thread_local double taken;

static void wait_until(pool *c, word *w, unsigned target, double patience) {
  if (spin(w, target, SPINS)) return;
  if (shy > 0) shy--;
  else if (c->spins_freely) {
    double before = milliseconds(), end = before + patience;
    while (before < end) {
      if (spin(w, target, SPINS / 2)) return;
      double now = milliseconds();
      if (now - before > TAKEN) break;
      before = now;
    }
    if (before < end) {
      double now = milliseconds(), since = now - taken;
      taken = now;
      if (since < STAYS) shy = shyness = shyness == 0 ? LEAST_SHY : shyness < MOST_SHY ? 2 * shyness : MOST_SHY;
    } else shyness = 0;
  }
  sleep_until(c, w, target);
}

/* Told by the program: kernel -1, one begins; else kernel k has ended. */
static void mark(void *sync, int kernel) {
  pool *c = sync;
  double now = milliseconds();
  if (kernel >= 0 && c->profile != 0) c->profile[kernel] += now - c->begun;
  c->begun = now;
}

/* Does a share of a stage, unless somebody has begun it; whoever does the last one opens the next stage. */
static void try_share(pool *c, const task *t, int k, int share) {
  unsigned stage = t->first + (unsigned)k;
  unsigned last = atomic_load_explicit(&c->claims[share].stage, memory_order_relaxed);
  if ((int)(last - stage) >= 0 || !atomic_compare_exchange_strong(&c->claims[share].stage, &last, stage)) return;
  char *scratch = t->heap + t->scratch + (unsigned long)share * t->stride;
  t->program->run(k, k + 1, share, t->active, t->heap, t->table, t->arena, scratch, mark, c);
  if (atomic_fetch_add(&c->arrived, 1) + 1 != (unsigned)t->active) return;
  atomic_store_explicit(&c->arrived, 0, memory_order_relaxed);
  set(c, &c->complete, stage);
}

/* Takes part in a program. Stages that the others have done meanwhile are skipped. */
static void perform(pool *c, const task *t, int tid) {
  const int stages = t->program->stages;
  for (int k = 0; k < stages; k++) {
    unsigned stage = t->first + (unsigned)k;
    int ahead = (int)(atomic_load_explicit(&c->complete.value, memory_order_acquire) - stage);
    if (ahead >= 0) {
      if (ahead >= stages - k) return;
      k += ahead;
      continue;
    }
    try_share(c, t, k, tid);
    if (spin(&c->complete, stage, SPINS)) continue;
    for (int other = 0; other < t->active; other++) try_share(c, t, k, other);
    wait_until(c, &c->complete, stage, STAGE_PATIENCE);
    if (tid == 0 && c->profile != 0) mark(c, t->program->kernels);
  }
}

static void *follow(void *argument) {
  pool *c = ((start *)argument)->pool;
  int tid = ((start *)argument)->tid;
  free(argument);
  for (unsigned seen = 0;;) {
    wait_until(c, &c->command, seen + 1, COMMAND_PATIENCE);
    atomic_fetch_add(&c->inside, 1); /* before it looks at the command: see nabla_close */
    unsigned command = atomic_load(&c->command.value);
    task t = c->tasks[command & 1];
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&c->command.value) == command) { /* else done without this thread, and the task may be another's */
      seen = command;
      if (t.active == 0) return 0;
      if (tid < t.active) perform(c, &t, tid);
    }
    atomic_fetch_sub(&c->inside, 1);
  }
}

/* Gives a task to all. Its place is not that of the command before, which threads may be reading. */
static const task *give(pool *c, task t) {
  unsigned command = atomic_load(&c->command.value) + 1;
  atomic_thread_fence(memory_order_seq_cst);
  c->tasks[command & 1] = t;
  set(c, &c->command, command);
  return &c->tasks[command & 1];
}

pool *nabla_create(int threads, int cores) {
  pool *c = aligned_alloc(64, (sizeof(pool) + 63) / 64 * 64);
  claim *claims = aligned_alloc(64, (size_t)threads * sizeof(claim));
  if (c == 0 || claims == 0) return 0;
  *c = (pool){.threads = 1, .spins_freely = threads <= cores, .claims = claims};
  for (int tid = 0; tid < threads; tid++) claims[tid] = (claim){0};
  pthread_mutex_init(&c->lock, 0);
  pthread_cond_init(&c->wake, 0);
  c->handles = calloc((size_t)threads, sizeof(pthread_t));
  for (int tid = 1; tid < threads; tid++) {
    start *s = malloc(sizeof(start));
    *s = (start){c, tid};
    if (pthread_create(&c->handles[tid], 0, follow, s) != 0) { free(s); break; }
    c->threads = tid + 1;
  }
  return c;
}

int nabla_threads(pool *c) { return c->threads; }

void nabla_destroy(pool *c) {
  give(c, (task){.active = 0});
  for (int tid = 1; tid < c->threads; tid++) pthread_join(c->handles[tid], 0);
  free(c->handles);
  free(c->claims);
  free(c);
}

#define LARGE_PAGE ((uintptr_t)2 << 20)
/* Bytes that move into large pages at once: copying them takes a millisecond for each ten megabytes. */
#define MOST_MOVED ((uintptr_t)512 << 20)
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Has the heap lie in large pages, where the system gives them to those who ask: what walks through megabytes then looks up a page's
   address a five-hundredth as often. What has been written to before moves there; where that is too much, the system moves the rest in time. */
void nabla_use_large_pages(char *heap, size_t size) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  char setting[64] = "";
  FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
  if (file == 0) return;
  if (fgets(setting, sizeof(setting), file) == 0) setting[0] = 0;
  fclose(file);
  if (setting[0] == 0 || strstr(setting, "[never]") != 0) return;
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t begin = ((uintptr_t)heap + page - 1) / page * page, end = ((uintptr_t)heap + size) / page * page;
  if (begin >= end || madvise((void *)begin, end - begin, MADV_HUGEPAGE) != 0) return;
  begin = (begin + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
  end = end / LARGE_PAGE * LARGE_PAGE;
  if (end > begin + MOST_MOVED) end = begin + MOST_MOVED;
  if (begin < end) (void)madvise((void *)begin, end - begin, MADV_COLLAPSE); /* older systems do not know it */
#else
  (void)heap, (void)size;
#endif
}

/* Returns when all shares are done, although not all threads need have come. */
void nabla_run(pool *c, const program *p, char *heap, unsigned table, unsigned arena, unsigned scratch, unsigned stride, int active,
               double *profile) {
  c->profile = profile;
  unsigned first = atomic_load(&c->complete.value) + 1;
  task t = {p, heap, (const unsigned *)(heap + table), arena, scratch, stride, first, active < c->threads ? active : c->threads};
  if (t.active > 1) perform(c, give(c, t), 0);
  else p->run(0, p->stages, 0, 1, heap, t.table, arena, heap + scratch, mark, c);
}

/* The program of a library; null, and the reason in error, if it cannot be loaded. */
const program *nabla_open(const char *path, char *error, int size) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const program *found = library == 0 ? 0 : dlsym(library, "program");
  if (found == 0) {
    const char *reason = dlerror();
    snprintf(error, (size_t)size, "%s", reason == 0 ? "it has no program" : reason);
  }
  return found;
}

/* Gives a library back that nabla_open has loaded: once for each time it was opened. A thread that comes late for a run finds a
   task without a program, and one that looks into the program is waited for. */
void nabla_close(pool *c, const char *path) {
  give(c, (task){.active = 1});
  struct timespec moment = {0, 20000};
  while (atomic_load(&c->inside) != 0) nanosleep(&moment, 0);
  void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  if (library == 0) return;
  dlclose(library);
  dlclose(library);
}
`;
