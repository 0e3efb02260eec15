// What one thread of the CPU device does: load programs, run its share of them, and wait for the next command.
// Thread 0 leads: it gives a command to all and does its own share; the others follow. They talk through the words of
// control.ts in the shared heap only, so a follower never returns to its event loop.
//
// A program is a list of stages, and each stage has a share for every thread. Stages are counted from the start of the
// device on. A thread claims its share of a stage, does it, and waits until the stage is complete; if it has waited for
// microseconds, it does the shares that nobody has claimed yet, and at last it sleeps. So a thread whose core another
// program has taken holds up nobody unless it is in the middle of a share: when it comes back, it goes on where the others
// are, or with the next command. Who does a share makes no difference to its numbers.
//
// `createThread` is turned into text and started in workers. It must therefore refer to nothing outside itself: no
// imports, no constants of this file, and methods instead of named inner functions (bundlers wrap those in helpers).

import type { Control } from './control.js';

/** Does the share of thread `tid` in the stages from … to − 1. */
type Run = (
  from: number,
  to: number,
  tid: number,
  threads: number,
  table: number,
  arena: number,
  scratch: number,
) => void;

interface LoadedCode {
  readonly run: Run;
  readonly stages: number;
  /** The module's bytes until the followers have them too. */
  bytes: Uint8Array | undefined;
  /** One thread does it all. */
  readonly serial: boolean;
}

/** What a run works with: the number of its first stage, and byte addresses. */
interface Task {
  readonly first: number;
  readonly table: number;
  readonly arena: number;
  readonly scratch: number;
  readonly scratchStride: number;
}

/** Kind, program, and as many more as a run has. */
type Operands = [number, number, number, number, number, number, number];

export interface ThreadOptions {
  readonly memory: WebAssembly.Memory;
  readonly control: Control;
  readonly tid: number;
  readonly threads: number;
  /** How long to spin for the next command before sleeping, if nobody else wants the core; 0: never. */
  readonly spinMilliseconds: number;
  /** Wraps all compiling, see Platform.compiling; `undefined` means: just do it. */
  readonly compiling?: ((work: () => void) => void) | undefined;
}

export type Thread = ReturnType<typeof createThread>;

