// What one thread of the CPU device does: load programs, run its share of them, and wait for the next command.
// Thread 0 leads: it gives a command to all, does its own share, and waits for the others to finish; the others follow.
// They talk through the words of control.ts in the shared heap only, so a follower never returns to its event loop.
//
// `createThread` is turned into text and started in workers. It must therefore refer to nothing outside itself: no
// imports, no constants of this file, and methods instead of named inner functions (bundlers wrap those in helpers).

import type { Control } from './control.js';

type Run = (tid: number, threads: number, table: number, arena: number, scratch: number, sync: number) => void;

interface LoadedCode {
  readonly run: Run;
  /** The module's bytes until the followers have them too. */
  bytes: Uint8Array | undefined;
  /** One thread does it all. */
  serial: boolean;
}

export interface ThreadOptions {
  readonly memory: WebAssembly.Memory;
  readonly control: Control;
  readonly tid: number;
  readonly threads: number;
  /** How long to spin before sleeping. */
  readonly spinMilliseconds: number;
  /** Wraps all compiling, see Platform.compiling; `undefined` means: just do it. */
  readonly compiling?: ((work: () => void) => void) | undefined;
}

export type Thread = ReturnType<typeof createThread>;

export function createThread(options: ThreadOptions) {
  const { memory, control: at, tid, threads, spinMilliseconds, compiling } = options;
  const words = new Int32Array(memory.buffer, at.address, at.words);
  const syncAddress = at.address + 4 * at.arrived;
  const programs = new Map<number, LoadedCode>();

  return {
    // ------------------------------------------------------------ leading (thread 0)

    /** True once every follower has started; until then the leader works alone. */
    together(): boolean {
      return threads === 1 || Atomics.load(words, at.ready) === threads - 1;
    },

    /** Compiles a program here, and in the followers if they have started, else at its first run with them. */
    load(id: number, bytes: Uint8Array, staging: number): void {
      this.compiling(() => {
        const { run, serial } = this.instantiate(bytes);
        programs.set(id, { run, bytes: threads > 1 ? bytes : undefined, serial: serial !== undefined });
        if (this.together() && serial === undefined) this.share(id, staging);
      });
    },

    run(id: number, table: number, arena: number, scratch: number, scratchStride: number, staging: number): void {
      const program = programs.get(id)!;
      // A program without a parallel kernel is done sooner than the followers would wake.
      if (threads === 1 || program.serial || Atomics.load(words, at.ready) !== threads - 1) {
        program.run(0, 1, table, arena, scratch, syncAddress);
        return;
      }
      if (program.bytes !== undefined) this.compiling(() => this.share(id, staging));
      words[at.program] = id;
      words[at.table] = table;
      words[at.arena] = arena;
      words[at.scratch] = scratch;
      words[at.scratchStride] = scratchStride;
      this.command(at.run);
      this.perform(program.run, table, arena, scratch);
      this.join();
    },

    drop(id: number): void {
      const program = programs.get(id);
      programs.delete(id);
      if (program === undefined || program.bytes !== undefined || !this.together() || threads === 1) return;
      words[at.program] = id;
      this.command(at.drop);
      Atomics.add(words, at.done, 1);
      this.join();
    },

    /** Hands a program's bytes to the followers through the heap. */
    share(id: number, staging: number): void {
      const program = programs.get(id)!;
      const bytes = program.bytes;
      if (bytes === undefined) return;
      this.bytesAt(staging, bytes.length).set(bytes);
      words[at.program] = id;
      words[at.bytes] = staging;
      words[at.byteLength] = bytes.length;
      this.command(at.load);
      Atomics.add(words, at.done, 1);
      this.join();
      program.bytes = undefined;
    },

    command(kind: number): void {
      words[at.kind] = kind;
      words[at.done] = 0;
      words[at.trapped] = 0;
      words[at.left] = 0;
      words[at.arrived] = 0;
      Atomics.add(words, at.command, 1);
      // A follower counts itself as asleep before it looks at `command` for the last time: none is missed.
      if (Atomics.load(words, at.sleepers) !== 0) Atomics.notify(words, at.command);
    },

    /** Waits until all threads are done with the command; throws if one of them failed. */
    join(): void {
      const end = performance.now() + spinMilliseconds;
      for (let i = 1; !this.allDone(); i++) {
        if ((i & 255) !== 0 || performance.now() < end) continue;
        Atomics.store(words, at.leaderAsleep, 1);
        const done = Atomics.load(words, at.done);
        // The time limit covers the gap between looking at `left` and falling asleep.
        if (!this.allDone()) Atomics.wait(words, at.done, done, 10);
        Atomics.store(words, at.leaderAsleep, 0);
      }
      if (Atomics.load(words, at.failure) !== 0) throw new Error(this.takeFailure());
    },

    allDone(): boolean {
      return Atomics.load(words, at.done) + Atomics.load(words, at.left) === threads;
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
      for (let seen = 0; ; seen++) {
        this.waitForCommand(seen);
        const id = words[at.program]!;
        if (words[at.kind] === at.run) {
          const scratch = words[at.scratch]! + tid * words[at.scratchStride]!;
          this.perform(programs.get(id)?.run, words[at.table]!, words[at.arena]!, scratch);
        } else {
          if (words[at.kind] === at.load) this.loadStaged(id);
          else programs.delete(id);
          Atomics.add(words, at.done, 1);
        }
        if (Atomics.load(words, at.leaderAsleep) !== 0) Atomics.notify(words, at.done);
      }
    },

    waitForCommand(seen: number): void {
      const end = performance.now() + spinMilliseconds;
      for (let i = 1; Atomics.load(words, at.command) === seen; i++) {
        if ((i & 255) !== 0 || performance.now() < end) continue;
        Atomics.add(words, at.sleepers, 1);
        Atomics.wait(words, at.command, seen);
        Atomics.sub(words, at.sleepers, 1);
      }
    },

    loadStaged(id: number): void {
      try {
        const bytes = this.bytesAt(words[at.bytes]! >>> 0, words[at.byteLength]!).slice();
        programs.set(id, { run: this.instantiate(bytes).run, bytes: undefined, serial: false });
      } catch (error) {
        this.reportFailure(`thread ${tid} of ${threads} cannot compile program ${id}: ${String(error)}`);
      }
    },

    // ------------------------------------------------------------ both

    /** This thread's share of a program. A trap must not leave the others waiting at a barrier for ever. */
    perform(run: Run | undefined, table: number, arena: number, scratch: number): void {
      try {
        if (run === undefined) throw new Error('the program is not loaded');
        run(tid, threads, table, arena, scratch, syncAddress);
        Atomics.add(words, at.done, 1);
      } catch (error) {
        this.reportFailure(`thread ${tid} of ${threads} stopped: ${String(error)}`);
        Atomics.add(words, at.trapped, 1);
        this.standInAtBarriers();
        Atomics.add(words, at.left, 1);
      }
    },

    /** Arrives at the barriers of the running program, doing nothing between them, until the other threads are done. */
    standInAtBarriers(): void {
      while (!this.othersDone()) {
        const generation = Atomics.load(words, at.generation);
        if (Atomics.add(words, at.arrived, 1) + 1 === threads) {
          Atomics.store(words, at.arrived, 0);
          Atomics.add(words, at.generation, 1);
          Atomics.notify(words, at.generation);
        } else {
          while (Atomics.load(words, at.generation) === generation && !this.othersDone());
        }
      }
    },

    othersDone(): boolean {
      return Atomics.load(words, at.done) + Atomics.load(words, at.trapped) >= threads;
    },

    /** The first failure of a command is kept for the leader. */
    reportFailure(message: string): void {
      if (Atomics.compareExchange(words, at.failure, 0, 1) !== 0) return;
      const room = 4 * (at.words - at.failureText);
      const text = new TextEncoder().encode(message).subarray(0, room);
      new Uint8Array(memory.buffer, at.address + 4 * at.failureText, room).set(text);
      words[at.failureLength] = text.length;
      Atomics.store(words, at.failure, 2);
    },

    compiling(work: () => void): void {
      if (compiling) compiling(work);
      else work();
    },

    instantiate(bytes: Uint8Array): { readonly run: Run; readonly serial?: unknown } {
      const code = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
      return new WebAssembly.Instance(code, { env: { memory } }).exports as { run: Run; serial?: unknown };
    },

    /** A view of the heap, which another thread may have grown since this one last looked. */
    bytesAt(address: number, length: number): Uint8Array {
      if (memory.buffer.byteLength < address + length) memory.grow(0); // makes `buffer` cover all of it
      return new Uint8Array(memory.buffer, address, length);
    },
  };
}
