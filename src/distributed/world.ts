// The processes that compute together, and their collective calls. Each call is made by all of them, in the same order; it first
// compares what it is asked (kind, dtype, shape, way of combining), so that processes that differ are told so instead of adding up
// what does not belong together.
// Values in and out (values.ts); bytes go over a Transport. It must not know models.

import { ArgumentError, type OptionNames, checkChoice, checkNumber, checkOptions } from '../tensor/library.js';
import type { AnyTensor } from '../tensor/tensor.js';
import { digestOf } from './digest.js';
import { shareCores } from './cores.js';
import { DistributedError } from './error.js';
import { identity } from './identity.js';
import { findLaunch } from './mpi/find.js';
import { MpiTransport } from './mpi/library.js';
import { AloneTransport, type Job, type Transport } from './transport.js';
import {
  type Combination,
  type Exchangeable,
  type HostArray,
  type Packet,
  arrayLike,
  bytesOf,
  checkCombination,
  checkRank,
  elementOf,
  narrow,
  packetOf,
  wide,
} from './values.js';

export interface InitOptions {
  /**
   * Seconds that a collective call waits for the other processes before it names who has not come. Default 600, or what NABLA_MPI_TIMEOUT
   * says.
   */
  readonly timeout?: number;
}

const INIT_OPTIONS: OptionNames<InitOptions> = { timeout: true };
const DEFAULT_TIMEOUT = 600;
const COMBINATIONS: readonly Combination[] = ['sum', 'mean', 'min', 'max'];

let opened: World | undefined;

/**
 * Joins the processes that were started together, by `mpirun`, `srun` or any other launcher of MPI; a process that was started alone is a
 * world of one, and needs no MPI. Later calls give the same world. The program ends when all processes have come to their end; one that
 * ends with an error ends the others, too. PyTorch: torch.distributed.init_process_group.
 *
 *     const world = await init();
 *     const total = await world.allReduce(world.rank);   // 0 + 1 + … on every process
 *
 * Throws DistributedError where there is no MPI or no C compiler, and says what to install.
 */
export async function init(options: InitOptions = {}): Promise<World> {
  checkOptions('init', options, INIT_OPTIONS);
  const limit = timeLimit(options.timeout);
  if (opened !== undefined) {
    if (options.timeout !== undefined) opened.transport.setTimeLimit(limit);
    return opened;
  }
  const launch = findLaunch();
  const isAlone = launch === undefined || launch.size === 1;
  const transport = isAlone ? new AloneTransport() : new MpiTransport(limit);
  opened = new World(transport);
  if (!isAlone) endTogether(transport);
  opened.agree('init', identity());
  if (!isAlone) shareCores(opened.rank, (value) => (opened as World).exchange(value));
  return opened;
}

function timeLimit(given: number | undefined): number {
  const { NABLA_MPI_TIMEOUT: text } = process.env;
  const seconds = given ?? (text === undefined || text === '' ? DEFAULT_TIMEOUT : Number(text));
  checkNumber('init', given === undefined ? 'NABLA_MPI_TIMEOUT' : 'timeout', seconds);
  if (!(seconds > 0)) throw new ArgumentError(`init: timeout is ${seconds}. Use a number of seconds above 0.`);
  return seconds;
}

/** A process that ends well waits for the others; one that fails ends them. */
function endTogether(transport: Transport): void {
  process.once('exit', (code) => {
    if (code !== 0) return transport.abort(code);
    try {
      transport.close();
    } catch (error) {
      process.stderr.write(`nabla: ${(error as Error).message}\n`);
      transport.abort(1);
    }
  });
}

/** Ends once all processes are known to ask for what the label says. */
type Same = (label: string) => Promise<string>;

/** The processes that compute together. Made by `init`. */
export class World {
  /** This process, counted from 0. */
  readonly rank: number;
  /** How many processes there are. */
  readonly worldSize: number;
  /** What carries the numbers: `Open MPI 4.1.4`. */
  readonly transport: Transport;
  private turn: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /** @internal Use `init`. */
  constructor(transport: Transport) {
    this.transport = transport;
    this.rank = transport.rank;
    this.worldSize = transport.size;
  }

  /** Seconds that this process has waited for others in training steps so far. */
  get secondsWaited(): number {
    return this.transport.secondsWaited;
  }

