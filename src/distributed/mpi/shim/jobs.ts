// What each kind of job is in MPI: the non-blocking collective, which is then waited for, or a ring of messages (sums.ts).
// C, a part of shim-source.ts.

export const JOBS = `
static int perform(const job *j, long number) {
  static const MPI_Datatype *types[4];
  static MPI_Datatype byte = MPI_BYTE, int32 = MPI_INT32_T, float32 = MPI_FLOAT, float64 = MPI_DOUBLE;
  types[0] = &byte, types[1] = &int32, types[2] = &float32, types[3] = &float64;
  MPI_Datatype type = *types[j->type];
  MPI_Op combine = j->combine == LEAST ? smallest : j->combine == MOST ? largest : MPI_SUM;
  if (is_ring(j)) {
    ring_sum ring;
    begin_ring(&ring, j, type);
    return drive(ask_ring, &ring, j, number);
  }
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
  int how = drive(ask_request, &request, j, number);
  if (how == DONE) scale(j);
  return how;
}
`;
