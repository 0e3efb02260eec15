// For files that share a process: each finds what holds for all of it, the device and the dtype, as it is at the start.
import { beforeAll } from 'vitest';
import { setDefaultDevice } from '../../src/engine/device-registry.js';
import { setDefaultDType } from 'nabla';

beforeAll(() => {
  setDefaultDevice('cpu');
  setDefaultDType('float32');
});
