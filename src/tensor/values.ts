// What a tensor stands for: a graph node that is yet to be computed, or a storage whose numbers exist (an input, a
// parameter, optimiser state). A stored value can be overwritten in place; until the engine has done so, reading it
// gives the value to come.

import { assignLater, run } from '../engine/engine.js';
import { isRecording } from '../engine/recording.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { isTracing, standsForSamples } from '../engine/ir/placeholder.js';
import type { Storage } from '../engine/ir/storage.js';

/** Deeper graphs are computed at once, so that a sum that nobody reads does not grow for ever. */
const DEEPEST = 10_000;

export class GraphValue {
  readonly node: Node;
  constructor(node: Node) {
    this.node = node;
    if (node.depth > DEEPEST && !isTracing()) run([node]);
  }
}

export class StoredValue {
  readonly storage: Storage;
  private pending: Node | undefined;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /**
   * Made at each access, so that it carries the version of now. A parameter is a leaf, whatever waits to be written to
   * it: that is done first, so that gradients have somewhere to go.
   */
  get node(): Node {
    if (this.pending !== undefined && this.storage.requiresGrad) {
      this.assign(this.pending); // once more, if it failed
      run([]);
    }
    if (this.pending !== undefined) return this.pending;
    if (this.storage.first !== undefined) this.storage.first.isRead = true;
    return build.leaf(this.storage) as Node;
  }

  /**
   * To begin with the numbers of `other`, where nobody has asked for those of either: as if they had been given in the first place.
   * False where that is not so.
   */
  takeFirst(other: Storage | undefined): boolean {
    const { first, device } = this.storage;
    if (first === undefined || first.isRead || this.pending !== undefined || isRecording()) return false;
    if (other?.first === undefined || other.device !== device) return false;
    this.storage.first = { make: other.first.make, isRead: false };
    return true;
  }

  /** A value waits to be written. */
  get isPending(): boolean {
    return this.pending !== undefined;
  }

  assign(value: Node): void {
    if (standsForSamples(value))
      throw new ArgumentError(
        'assign_: the value depends on the sample of a vmap, and the tensor is one for all of them. Return the value; a module that measures its inputs is mapped in eval() mode.',
      );
    this.pending = value;
    assignLater(this.storage, value, (left) => {
      this.pending = left;
    });
  }
}

export type Value = GraphValue | StoredValue;