export function createThread(options: ThreadOptions) {
  const { memory, control: at, tid, threads, spinMilliseconds, compiling } = options;
  const words = new Int32Array(memory.buffer, at.address, at.words);
  const programs = new Map<number, LoadedCode>();
  // Waits that go to sleep without spinning, and how many that were the last time: another program wants this core.
  let shy = 0;
  let shyness = 0;

  return {
    // ------------------------------------------------------------ leading (thread 0)

    /** True once every follower has started; until then the leader works alone. */
    together(): boolean {
      return threads === 1 || Atomics.load(words, at.ready) === threads - 1;
    },

    /** Compiles a program here, and in the followers if they have started, else at its first run with them. */
    load(id: number, bytes: Uint8Array, staging: number): void {
      this.compiling(() => {
        const code = this.instantiate(bytes, threads > 1);
        programs.set(id, code);
        if (this.together() && !code.serial) this.share(id, staging);
      });
    },

    run(id: number, table: number, arena: number, scratch: number, scratchStride: number, staging: number): void {
      const program = programs.get(id)!;
      // A program without a parallel kernel is done sooner than the followers would wake.
      if (threads === 1 || program.serial || Atomics.load(words, at.ready) !== threads - 1) {
        program.run(0, program.stages, 0, 1, table, arena, scratch);
        return;
      }
      if (program.bytes !== undefined) this.compiling(() => this.share(id, staging));
      const first = (Atomics.load(words, at.complete) + 1) | 0;
      const task = { first, table, arena, scratch, scratchStride };
      this.command(at.run, id, first, table, arena, scratch, scratchStride);
      this.perform(program, task);
      if (Atomics.load(words, at.failure) !== 0) throw new Error(this.takeFailure());
    },

    drop(id: number): void {
      const program = programs.get(id);
      programs.delete(id);
      if (program === undefined || program.bytes !== undefined || !this.together() || threads === 1) return;
      this.commandAndWait(at.drop, id);
    },

    /** Hands a program's bytes to the followers through the heap. */
    share(id: number, staging: number): void {
      const program = programs.get(id)!;
      const bytes = program.bytes;
      if (bytes === undefined) return;
      this.bytesAt(staging, bytes.length).set(bytes);
      this.commandAndWait(at.load, id, staging, bytes.length);
      program.bytes = undefined;
    },

    /** Its operands do not lie where those of the command before do, which followers may be reading. */
    command(...operands: number[]): void {
      const next = (Atomics.load(words, at.command) + 1) | 0;
      const place = this.operandsOf(next);
      for (let i = 0; i < operands.length; i++) Atomics.store(words, place + i, operands[i]!);
      this.announce(at.command, next);
    },

    /** A command that every follower carries out itself. */
    commandAndWait(...operands: number[]): void {
      Atomics.store(words, at.done, 0);
      this.command(...operands);
      this.waitUntil(at.done, threads - 1, spinMilliseconds);
      if (Atomics.load(words, at.failure) !== 0) throw new Error(this.takeFailure());
    },

    operandsOf(command: number): number {
      return at.operands + at.line * (command & 1);
    },

    takeFailure(): string {
      const text = new Uint8Array(memory.buffer, at.address + 4 * at.failureText, words[at.failureLength]!).slice();
      Atomics.store(words, at.failure, 0);
      return new TextDecoder().decode(text);
    },

    // ------------------------------------------------------------ following (threads 1, 2, …)

    /** Carries out commands for ever. */
    follow(): void {
      Atomics.add(words, at.ready, 1);
      for (let seen = 0; ;) {
        this.waitUntil(at.command, (seen + 1) | 0, spinMilliseconds);
        const command = Atomics.load(words, at.command);
        const operands = this.readOperands(this.operandsOf(command));
        // Done without this thread, and the operands may already be another's: the next one is there.
        if (Atomics.load(words, at.command) !== command) continue;
        seen = command;
        const [kind, id, first, table, arena, scratch, scratchStride] = operands;
        if (kind === at.run) {
          const program = programs.get(id);
          // Without the program (a failure that was told when it was loaded) the others do this thread's shares.
          if (program !== undefined) this.perform(program, { first, table, arena, scratch, scratchStride });
        } else {
          if (kind === at.load) this.loadStaged(id, operands[2], operands[3]);
          else programs.delete(id);
          // The leader may be at the next command as soon as the number is there: nothing but the addition may write it.
          if (Atomics.add(words, at.done, 1) + 1 === threads - 1) this.wake(at.done);
        }
      }
    },

    readOperands(place: number): Operands {
      const operands: Operands = [0, 0, 0, 0, 0, 0, 0];
      for (let i = 0; i < operands.length; i++) operands[i] = Atomics.load(words, place + i);
      return operands;
    },

    loadStaged(id: number, address: number, byteLength: number): void {
      try {
        const bytes = this.bytesAt(address >>> 0, byteLength).slice();
        programs.set(id, this.instantiate(bytes, false));
      } catch (error) {
        this.reportFailure(`thread ${tid} of ${threads} cannot compile program ${id}: ${String(error)}`);
      }
    },

    // ------------------------------------------------------------ both

    /** Takes part in a program. Stages that the others have done meanwhile are skipped. */
    perform(program: LoadedCode, task: Task): void {
      for (let k = 0; k < program.stages; k++) {
        const stage = (task.first + k) | 0;
        const ahead = (Atomics.load(words, at.complete) - stage) | 0;
        if (ahead >= 0) {
          k += ahead;
          continue;
        }
        this.tryShare(program, task, k, tid);
        if (this.spin(at.complete, stage, at.spins)) continue;
        for (let other = 0; other < threads; other++) this.tryShare(program, task, k, other);
        this.waitUntil(at.complete, stage, Math.min(spinMilliseconds, at.stageMilliseconds));
      }
    },

    /** Does a share of a stage, unless somebody has begun it; whoever does the last one opens the next stage. */
    tryShare(program: LoadedCode, task: Task, k: number, share: number): void {
      const stage = (task.first + k) | 0;
      const claim = at.claims + at.line * share;
      const last = Atomics.load(words, claim);
      if (((last - stage) | 0) >= 0 || Atomics.compareExchange(words, claim, last, stage) !== last) return;
      // A trap must not leave the others waiting for ever: the share counts as done, and the leader throws at the end.
      try {
        const scratch = (task.scratch + share * task.scratchStride) | 0;
        program.run(k, k + 1, share, threads, task.table, task.arena, scratch);
      } catch (error) {
        this.reportFailure(`thread ${share} of ${threads} stopped: ${String(error)}`);
      }
      if (Atomics.add(words, at.arrived, 1) + 1 !== threads) return;
      Atomics.store(words, at.arrived, 0);
      this.announce(at.complete, stage);
    },

    /** Whether a counter reaches a number in so many looks at it. Counters wrap. */
    spin(counter: number, target: number, looks: number): boolean {
      for (let i = 0; i < looks; i++) if (((Atomics.load(words, counter) - target) | 0) >= 0) return true;
      return false;
    },

    /** Sets a counter and wakes who waits for it. */
    announce(counter: number, value: number): void {
      Atomics.store(words, counter, value);
      this.wake(counter);
    },

    wake(counter: number): void {
      if (Atomics.load(words, counter + at.sleepers) !== 0) Atomics.notify(words, counter);
    },

    /**
     * Waits for a counter to reach a number: spins for microseconds, spins on while nobody else wants this core, sleeps.
     * A gap between two looks at the clock says that another program has had the core; the next waits are shorter then.
     */
    waitUntil(counter: number, target: number, patience: number): void {
      if (this.spin(counter, target, at.spins)) return;
      if (shy > 0) shy--;
      else if (patience > 0) {
        let before = performance.now();
        const end = before + patience;
        while (before < end) {
          if (this.spin(counter, target, at.spins)) return;
          const now = performance.now();
          if (now - before > at.takenMilliseconds) break;
          before = now;
        }
        if (before < end) shy = shyness = Math.min(Math.max(2 * shyness, at.leastShy), at.mostShy);
        else shyness = 0;
      }
      // It counts itself as asleep before it looks for the last time: no notification is missed.
      Atomics.add(words, counter + at.sleepers, 1);
      for (let seen; (((seen = Atomics.load(words, counter)) - target) | 0) < 0;) Atomics.wait(words, counter, seen);
      Atomics.sub(words, counter + at.sleepers, 1);
    },

    /** The first failure of a command is kept for the leader. */
    reportFailure(message: string): void {
      if (Atomics.compareExchange(words, at.failure, 0, 1) !== 0) return;
      const room = 4 * at.failureWords;
      const text = new TextEncoder().encode(message).subarray(0, room);
      new Uint8Array(memory.buffer, at.address + 4 * at.failureText, room).set(text);
      words[at.failureLength] = text.length;
      Atomics.store(words, at.failure, 2);
    },

    compiling(work: () => void): void {
      if (compiling) compiling(work);
      else work();
    },

    instantiate(bytes: Uint8Array, keepsBytes: boolean): LoadedCode {
      const code = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
      const { run, stages, serial } = new WebAssembly.Instance(code, { env: { memory } }).exports as {
        readonly run: Run;
        readonly stages: { readonly value: number };
        readonly serial: { readonly value: number };
      };
      return { run, stages: stages.value, serial: serial.value === 1, bytes: keepsBytes ? bytes : undefined };
    },

    /** A view of the heap, which another thread may have grown since this one last looked. */
    bytesAt(address: number, length: number): Uint8Array {
      if (memory.buffer.byteLength < address + length) memory.grow(0); // makes `buffer` cover all of it
      return new Uint8Array(memory.buffer, address, length);
    },
  };
}
