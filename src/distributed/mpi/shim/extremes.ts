// The smallest and largest numbers, in the engine's sense: operations for MPI.
// C, a part of shim-source.ts.

export const EXTREMES = `
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
`;