  /** Ends when all processes have called it. */
  async barrier(): Promise<void> {
    await this.inTurn('barrier', async (same) => {
      await this.send({ kind: 'barrier', count: 0, element: 'byte', label: await same('barrier') });
    });
  }

  /**
   * The sum (or 'mean', 'min', 'max') over all processes of what each gives, on every process: tensors of one shape and dtype, typed arrays or
   * lists of one length, or numbers. Sums of float16 and bfloat16 are made in float32 and rounded once. No gradient flows. Throws
   * DTypeError for the mean of whole numbers and the sum of bool, DistributedError where processes give different things. PyTorch: all_reduce.
   */
  async allReduce<T extends Exchangeable>(value: T, combination: Combination = 'sum'): Promise<Result<T>> {
    checkChoice('allReduce', 'the combination', combination, COMBINATIONS);
    return this.exchanged('allReduce', value, async (packet, same) => {
      checkCombination('allReduce', combination, packet.dtype);
      const label = await same(`allReduce (${combination}) of ${packet.text}`);
      const sums = wide(packet.numbers);
      await this.send(reduction('allReduce', sums, combination, label));
      return resultOf(packet, narrow(averaged(sums, combination, this.worldSize), packet.numbers), packet.shape);
    });
  }

  /** What process `root` gives, on every process; the others give something of the same shape and dtype. PyTorch: broadcast. */
  async broadcast<T extends Exchangeable>(value: T, root = 0): Promise<Result<T>> {
    checkRank('broadcast', root, this.worldSize);
    return this.exchanged('broadcast', value, async (packet, same) => {
      const { numbers } = packet;
      await this.sendFrom(numbers, root, await same(`broadcast from rank ${root} of ${packet.text}`));
      return resultOf(packet, numbers, packet.shape);
    });
  }

  /** What each process gives, in the order of their ranks, on every process. PyTorch: all_gather. */
  async allGather<T extends Exchangeable>(value: T): Promise<Result<T>[]> {
    return this.exchanged('allGather', value, async (packet, same) => {
      return this.split(
        packet,
        await this.collect(packet.numbers, undefined, await same(`allGather of ${packet.text}`)),
      );
    });
  }

  /** What each process gives, on process `root`; undefined on the others. PyTorch: gather. */
  async gather<T extends Exchangeable>(value: T, root = 0): Promise<Result<T>[] | undefined> {
    checkRank('gather', root, this.worldSize);
    return this.exchanged('gather', value, async (packet, same) => {
      const all = await this.collect(packet.numbers, root, await same(`gather to rank ${root} of ${packet.text}`));
      return this.rank === root ? this.split(packet, all) : undefined;
    });
  }

  /**
   * The sum (or 'mean', 'min', 'max') over all processes, of which each gets one part: of rows 0 to n − 1 of `worldSize` · n the first process
   * gets the first n / `worldSize`. Throws ArgumentError where the first size cannot be divided. PyTorch: reduce_scatter.
   */
  async reduceScatter<T extends Exclude<Exchangeable, number>>(
    value: T,
    combination: Combination = 'sum',
  ): Promise<Result<T>> {
    checkChoice('reduceScatter', 'the combination', combination, COMBINATIONS);
    return this.exchanged('reduceScatter', value, async (packet, same) => {
      const { worldSize } = this;
      const [rows, ...rest] = packet.shape;
      if (packet.dtype === 'number' || rows === undefined || rows % worldSize !== 0)
        throw new ArgumentError(
          `reduceScatter: ${packet.text} cannot be divided among ${worldSize} processes. Give a first size that is a multiple of ${worldSize}.`,
        );
      checkCombination('reduceScatter', combination, packet.dtype);
      const label = await same(`reduceScatter (${combination}) of ${packet.text}`);
      const input = wide(packet.numbers);
      const own = arrayLike(input, input.length / worldSize);
      const { kind, element, combine } = reduction('reduceScatter', input, combination, label);
      await this.send({
        kind,
        input: bytesOf(input),
        out: bytesOf(own),
        count: own.length,
        element,
        combine,
        label,
      });
      const numbers = narrow(averaged(own, combination, worldSize), packet.numbers);
      return resultOf(packet, numbers, [rows / worldSize, ...rest]);
    });
  }

  /** Said besides when the job ends before its time, on the process that says why: how to go on. */
  hint(text: string): void {
    this.hasHint = text !== '';
    this.transport.hint(text);
  }

