// Who is alive: processes of the job on this machine are watched, and SIGTERM, with which launchers end what a dead rank has left.
// C, a part of shim-source.ts.

export const LIVENESS = `
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
`;
