// What the type tests share: the public classes, and expectations about types. Types only; nothing here runs.
// Budget: all files of test/types together check in less than 3 s, `npx tsc --noEmit --extendedDiagnostics`.

import type { MessageOf } from '../../src/tensor/shape-types/shape.js';

export { Tensor, cat, conv2d, stack, tensor } from 'nabla';
export {
  AdaptiveAvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  type ConvOptions,
  Embedding,
  Flatten as FlattenLayer,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from 'nabla/nn';

// ---------------------------------------------------------------- expectations

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : [never, A];
type AllFine<G extends unknown[]> = { [I in keyof G]: unknown extends G[I] ? true : G[I] }[number] extends true
  ? []
  : [G];

/** Compares a list of results with the expected ones in one go. */
export declare function expectShapes<Given>(): { toBe<Expected>(...ok: Equal<Given, Expected>): void };
/** Compares the text of a guard. */
export declare function expectMessage<Guard>(): {
  toBe<Text extends string>(...ok: Equal<MessageOf<Guard>, Text>): void;
};
/** Guards that must let everything through. */
export declare function expectFine<Guards extends unknown[]>(...ok: AllFine<Guards>): void;
