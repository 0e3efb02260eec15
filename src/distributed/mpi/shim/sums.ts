// Sums of many numbers: a ring (Patarasuk and Yuan 2009). The numbers are in as many blocks as there are ranks; each block goes once around, and
// every rank adds its own numbers to what comes; then the finished blocks go around. Blocks travel in pieces, so that one piece is added while
// others are under way, from memory that is still in the processor's cache. No collective of MPI for which nobody has to wait does that between two
// ranks, and the order of the sums is always the same.
// C, a part of shim-source.ts.

export const SUMS = `
/* ---- sums of many numbers ---- */

enum { PIECE = 1 << 18, AHEAD = 4 }; /* bytes; pieces that are under way in each direction */
enum { LEAST_BLOCK = 1 << 13 }; /* bytes; below it the ring's 2 (ranks - 1) messages cost more than the tree of MPI */

#define ADD(name, type) \\
  static void name(type *restrict to, const type *restrict from, long count, type share) { \\
    for (long i = 0; i < count; i++) to[i] = (to[i] + from[i]) * share; \\
  }
ADD(add_floats, float)
ADD(add_doubles, double)
ADD(add_ints, unsigned)

#define SCALE(name, type) \\
  static void name(type *to, long count, type share) { \\
    for (long i = 0; i < count; i++) to[i] *= share; \\
  }
SCALE(scale_floats, float)
SCALE(scale_doubles, double)

/* What has come is added, and multiplied where it is the last of all. */
static void add(const job *j, char *to, const char *from, long count, int is_last) {
  double share = is_last && j->combine == MEAN ? 1.0 / size : 1;
  if (j->type == FLOAT32) add_floats((float *)to, (const float *)from, count, share);
  else if (j->type == FLOAT64) add_doubles((double *)to, (const double *)from, count, share);
  else add_ints((unsigned *)to, (const unsigned *)from, count, 1);
}

static void scale(const job *j) {
  if (j->combine != MEAN) return;
  if (j->type == FLOAT32) scale_floats(j->out, j->count, 1.0 / size);
  else if (j->type == FLOAT64) scale_doubles(j->out, j->count, 1.0 / size);
}

/* Messages in either direction are numbered: piece k of block after block. The first ranks - 1 blocks are added, the others are finished. */
typedef struct {
  const job *j;
  MPI_Datatype type;
  int width;
  long pieces, added, all; /* messages: of a block, of those that are added, of all */
  long posted, received, sent, gone; /* receives posted and done, sends posted and done */
  MPI_Request coming[AHEAD], going[AHEAD];
} ring_sum;

static char *arrivals; /* AHEAD pieces */

/* Where message \`number\` lies in the numbers, if it belongs to the block that is \`back\` before this rank's in message 0. */
static char *piece_of(const ring_sum *s, long number, int back, int *count) {
  long step = number / s->pieces, most = PIECE / s->width;
  long block = ((rank - back - step) % size + size) % size;
  long small = s->j->count / size, larger = s->j->count % size;
  long first = block * small + (block < larger ? block : larger), length = small + (block < larger);
  long at = number % s->pieces * most;
  *count = at >= length ? 0 : length - at < most ? length - at : most;
  return (char *)s->j->out + (first + (at < length ? at : length)) * s->width;
}

static int is_ring(const job *j) {
  int width = j->type == FLOAT64 ? 8 : 4;
  return j->kind == ALL_REDUCE && (j->combine == SUM || j->combine == MEAN) && j->type != BYTE && size > 1 &&
         (long)j->count / size * width >= LEAST_BLOCK;
}

static void begin_ring(ring_sum *s, const job *j, MPI_Datatype type) {
  *s = (ring_sum){.j = j, .type = type, .width = j->type == FLOAT64 ? 8 : 4};
  long block = (j->count + size - 1) / size, most = PIECE / s->width;
  s->pieces = (block + most - 1) / most;
  s->added = (size - 1) * s->pieces;
  s->all = 2 * s->added;
  if (arrivals == 0) arrivals = malloc((size_t)AHEAD * PIECE);
}

/* What can be done now; a code of MPI. */
static int ask_ring(void *what, int *is_done, int *has_moved) {
  ring_sum *s = what;
  int code = MPI_SUCCESS, count = 0, is_there = 0;
  /* A finished block is written over numbers of this rank: those must have left before. */
  while (s->posted < s->all && s->posted < s->received + AHEAD && s->posted - s->added < s->gone) {
    long n = s->posted++;
    char *to = piece_of(s, n, 1, &count);
    if (n < s->added) to = arrivals + n % AHEAD * PIECE;
    code = MPI_Irecv(to, count, s->type, (rank + size - 1) % size, 2, world, &s->coming[n % AHEAD]);
    if (code != MPI_SUCCESS) return code;
  }
  /* All but those of the first block have to come, and to be added, before they go on. */
  while (s->sent < s->all && s->sent < s->gone + AHEAD && s->sent < s->received + s->pieces) {
    long n = s->sent++;
    char *from = piece_of(s, n, 0, &count);
    code = MPI_Isend(from, count, s->type, (rank + 1) % size, 2, world, &s->going[n % AHEAD]);
    if (code != MPI_SUCCESS) return code;
    *has_moved = 1;
  }
  if (s->received < s->posted) {
    code = MPI_Test(&s->coming[s->received % AHEAD], &is_there, MPI_STATUS_IGNORE);
    if (code != MPI_SUCCESS) return code;
    if (is_there) {
      long n = s->received++;
      char *to = piece_of(s, n, 1, &count);
      if (n < s->added) add(s->j, to, arrivals + n % AHEAD * PIECE, count, n >= s->added - s->pieces);
      *has_moved = 1;
    }
  }
  if (s->gone < s->sent) {
    code = MPI_Test(&s->going[s->gone % AHEAD], &is_there, MPI_STATUS_IGNORE);
    if (code != MPI_SUCCESS) return code;
    if (is_there) s->gone++, *has_moved = 1;
  }
  *is_done = s->received == s->all && s->gone == s->all;
  return MPI_SUCCESS;
}
`;
