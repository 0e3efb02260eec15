// The kernels of groups, lowered once for all groups that have them in common (group-key.ts): the layers of a deep network, the
// steps of a recurrent one.
// Input: groups, one after the other. Output: their kernels, and what each is called with. Kernels that are shared are the same object.

import { InternalError } from '../../ir/errors.js';
import type { KernelFunction } from '../../loop/loop.js';
import { moveOrigins } from '../../loop/origins.js';
import { differenceOf } from '../../loop/same-kernel.js';
import { reduceStrength } from '../../loop/strength-reduction.js';
import { type GroupKey, groupKey } from '../lower/group-key.js';
import type { Operand } from '../lower/kernel/lowering.js';
import { type LowerGroupOptions, lowerGroup } from '../lower/lower-group.js';
import type { Group } from '../plan/group.js';

export interface PlacedKernel {
  readonly kernel: KernelFunction;
  /** One for each buffer parameter, then one for each scalar. */
  readonly operands: readonly Operand[];
  /** Elements from the beginning of each buffer's operand to where the kernel's buffer begins. */
  readonly origins: readonly number[];
  /** Its work is shared among the threads. */
  readonly isParallel: boolean;
}

interface Known {
  readonly key: GroupKey;
  readonly steps: readonly (readonly PlacedKernel[])[];
}

export class LoweredGroups {
  private readonly byText = new Map<string, Known>();
  private readonly isChecked: boolean;

  /** `isChecked`: every group is lowered, and those that share kernels must have equal ones. */
  constructor(isChecked = false) {
    this.isChecked = isChecked;
  }

  /** Kernels in steps: those of one are independent of each other, and come after the step before. */
  lower(group: Group, options: LowerGroupOptions): readonly (readonly PlacedKernel[])[] {
    const key = groupKey(group, options);
    const known = this.byText.get(key.text);
    const again = known === undefined ? undefined : calledFor(key, known);
    if (again !== undefined && !this.isChecked) return again;
    const steps = lowerGroup(group, options).map((step) =>
      step.map(({ kernel, operands, isParallel }): PlacedKernel => {
        const moved = moveOrigins(options.target.fuses ? reduceStrength(kernel) : kernel);
        return { kernel: moved.kernel, origins: moved.origins, operands, isParallel };
      }),
    );
    if (again !== undefined) {
      checkSame(again, steps);
      return again;
    }
    if (known === undefined) this.byText.set(key.text, { key, steps });
    return steps;
  }
}

/** Known kernels with the operands of another group; undefined where one of them would begin before its memory. */
function calledFor(key: GroupKey, known: Known): PlacedKernel[][] | undefined {
  const numbers = new Map(known.key.nodes.map((n, i) => [n, i]));
  const steps = known.steps.map((step) =>
    step.map((placed): PlacedKernel => {
      const operands = placed.operands.map((o): Operand => {
        if (o.kind === 'error') return o;
        const number = numbers.get(o.node);
        if (number === undefined)
          throw new InternalError(`compile: a kernel reads ${o.node.op}, which is not in its group's key.`);
        return { kind: o.kind, node: key.nodes[number] };
      });
      const origins = placed.origins.map((origin, i) => {
        const o = placed.operands[i];
        if (o.kind !== 'read') return origin;
        const number = numbers.get(o.node) as number;
        return origin - known.key.origins[number] + key.origins[number];
      });
      return { ...placed, operands, origins };
    }),
  );
  return steps.flat().every(({ origins }) => origins.every((n) => n >= 0)) ? steps : undefined;
}

function checkSame(shared: readonly (readonly PlacedKernel[])[], own: readonly (readonly PlacedKernel[])[]): void {
  const [a, b] = [shared.flat(), own.flat()];
  const differs = (what: string): never => {
    throw new InternalError(`compile: groups with one key have different kernels: ${what}.`);
  };
  if (a.length !== b.length) differs(`${a.length}, not ${b.length}`);
  a.forEach((x, i) => {
    const y = b[i];
    const difference = differenceOf(x.kernel, y.kernel);
    if (difference !== undefined) differs(`${y.kernel.name} has ${difference}`);
    if (x.operands.length !== y.operands.length || !x.operands.every((o, j) => isSameOperand(o, y.operands[j])))
      differs(`${y.kernel.name} has other operands`);
    if (x.origins.join() !== y.origins.join())
      differs(`${y.kernel.name} begins at ${x.origins.join()}, not ${y.origins.join()}`);
  });
}

function isSameOperand(a: Operand, b: Operand): boolean {
  return a.kind === b.kind && (a.kind === 'error' || b.kind === 'error' || a.node === b.node);
}
