// The operator test table: every operator of the graph, one row per case, for every device.
// Forward is compared with the reference device, gradients with finite differences on it (grad/rules.test.ts).

import type { OperatorCase } from './case.js';
import { denseCases } from './dense-cases.js';
import { kernelCases } from './kernel-cases.js';
import { mapCases } from './map-cases.js';
import { movementCases } from './movement-cases.js';

export type { OperatorCase } from './case.js';
export { makeData, makeLeaves } from './case.js';

export const cases: readonly OperatorCase[] = [...mapCases(), ...movementCases(), ...kernelCases(), ...denseCases()];
