// A genetic algorithm: a population of numbers or of bit strings is selected by tournaments, crossed and mutated (Goldberg 1989; blends of
// numbers by Eshelman and Schaffer 1993). All members of a generation are evaluated by one program.

import { tensor } from '../../tensor/creation.js';
import { HostRandom, nextHostRandom } from '../../tensor/host-random.js';
import {
  ArgumentError,
  checkFunction,
  checkGiven,
  checkList,
  checkNumber,
  checkNumbers,
  checkOptions,
  checkWhole,
  type OptionNames,
} from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { checkSignal } from '../minimize/search.js';
import { valuesOfRows } from './each-row.js';

export interface GeneticOptions {
  /** Members of a generation. Default 100. */
  readonly population?: number;
  /** Default 200. */
  readonly generations?: number;
  /** The best members, which go on unchanged. Default 2. */
  readonly elite?: number;
  /** Members that a tournament chooses from: the more, the harder the selection. Default 3. */
  readonly tournament?: number;
  /** The part of members that have two parents. Default 0.9. */
  readonly crossover?: number;
  /** The part of genes that change. Default one gene of each member. */
  readonly mutation?: number;
  /** A cost that is good enough. Default: none is. */
  readonly target?: number;
  /** Generations without a lower cost after which it ends. Default 50. */
  readonly patience?: number;
  /** Default: drawn from the generator of `manualSeed`. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

const GENETIC_OPTIONS: OptionNames<GeneticOptions> = {
  population: true,
  generations: true,
  elite: true,
  tournament: true,
  crossover: true,
  mutation: true,
  target: true,
  patience: true,
  seed: true,
  signal: true,
};

export interface GeneticResult {
  /** The best member that was met: its genes, float64. */
  readonly x: Tensor<[number], 'float64'>;
  readonly value: number;
  readonly generations: number;
  /** Members evaluated. */
  readonly evaluations: number;
  /** `patience`: no lower cost for so many generations; `not-finite`: no member of the first generation has a finite cost. */
  readonly reason: 'generations' | 'patience' | 'target' | 'aborted' | 'not-finite';
  readonly history: readonly { readonly generation: number; readonly best: number; readonly mean: number }[];
}

/** What is done to genes of a kind. */
interface Kind {
  readonly genes: number;
  create(random: HostRandom): Float64Array;
  cross(a: Float64Array, b: Float64Array, random: HostRandom): Float64Array;
  /** `progress` goes from 0 to 1 over the run. */
  mutate(member: Float64Array, rate: number, progress: number, random: HostRandom): void;
}

type Cost = (members: Tensor<[number, number], 'float64'>) => AnyTensor;

/**
 * Numbers within bounds that make a cost small. The cost takes a float64 tensor [members, genes] and returns [members], a number for each row;
 * members whose cost is NaN or ∞ have no offspring. `bounds` are [low, high] for each gene. Throws ArgumentError for bounds and costs that are no such.
 *
 *     const { x } = await evolve((p) => p.square().sum(1), [[-5, 5], [-5, 5]], { seed: 1 });
 */
export async function evolve(
  cost: Cost,
  bounds: readonly (readonly [low: number, high: number])[],
  options: GeneticOptions = {},
): Promise<GeneticResult> {
  const op = 'evolve';
  checkList(op, 'the bounds', bounds, '[low, high]');
  if (bounds.length === 0) throw new ArgumentError(`${op}: there are no bounds. Give [low, high] for each gene.`);
  for (const [i, pair] of bounds.entries()) {
    checkNumbers(op, `bounds ${i}`, pair);
    if (pair.length !== 2 || !(pair[0] < pair[1]) || !pair.every(Number.isFinite))
      throw new ArgumentError(`${op}: bounds ${i} are [${pair.join(', ')}]. Give two numbers, the lower one first.`);
  }
  return await run(op, cost, new Numbers(bounds), options);
}

/**
 * Bit strings that make a cost small, as `evolve` does: the cost takes a float64 tensor [members, bits] of 0 and 1.
 *
 *     const { x } = await evolveBits((p) => p.sum(1).neg(), 20, { seed: 1 });   // all ones
 */
export async function evolveBits(cost: Cost, bits: number, options: GeneticOptions = {}): Promise<GeneticResult> {
  checkWhole('evolveBits', 'the number of bits', bits, 1);
  return await run('evolveBits', cost, new Bits(bits), options);
}

/** How far beyond both parents a blend may go, as a part of their distance. */
const BLEND = 0.5;
/** Deviation of a mutation as a part of the bounds, at the start and at the end. */
const MUTATION = { first: 0.2, last: 1e-4 };

class Numbers implements Kind {
  readonly genes: number;
  private readonly bounds: readonly (readonly [number, number])[];

  constructor(bounds: readonly (readonly [number, number])[]) {
    this.genes = bounds.length;
    this.bounds = bounds.map(([low, high]) => [low, high]);
  }

  create(random: HostRandom): Float64Array {
    return Float64Array.from(this.bounds, ([low, high]) => random.between(low, high));
  }

  cross(a: Float64Array, b: Float64Array, random: HostRandom): Float64Array {
    return a.map((value, i) => {
      const [low, high] = [Math.min(value, b[i]), Math.max(value, b[i])];
      const beyond = BLEND * (high - low);
      return this.within(i, random.between(low - beyond, high + beyond));
    });
  }

