// The public surface of `nabla/train`.

export type * from './record.js';
export { formatEvent, formatJson, parseEvent, parseJson } from './record.js';
export { Trainer, type FitResult } from './trainer.js';
export type * from './options.js';
export type { Progress, TrainerState } from './state.js';
export * from './search/index.js';
