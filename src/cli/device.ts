import { setDevice } from '../index.js';
import { CliError } from './errors.js';

/** Makes `name` the device of all that follows; an unknown one is the user's mistake. */
export function useDevice(name: string): void {
  try {
    setDevice(name);
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message.replace(/^device: /, '--device: ') : String(error));
  }
}
