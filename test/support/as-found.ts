// For files that share a process: each finds what holds for all of it, the device and the dtype, as it is at the start
// (where it is imported, too: some make their data there), and no update that waits: the running statistics of an
// Inception that was called for its shapes alone took the next file half a minute.
import { afterAll } from 'vitest';
import { setDefaultDevice } from '../../src/engine/device-registry.js';
import { disposeDevices, setDefaultDType } from 'nabla';

setDefaultDevice('cpu');
setDefaultDType('float32');

afterAll(() => disposeDevices()); // and what waits for them