  // -------------------------------------------------------------- for the library

  /** What goes through the model now stands in for samples that this process has not: it is to count nowhere. */
  standsIn = false;

  /** Somebody has said how to go on. */
  hasHint = false;

  /**
   * Compares what processes hold to be true, by name; throws DistributedError on all of them that names the first difference. Nothing but a
   * digest travels where they agree.
   */
  agree(op: string, facts: Readonly<Record<string, string>>): void {
    if (this.worldSize === 1) return;
    const most = digestPair(JSON.stringify(facts));
    this.now(comparison(most, op));
    if (most[0] === -most[1]) return;
    const all = this.exchange(facts) as Record<string, string>[];
    const names = [...new Set(all.flatMap((one) => Object.keys(one)))];
    const name = names.find((n) => all.some((one) => one[n] !== all[0][n])) ?? names[0];
    throw new DistributedError(
      `${op}: the processes differ in ${name}: ${told(all.map((one) => one[name]))}.`,
      this.rank,
    );
  }

  /** Plain JSON of each process, on every process. */
  exchange(value: unknown): unknown[] {
    const bytes = new TextEncoder().encode(JSON.stringify(value) ?? 'null');
    return this.exchangeArrays(bytes, 'exchange').map((part) => JSON.parse(new TextDecoder().decode(part)));
  }

  /** Arrays of one kind, of any lengths, of each process on every process, or on `root` alone. */
  exchangeArrays<A extends HostArray>(own: A, label: string, root?: number): A[] {
    const { worldSize } = this;
    const lengths = new Int32Array(worldSize);
    this.now(collection(Int32Array.of(own.length), lengths, new Int32Array(worldSize).fill(1), `${label}: lengths`));
    const isHere = root === undefined || root === this.rank;
    const all = arrayLike(own, isHere ? lengths.reduce((sum, n) => sum + n, 0) : 0);
    this.now(collection(own, all, lengths, label, root));
    let at = 0;
    // Parts of an array are of its own kind.
    return isHere ? Array.from(lengths, (length) => all.slice(at, (at += length)) as A) : [];
  }

  /** Plain JSON of process `root`, on every process; the others give anything. */
  tell<T>(value: T, root = 0): T {
    if (this.worldSize === 1) return value;
    return this.exchange(this.rank === root ? (value ?? null) : null)[root] as T;
  }

  /** Combines the numbers of all processes in place. */
  combine(numbers: HostArray, combine: 'sum' | 'min' | 'max', label: string): void {
    this.now({ ...reduction('allReduce', numbers, combine, label) });
  }

  /**
   * A job that is done when this returns: for what goes on in a training step. Throws DistributedError while a collective call has not been
   * awaited, since processes could then meet in different jobs.
   */
  now(job: Job): void {
    if (this.worldSize === 1) return void this.transport.start(job);
    this.checkIdle(job.label);
    this.transport.wait(this.transport.start(job));
  }

  /** Throws DistributedError while a collective call has not been awaited. */
  checkIdle(op: string): void {
    if (this.waiting === 0) return;
    throw new DistributedError(
      `${op}: another collective call is under way. Await it before the training step.`,
      this.rank,
    );
  }

  // -------------------------------------------------------------- the jobs

  /**
   * Calls do their work one after the other, in the order in which they were made: a call takes its turn when it is made, not when its
   * value has been read, which takes longer on one process than on another. `same` ends once all processes are known to ask for what the
   * label says, and gives it back.
   */
  private inTurn<R>(op: string, body: (same: Same) => Promise<R>): Promise<R> {
    const same: Same = async (label) => {
      if (await this.isSameNow(label)) return label;
      throw new DistributedError(
        `${op}: the processes call different things: ${told(await this.labels(label))}.`,
        this.rank,
      );
    };
    this.waiting++;
    const result = this.turn.then(() => body(same)).finally(() => this.waiting--);
    this.turn = result.catch(() => {});
    return result;
  }

  /** The value is read as it is now. */
  private exchanged<T extends Exchangeable, R>(
    op: string,
    value: T,
    body: (packet: Packet<T>, same: Same) => Promise<R>,
  ): Promise<R> {
    const reading = packetOf(op, value);
    reading.catch(() => {}); // it is thrown when the turn comes
    return this.inTurn(op, async (same) => body(await reading, same));
  }

