// Where the threads of the CPU device meet: a small block at the start of the heap, and the meaning of its words.
// Words that different threads write at the same time lie 64 bytes (16 words) apart, on cache lines of their own.
// This is a plain record because it travels to the threads, whose code stands alone (see thread.ts).

export const CONTROL = {
  /** Byte address of the block, words in it, and the first byte behind it. */
  address: 1024,
  words: 368,
  end: 4096,

  // Indices of words.
  command: 0, // counts commands; threads wait for it to change
  sleepers: 16, // threads asleep on `command`
  kind: 32, // what to do: one of the kinds below; then its operands
  program: 33,
  table: 34,
  arena: 35,
  scratch: 36,
  scratchStride: 37,
  bytes: 38,
  byteLength: 39,
  done: 48, // threads that have finished the command
  leaderAsleep: 49,
  trapped: 64, // threads whose kernel trapped, and those of them that need not stand in at barriers any more
  left: 65,
  ready: 66, // threads that have started
  failure: 67, // 1 while a failure is being written, 2 once it can be read
  failureLength: 68, // bytes of UTF-8 text, which begins at word `failureText`
  finished: 69, // messages that the thread driving for a browser page has dealt with
  driverFailed: 70, // 1 while that thread has a failure to report
  arrived: 80, // the barrier inside programs: threads that have arrived, and the number of the barrier
  generation: 81,
  error: 96, // the index error of a kernel: flag, node, index, size
  lateError: 100, // the same of kernels after the last check
  failureText: 112,

  // Kinds of commands.
  run: 1,
  load: 2,
  drop: 3,
} as const;

export type Control = typeof CONTROL;
