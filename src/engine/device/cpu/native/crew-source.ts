// The threads of the native tier, in C: a crew of POSIX threads that all run the same program and meet at a barrier.
// Thread 0 is the caller. The others spin briefly for the next command, then sleep. Programs are shared libraries that
// export `run` (see emit/c).

export const CREW_SOURCE = `
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__x86_64__) || defined(__i386__)
#define RELAX() __builtin_ia32_pause()
#else
#define RELAX() __asm__ volatile("yield")
#endif

typedef void (*run_fn)(int, int, char *, const unsigned *, unsigned, char *, void (*)(void *), void (*)(void *, int), void *);

typedef struct crew {
  int threads;
  int spins; /* before a thread gives up its core at a barrier */
  pthread_t *handles;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  run_fn run;
  char *heap;
  const unsigned *table;
  unsigned arena, scratch, stride;
  double *profile, begun; /* milliseconds of thread 0 in each kernel */
  /* Each on a cache line of its own. The command is a count and, in its low byte, how many threads take part. */
  _Alignas(64) atomic_uint command;
  _Alignas(64) atomic_int done;
  _Alignas(64) atomic_int sleepers;
  _Alignas(64) atomic_uint arrived;
  _Alignas(64) atomic_uint generation;
  _Alignas(64) int active;
} crew;

typedef struct { crew *crew; int tid; } start;

static double milliseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void barrier(void *sync) {
  crew *c = sync;
  if (c->active == 1) return;
  unsigned generation = atomic_load_explicit(&c->generation, memory_order_acquire);
  if (atomic_fetch_add(&c->arrived, 1) + 1 == (unsigned)c->active) {
    atomic_store_explicit(&c->arrived, 0, memory_order_relaxed);
    atomic_fetch_add(&c->generation, 1);
    return;
  }
  for (int i = 0; atomic_load_explicit(&c->generation, memory_order_acquire) == generation; i++) {
    if (i < c->spins) RELAX();
    else sched_yield();
  }
}

/* Kernel -1: one begins; else kernel k has ended. */
static void mark(void *sync, int kernel) {
  crew *c = sync;
  double now = milliseconds();
  if (kernel >= 0 && c->profile != 0) c->profile[kernel] += now - c->begun;
  c->begun = now;
}

static void perform(crew *c, int tid) {
  c->run(tid, c->active, c->heap, c->table, c->arena, c->heap + c->scratch + (unsigned long)tid * c->stride, barrier, mark, c);
}

static void *follow(void *argument) {
  crew *c = ((start *)argument)->crew;
  int tid = ((start *)argument)->tid;
  free(argument);
  unsigned seen = 0;
  for (;;) {
    double end = milliseconds() + 0.3;
    unsigned command;
    for (int i = 1; (command = atomic_load(&c->command)) == seen; i++) {
      RELAX();
      if ((i & 255) != 0 || milliseconds() < end) continue;
      pthread_mutex_lock(&c->lock);
      atomic_fetch_add(&c->sleepers, 1);
      while (atomic_load(&c->command) == seen) pthread_cond_wait(&c->wake, &c->lock);
      atomic_fetch_sub(&c->sleepers, 1);
      pthread_mutex_unlock(&c->lock);
    }
    seen = command;
    if ((command & 255u) == 0) return 0;
    if (tid >= (int)(command & 255u)) continue;
    perform(c, tid);
    atomic_fetch_add(&c->done, 1);
  }
}

static void give(crew *c, int active) {
  unsigned next = (((atomic_load(&c->command) >> 8) + 1) << 8) | (unsigned)active;
  atomic_store(&c->command, next);
  if (atomic_load(&c->sleepers) == 0) return;
  pthread_mutex_lock(&c->lock);
  pthread_cond_broadcast(&c->wake);
  pthread_mutex_unlock(&c->lock);
}

crew *nabla_create(int threads, int cores) {
  crew *c = aligned_alloc(64, (sizeof(crew) + 63) / 64 * 64);
  if (c == 0) return 0;
  *c = (crew){.threads = 1, .spins = threads > cores ? 100 : 1 << 20};
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

int nabla_threads(crew *c) { return c->threads; }

void nabla_destroy(crew *c) {
  give(c, 0);
  for (int tid = 1; tid < c->threads; tid++) pthread_join(c->handles[tid], 0);
  free(c->handles);
  free(c);
}

void nabla_run(crew *c, void *program, char *heap, unsigned table, unsigned arena, unsigned scratch, unsigned stride, int active,
               double *profile) {
  c->run = (run_fn)program;
  c->heap = heap;
  c->table = (const unsigned *)(heap + table);
  c->arena = arena;
  c->scratch = scratch;
  c->stride = stride;
  c->profile = profile;
  c->active = active < c->threads ? active : c->threads;
  atomic_store(&c->done, 0);
  if (c->active > 1) give(c, c->active);
  perform(c, 0);
  for (int i = 0; atomic_load_explicit(&c->done, memory_order_acquire) != c->active - 1; i++) {
    if (i < c->spins) RELAX();
    else sched_yield();
  }
}

/* The program of a library; null, and the reason in error, if it cannot be loaded. */
void *nabla_open(const char *path, char *error, int size) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  void *program = library == 0 ? 0 : dlsym(library, "run");
  if (program == 0) {
    const char *reason = dlerror();
    snprintf(error, (size_t)size, "%s", reason == 0 ? "it has no program" : reason);
  }
  return program;
}

/* Gives a library back that nabla_open has loaded: once for each time it was opened. */
void nabla_close(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  if (library == 0) return;
  dlclose(library);
  dlclose(library);
}
`;
