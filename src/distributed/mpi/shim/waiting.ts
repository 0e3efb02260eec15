// Waiting, with a reason to stop: a request of MPI is asked again and again until it is done, somebody has died or left, or the time limit has passed.
// C, a part of shim-source.ts.

export const WAITING = `
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

/* Goes on with what a job is made of; says whether all is done, and whether something has come or gone. A code of MPI. */
typedef int question(void *what, int *is_done, int *has_moved);

static int ask_request(void *request, int *is_done, int *has_moved) {
  (void)has_moved;
  return MPI_Test(request, is_done, MPI_STATUS_IGNORE);
}

static int drive(question *ask, void *what, const job *j, long number) {
  double began = now(), looked = began, announced = began, moved = began;
  int has_moved = 0;
  for (long turn = 0;; turn++) {
    int is_done = 0, code = ask(what, &is_done, &has_moved);
    if (code != MPI_SUCCESS) return fault(code, j->label);
    if (is_done) return DONE;
    if ((turn & 15) != 15) continue;
    double t = now();
    if (has_moved) moved = t, has_moved = 0;
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
    /* At full speed while it goes on; then others may want the core; then it is somebody who comes late. */
    int is_pressing = atomic_load(&is_waited_for);
    if (t == moved || t - began < 50e-6 || (is_pressing && t - moved < 50e-6)) continue;
    if (is_pressing && t - moved < 10e-3) sched_yield();
    else usleep(50); /* where nobody waits, this process computes, and needs the core more */
  }
}
`;
