// The thread that makes all calls of MPI: it joins the world, takes jobs in their order, and leaves.
// C, a part of shim-source.ts.

export const THREAD = `
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
`;