  private async isSameNow(label: string): Promise<boolean> {
    if (this.worldSize === 1) return true;
    const most = digestPair(label);
    await this.send(comparison(most, label));
    return most[0] === -most[1];
  }

  private async labels(label: string): Promise<string[]> {
    const WIDTH = 160;
    const own = new Uint8Array(WIDTH);
    new TextEncoder().encodeInto(label, own);
    const all = await this.collect(own, undefined, 'what the processes ask for');
    return Array.from({ length: this.worldSize }, (_, r) => {
      const text = new TextDecoder().decode((all as Uint8Array).slice(r * WIDTH, (r + 1) * WIDTH));
      return text.replace(/\0+$/, '');
    });
  }

  private async send(job: Job): Promise<void> {
    await this.transport.waitAsync(this.transport.start(job));
  }

  /** In parts that MPI can count. */
  private async sendFrom(numbers: HostArray, root: number, label: string): Promise<void> {
    const bytes = bytesOf(numbers);
    const PART = 1 << 30;
    for (let at = 0; at === 0 || at < bytes.length; at += PART) {
      const out = bytes.subarray(at, at + PART);
      await this.send({ kind: 'broadcast', out, count: out.length, element: 'byte', root, label });
    }
  }

  private async collect(own: HostArray, root: number | undefined, label: string): Promise<HostArray> {
    const all = arrayLike(own, root === undefined || root === this.rank ? own.length * this.worldSize : 0);
    await this.send(collection(own, all, new Int32Array(this.worldSize).fill(own.length), label, root));
    return all;
  }

  private split<T extends Exchangeable>(packet: Packet<T>, all: HostArray): Result<T>[] {
    const { length } = packet.numbers;
    return Array.from({ length: this.worldSize }, (_, r) =>
      resultOf(packet, all.slice(r * length, (r + 1) * length), packet.shape),
    );
  }
}

/** What comes back for a value: a tensor of its own shape and dtype, an array of the same kind, a list, a number. */
export type Result<T> = T extends AnyTensor
  ? T
  : T extends Float32Array
    ? Float32Array
    : T extends Float64Array
      ? Float64Array
      : T extends Int32Array
        ? Int32Array
        : T extends Uint8Array
          ? Uint8Array
          : T extends number
            ? number
            : number[];

/** `rebuild` gives what its packet was made of, which is what Result says. */
const resultOf = <T extends Exchangeable>(packet: Packet<T>, numbers: HostArray, shape: readonly number[]): Result<T> =>
  packet.rebuild(numbers, shape) as unknown as Result<T>;

function reduction(kind: 'allReduce' | 'reduceScatter', out: HostArray, combination: Combination, label: string): Job {
  const combine = combination === 'mean' ? 'sum' : combination;
  return { kind, out: bytesOf(out), count: out.length, element: elementOf(out), combine, label };
}

function averaged(numbers: HostArray, combination: Combination, count: number): HostArray {
  if (combination === 'mean') for (let i = 0; i < numbers.length; i++) numbers[i] /= count;
  return numbers;
}

/** Numbers of all processes side by side. */
function collection(own: HostArray, all: HostArray, counts: Int32Array, label: string, root?: number): Job {
  const kind = root === undefined ? 'allGather' : 'gather';
  const input = bytesOf(own);
  return { kind, input, out: bytesOf(all), count: own.length, counts, element: elementOf(own), root, label };
}

/** Two numbers of which all processes make the largest: they then tell whether all had the same text. */
function digestPair(text: string): Int32Array {
  const digest = digestOf(text);
  return Int32Array.of(digest, -digest);
}

const comparison = (most: Int32Array, label: string): Job => ({
  kind: 'allReduce',
  out: bytesOf(most),
  count: 2,
  element: 'int32',
  combine: 'max',
  label,
});

/** Which rank says what: `rank 0: a; ranks 1, 2: b`. */
function told(texts: readonly (string | undefined)[]): string {
  const ranks = new Map<string, number[]>();
  texts.forEach((text, r) => {
    const key = text ?? 'nothing';
    ranks.set(key, [...(ranks.get(key) ?? []), r]);
  });
  return [...ranks].map(([text, list]) => `rank${list.length > 1 ? 's' : ''} ${list.join(', ')}: ${text}`).join('; ');
}
