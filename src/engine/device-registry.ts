// The devices of the process, by name: made when they are first asked for, and which of them is the default.
// It must not know what is computed on them.

import { shown } from './ir/shape.js';
import type { Device } from './device/device.js';
import { DEVICES, type DeviceFactory } from './devices.js';
import { DeviceError } from './ir/errors.js';
import { clearInterned } from './ir/node.js';

const factories = new Map<string, DeviceFactory>(Object.entries(DEVICES));
const devices = new Map<string, Device>();
/** Every device of this copy of the package, also those that are gone. */
const made = new WeakSet<object>();
let defaultDevice = 'cpu';

/** Makes one more device known by name. */
export function registerDevice(name: string, factory: DeviceFactory): void {
  factories.set(name, factory);
}

export function getDevice(name: string): Device {
  let device = devices.get(name);
  if (device === undefined) {
    const factory = factories.get(name);
    if (factory === undefined) {
      const known = deviceNames().map((d) => `'${d}'`);
      throw new DeviceError(`device: ${shown(name)} is not known. Use one of ${known.join(', ')}.`);
    }
    device = factory();
    devices.set(name, device);
    made.add(device);
  }
  return device;
}

/** Whether a device of this name is in use. */
export function isMade(name: string): boolean {
  return devices.has(name);
}

export function deviceNames(): string[] {
  return [...factories.keys()];
}

/** A setting of the host's environment: a variable of the process, where there is one. */
export function getEnvironment(name: string): string | undefined {
  return (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name];
}

export function getDefaultDevice(): string {
  return defaultDevice;
}

export function setDefaultDevice(name: string): void {
  if (!factories.has(name)) getDevice(name); // throws with the list of names
  // What is made of numbers alone has no device until it is computed: the same expression may be on another one by now.
  if (name !== defaultDevice) clearInterned();
  defaultDevice = name;
}

/** Whether it is the device of its name now: not if the devices were disposed of since it was made. */
export function isCurrent(device: object | undefined, name: string): boolean {
  return devices.get(name) === device;
}

/** Whether this copy of the package has made it. */
export function isOwn(device: object): boolean {
  return made.has(device);
}

/** All devices, which are forgotten. */
export function takeDevices(): Device[] {
  const all = [...devices.values()];
  devices.clear();
  return all;
}
