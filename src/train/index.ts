// The public surface of `nabla/train`.

export type * from './record.js';
export { formatEvent, parseEvent } from './record.js';