  mutate(member: Float64Array, rate: number, progress: number, random: HostRandom): void {
    const size = MUTATION.first * (MUTATION.last / MUTATION.first) ** progress;
    for (const [i, [low, high]] of this.bounds.entries())
      if (random.uniform() < rate) member[i] = this.within(i, member[i] + size * (high - low) * random.normal());
  }

  private within(i: number, value: number): number {
    const [low, high] = this.bounds[i];
    return Math.min(high, Math.max(low, value));
  }
}

class Bits implements Kind {
  readonly genes: number;

  constructor(genes: number) {
    this.genes = genes;
  }

  create(random: HostRandom): Float64Array {
    return Float64Array.from({ length: this.genes }, () => random.below(2));
  }

  /** What lies between two points comes from the other parent. */
  cross(a: Float64Array, b: Float64Array, random: HostRandom): Float64Array {
    const child = a.slice();
    const [from, to] = [random.below(this.genes + 1), random.below(this.genes + 1)].sort((p, q) => p - q);
    child.set(b.subarray(from, to), from);
    return child;
  }

  mutate(member: Float64Array, rate: number, _: number, random: HostRandom): void {
    for (let i = 0; i < member.length; i++) if (random.uniform() < rate) member[i] = 1 - member[i];
  }
}

async function run(op: string, cost: Cost, kind: Kind, options: GeneticOptions): Promise<GeneticResult> {
  checkFunction(op, cost, 'the cost');
  checkGeneticOptions(op, options);
  const { population = 100, generations = 200, elite = 2, tournament = 3, crossover = 0.9, seed, signal } = options;
  const { mutation = 1 / kind.genes, target = -Infinity, patience = 50 } = options;
  const random = seed === undefined ? nextHostRandom() : new HostRandom(seed);
  const costs = evaluator(op, cost, population, kind.genes);
  let members = Array.from({ length: population }, () => kind.create(random));
  let values = await costs(members);
  let best = { member: members[0], value: Infinity };
  const history: { generation: number; best: number; mean: number }[] = [];
  const look = (): void => {
    const finite = values.filter((value) => value < Infinity);
    values.forEach((value, i) => {
      if (value < best.value) best = { member: members[i], value };
    });
    const mean = finite.reduce((sum, value) => sum + value / finite.length, 0);
    history.push({ generation: history.length, best: best.value, mean: finite.length === 0 ? NaN : mean });
  };
  look();
  let reason: GeneticResult['reason'] | undefined = best.value === Infinity ? 'not-finite' : undefined;
  let idle = 0;
  while (reason === undefined) {
    const generation = history.length;
    if (best.value <= target) reason = 'target';
    else if (signal?.aborted === true) reason = 'aborted';
    else if (generation > generations) reason = 'generations';
    else if (idle >= patience) reason = 'patience';
    if (reason !== undefined) break;
    const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
    const [parents, costsOfParents] = [members, values];
    const choose = (): Float64Array => {
      let winner = random.below(population);
      for (let i = 1; i < tournament; i++) {
        const rival = random.below(population);
        if (costsOfParents[rival] < costsOfParents[winner]) winner = rival;
      }
      return parents[winner];
    };
    members = Array.from({ length: population }, (_, i) => {
      if (i < elite) return parents[order[i]];
      const child = random.uniform() < crossover ? kind.cross(choose(), choose(), random) : choose().slice();
      kind.mutate(child, mutation, generation / generations, random);
      return child;
    });
    values = await costs(members);
    const before = best.value;
    look();
    idle = best.value < before ? 0 : idle + 1;
  }
  return {
    x: tensor(best.member, { dtype: 'float64' }),
    value: best.value,
    generations: history.length - 1,
    evaluations: history.length * population,
    reason,
    history,
  };
}

function evaluator(
  op: string,
  cost: Cost,
  population: number,
  genes: number,
): (members: readonly Float64Array[]) => Promise<number[]> {
  const valuesOf = valuesOfRows(op, cost, 'cost', 'members', [population, genes]);
  return async (members) => {
    const all = new Float64Array(population * genes);
    members.forEach((member, i) => all.set(member, i * genes));
    return Array.from(await valuesOf(all), (v) => (Number.isNaN(v) ? Infinity : v));
  };
}

function checkGeneticOptions(op: string, options: GeneticOptions): void {
  checkOptions(op, options, GENETIC_OPTIONS);
  const {
    population = 100,
    generations,
    elite = 2,
    tournament,
    crossover,
    mutation,
    target,
    patience,
    seed,
    signal,
  } = options;
  checkWhole(op, 'population', population, 2);
  checkWhole(op, 'elite', elite);
  if (elite >= population)
    throw new ArgumentError(`${op}: elite is ${elite} of a population of ${population}. Use fewer.`);
  checkGiven((name, what, value) => checkWhole(name, what, value, 1), op, { generations, tournament, patience });
  checkGiven(
    (name, what, value) => {
      checkNumber(name, what, value);
      if (!((value as number) >= 0 && (value as number) <= 1))
        throw new ArgumentError(`${name}: ${what} is ${String(value)}. Use a number from 0 to 1.`);
    },
    op,
    { crossover, mutation },
  );
  if (target !== undefined) checkNumber(op, 'target', target);
  if (seed !== undefined) checkWhole(op, 'seed', seed);
  checkSignal(op, signal);
}
