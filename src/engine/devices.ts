// The devices there are, by name; each is made when it is first used. A new device is a row here and nothing else.

import { CpuDevice } from './device/cpu/device.js';
import type { Device } from './device/device.js';
import { ReferenceDevice } from './device/reference/device.js';

export type DeviceFactory = () => Device;

export const DEVICES: Readonly<Record<string, DeviceFactory>> = {
  cpu: () => new CpuDevice(),
  reference: () => new ReferenceDevice(),
};
