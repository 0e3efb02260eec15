// Where the threads of the CPU device meet: a small block at the start of the heap, and the meaning of its words.
// Words that different threads write at the same time lie 64 bytes (16 words) apart, on cache lines of their own.
// This is a plain record because it travels to the threads, whose code stands alone (see thread.ts).

export const CONTROL = {
  /** Byte address of the block, words in it, and the first byte behind it. */
  address: 1024,
  words: 4480,
  end: 20480,
  /** Words of a cache line; what it takes from a counter that threads wait for to the number of those asleep on it. */
  line: 16,
  sleepers: 16,

  // Indices of words.
  command: 0, // counts commands; followers wait for it
  complete: 32, // counts stages that all shares are done of; threads wait for it
  done: 64, // followers that have carried out a command that each of them has to
  arrived: 96, // shares of the current stage that are done
  operands: 112, // of the even commands, and a line later of the odd ones: kind, program, then those of the kind
  ready: 144, // threads that have started
  failure: 145, // 1 while a failure is being written, 2 once it can be read
  failureLength: 146, // bytes of UTF-8 text, which begins at word `failureText`
  finished: 147, // messages that the thread driving for a browser page has dealt with
  driverFailed: 148, // 1 while that thread has a failure to report
  error: 152, // the index error of a kernel: flag, node, index, size; then the same of kernels after the last check
  lateError: 156,
  failureText: 160,
  failureWords: 200,
  claims: 384, // a line for each thread: the last stage in which its share has been begun

  // Kinds of commands.
  run: 1, // first stage, table, arena, scratch, scratch stride
  load: 2, // address and length of the bytes
  drop: 3,

  // How threads wait (see thread.ts).
  spins: 1000, // looks before anything else: some microseconds
  stageMilliseconds: 0.1, // spinning for the end of a stage, if nobody else wants the core
  takenMilliseconds: 0.1, // a longer gap between looks: another program has had the core
  leastShy: 64, // so many waits do not spin after that, twice as many each time
  mostShy: 4096,
} as const;

export type Control = typeof CONTROL;
