// What a lowering is given and what it makes: the types between the dispatcher (lower-group.ts) and the rooms.

import type { Node } from '../../../ir/node.js';
import type { Buffer, ElementType, KernelFunction } from '../../../loop/loop.js';
import type { Target } from '../../../loop/target.js';
import type { Contraction } from '../../indices/contraction.js';
import type { IsMaterialised } from '../../indices/trace.js';
import type { Places } from '../../plan/place-parts.js';
import type { KernelBuilder, KernelContext } from './kernel-builder.js';

/** What a lowering is given: where operands are, where results go. */
export interface Lowering {
  readonly target: Target;
  /** Threads that run the kernel, unless one does it all. */
  readonly threads: number;
  readonly context: KernelContext;
  readonly output: (node: Node) => Buffer | undefined;
  readonly isMaterialised: IsMaterialised;
  readonly places: Places;
  readonly inPlace: ReadonlyMap<Node, Node>;
  /** A product that the calling thread computes alone, into memory of its own. */
  readonly contract: (builder: KernelBuilder, node: Node, form: Contraction, output: Buffer) => void;
  /** Thread-private memory of `size` elements. */
  readonly scratch: (name: string, size: number, type?: ElementType) => Buffer;
}

export type Operand =
  | { readonly kind: 'read' | 'write'; readonly node: Node }
  | { readonly kind: 'scalar'; readonly node: Node }
  | { readonly kind: 'error' };

export interface LoweredKernel {
  readonly kernel: KernelFunction;
  /** One for each buffer parameter, then one for each scalar. */
  readonly operands: readonly Operand[];
  /** Its work is shared among the threads. */
  readonly isParallel: boolean;
}
