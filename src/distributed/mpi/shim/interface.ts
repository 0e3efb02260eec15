// What JavaScript calls: starting jobs, waiting for them, and how the process ends.
// C, a part of shim-source.ts.

export const INTERFACE = `
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
