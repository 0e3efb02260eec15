// The public surface of `nabla/metrics`.

export type { Metric } from './metric.js';
