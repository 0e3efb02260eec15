// Random numbers: a counter-based generator (threefry) whose state is a seed and the number of tensors drawn so far.
// The same seed gives the same numbers on every device, with any number of threads. Numbers are made where they are
// used, inside kernels; only seed and draw number are arguments, so that a replayed step draws new ones.

import * as build from '../engine/ir/build.js';
import { type FloatDType, fitsInt32 } from '../engine/ir/dtype.js';
import { ArgumentError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type Shape, checkShape, shown } from '../engine/ir/shape.js';
import { whenDropped } from '../engine/engine.js';
import { isRecording, onReplay } from '../engine/recording.js';
import type { ScalarSource } from '../engine/ir/op.js';

const generator = { seed: 0, draws: 0 };

/** The latest draws, in their order: those of a step that fails are given back, so that the next one has its numbers. */
let latest: ScalarSource[] = [];
const MOST_LATEST = 8192;

function remember(draw: ScalarSource): void {
  if (latest.length >= MOST_LATEST) latest = latest.slice(MOST_LATEST / 2);
  latest.push(draw);
}

whenDropped(({ scalars }) => {
  while (latest.length > 0 && scalars.has(latest[latest.length - 1])) {
    latest.pop();
    generator.draws--;
  }
});

/** Seeds the generator: the same seed gives the same random tensors in the same order. */
export function manualSeed(seed: number): void {
  if (!Number.isInteger(seed) || Math.abs(seed) > 0x7fffffff) {
    throw new ArgumentError(`manualSeed: ${shown(seed)} is not a whole number below 2^31.`);
  }
  setRandomState({ seed, draws: 0 });
}

/** The generator's state, for checkpoints. */
export function getRandomState(): { readonly seed: number; readonly draws: number } {
  return { ...generator };
}

/** Inside a compiled function each replay sets it, too. */
export function setRandomState({ seed, draws }: { readonly seed: number; readonly draws: number }): void {
  const set = (): void => {
    Object.assign(generator, { seed, draws });
    latest = [];
  };
  set();
  onReplay(set);
}

/** 32 random bits an element. Inside compile(fn) each replay takes the draw number that an uncompiled call would take. */
export function bits(shape: Shape): Node {
  checkShape(shape, 'rand');
  const state = { seed: generator.seed, draw: generator.draws++ };
  if (isRecording()) {
    onReplay(
      () => {
        state.seed = generator.seed;
        state.draw = generator.draws++;
      },
      () => void generator.draws--,
    );
  }
  const seed = build.scalar({ value: state.seed, get: () => state.seed, isDrawn: true }, 'int32');
  const draw: ScalarSource = { value: state.draw, get: () => state.draw, isDrawn: true };
  remember(draw);
  return build.random(seed, build.scalar(draw, 'int32'), shape);
}

/** Uniform in [0, 1): the upper 24 bits, for float64 26 and 27 bits of two draws. */
export function uniform(shape: Shape, dtype: FloatDType = 'float32'): Node {
  if (dtype === 'float64') {
    const upper = (by: number): Node =>
      build.cast(build.binary('shr', bits(shape), build.constant(by, 'int32') as Node), 'float64');
    const whole = build.add(build.mul(upper(6), build.constant(2 ** 27) as Node), upper(5));
    return build.mul(whole, build.constant(2 ** -53) as Node);
  }
  const upper = build.binary('shr', bits(shape), build.constant(8, 'int32') as Node);
  return build.mul(build.cast(upper, 'float32'), build.constant(2 ** -24) as Node);
}

/** Normal with mean 0 and variance 1 (Box and Muller): √(−2 log u) · cos 2πv with u in (0, 1]. */
export function normal(shape: Shape, dtype: FloatDType = 'float32'): Node {
  const u = build.sub(build.constant(1) as Node, uniform(shape, dtype));
  const v = uniform(shape, dtype);
  const radius = build.unary('sqrt', build.mul(build.unary('log', u), build.constant(-2) as Node));
  return build.mul(radius, build.unary('cos', build.mul(v, build.constant(2 * Math.PI) as Node)));
}

/** Whole numbers in [low, high); ranges up to 2²⁴ are uniform to within 1 part in 2²⁴ / range. */
export function integers(low: number, high: number, shape: Shape): Node {
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low) {
    throw new ArgumentError(`randint: [${shown(low)}, ${shown(high)}) is not a range of whole numbers.`);
  }
  if (!fitsInt32(low) || !fitsInt32(high - 1))
    throw new ArgumentError(`randint: the range [${low}, ${high}) is beyond int32, −2^31 to 2^31 − 1.`);
  if (high - low > 2 ** 24) throw new ArgumentError(`randint: the range [${low}, ${high}) is wider than 2^24.`);
  const scaled = build.unary('floor', build.mul(uniform(shape), build.scalar(high - low)));
  return build.add(build.cast(scaled, 'int32'), build.scalar(low, 'int32'));
}

/** 0 … n − 1 in random order: the order of random keys. */
export function permutation(n: number): Node {
  checkShape([n], 'randperm');
  return build.argsort(bits([n]), 0, false);
}
