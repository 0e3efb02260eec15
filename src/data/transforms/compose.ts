// Transforms made of transforms: one after the other, at random, in random order.
//   Where sizes are known their neighbours are checked: compose(randomCrop([32, 32]), normalize(…)) fits or does not compile.
// Must not know: images.

import { ArgumentError, checkFunction, checkList, checkNumber, checkNumbers } from '../../tensor/library.js';
import type { HostRandom } from '../../tensor/host-random.js';
import type { Transform } from '../transform.js';
import type { AnyImageTransform } from './image.js';

/**
 * One transform after the other. Each gets what the one before it has made. torchvision: Compose.
 *
 *     const augment = compose(randomCrop([32, 32], { padding: 4 }), randomHorizontalFlip(), normalize(mean, std));
 */
export function compose<A, B>(a: Transform<A, B>): Transform<A, B>;
export function compose<A, B, C>(a: Transform<A, B>, b: Transform<B, C>): Transform<A, C>;
export function compose<A, B, C, D>(a: Transform<A, B>, b: Transform<B, C>, c: Transform<C, D>): Transform<A, D>;
export function compose<A, B, C, D, E>(
  a: Transform<A, B>,
  b: Transform<B, C>,
  c: Transform<C, D>,
  d: Transform<D, E>,
): Transform<A, E>;
export function compose<A, B, C, D, E, F>(
  a: Transform<A, B>,
  b: Transform<B, C>,
  c: Transform<C, D>,
  d: Transform<D, E>,
  e: Transform<E, F>,
): Transform<A, F>;
export function compose<A, B, C, D, E, F, G>(
  a: Transform<A, B>,
  b: Transform<B, C>,
  c: Transform<C, D>,
  d: Transform<D, E>,
  e: Transform<E, F>,
  f: Transform<F, G>,
): Transform<A, G>;
export function compose<A, B, C, D, E, F, G, H>(
  a: Transform<A, B>,
  b: Transform<B, C>,
  c: Transform<C, D>,
  d: Transform<D, E>,
  e: Transform<E, F>,
  f: Transform<F, G>,
  g: Transform<G, H>,
): Transform<A, H>;
export function compose<A, B, C, D, E, F, G, H, I>(
  a: Transform<A, B>,
  b: Transform<B, C>,
  c: Transform<C, D>,
  d: Transform<D, E>,
  e: Transform<E, F>,
  f: Transform<F, G>,
  g: Transform<G, H>,
  h: Transform<H, I>,
): Transform<A, I>;
export function compose(...transforms: readonly AnyImageTransform[]): AnyImageTransform {
  checkTransforms('compose', transforms);
  return (image, random) => transforms.reduce((current, transform) => transform(current, random), image);
}

/** One transform made of others of its type: images in and out are as theirs, which is all that types could say of it. */
function like<T>(transforms: readonly T[], make: (transforms: readonly AnyImageTransform[]) => AnyImageTransform): T {
  return make(transforms as readonly AnyImageTransform[]) as T;
}

/** The transform with probability `p` (default 0.5), else nothing. torchvision: RandomApply. */
export function randomApply<T extends Transform<never, unknown>>(transform: T, p = 0.5): T {
  checkTransforms('randomApply', [transform]);
  checkProbability('randomApply', p);
  return like<T>(
    [transform],
    ([apply]) =>
      (image, random) =>
        random.uniform() < p ? apply(image, random) : image,
  );
}

/** One of the transforms, each as likely as the others or as its weight says. torchvision: RandomChoice. */
export function randomChoice<T extends Transform<never, unknown>>(
  transforms: readonly T[],
  weights?: readonly number[],
): T {
  checkTransforms('randomChoice', transforms);
  if (weights !== undefined) checkNumbers('randomChoice', 'the weights', weights);
  const sum = weights?.reduce((a, b) => a + b, 0) ?? transforms.length;
  if (weights !== undefined && (weights.length !== transforms.length || weights.some((w) => !(w >= 0)) || !(sum > 0))) {
    throw new ArgumentError(
      `randomChoice: weights [${weights.join(', ')}] of ${transforms.length} transforms. Give one of at least 0 for each.`,
    );
  }
  return like<T>(transforms, (list) => (image, random) => {
    let rest = random.uniform() * sum;
    let choice = 0;
    for (; choice < list.length - 1; choice++) {
      const weight = weights?.[choice] ?? 1;
      if (rest < weight) break;
      rest -= weight;
    }
    return list[choice](image, random);
  });
}

/** All of the transforms, in an order of each sample's own. torchvision: RandomOrder. */
export function randomOrder<T extends Transform<never, unknown>>(transforms: readonly T[]): T {
  checkTransforms('randomOrder', transforms);
  return like<T>(transforms, (list) => (image, random) => {
    const order = random.shuffle(Int32Array.from(list, (_, i) => i));
    return order.reduce((current, i) => list[i](current, random), image);
  });
}

/** A function of images that takes no random numbers, as a transform: `deterministic((image) => functional.invert(image))`. */
export function deterministic<I, O>(change: (image: I) => O): Transform<I, O> {
  checkFunction('deterministic', change);
  return (image: I, _random: HostRandom) => change(image);
}

export function checkProbability(op: string, p: number): void {
  checkNumber(op, 'the probability', p);
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`${op}: a probability of ${p}. Use a number from 0 to 1.`);
}

function checkTransforms(op: string, transforms: readonly unknown[]): void {
  checkList(op, 'the argument', transforms, 'transforms');
  if (transforms.length === 0) throw new ArgumentError(`${op}: no transforms. Give at least one.`);
  transforms.forEach((transform, i) => {
    if (typeof transform === 'function') checkFunction(op, transform, `argument ${i + 1}`); // no class
    else
      throw new ArgumentError(
        `${op}: argument ${i + 1} is no transform. Give functions such as randomHorizontalFlip().`,
      );
  });
}
