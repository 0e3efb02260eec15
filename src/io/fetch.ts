// What an address answers. Works wherever there is fetch.

import { NablaError } from '../tensor/library.js';

/** There is no such file at an address: 404, or what servers say instead that do not tell it from a forbidden one. */
export class NotThereError extends NablaError {}

export const isNotThere = (status: number): boolean => [401, 403, 404, 410].includes(status);

/** The answer of an address. Throws NablaError where nothing answers (a browser does not say why), or where there is no such file. */
export async function answerOf(call: string, address: string, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, signal === undefined ? {} : { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    const advice =
      typeof location === 'undefined'
        ? ''
        : ` If the address is right, its server has to allow this page (CORS: Access-Control-Allow-Origin), and so has the page's Content-Security-Policy (connect-src).`;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NablaError(`${call}: ${address} cannot be fetched (${reason}).${advice}`, { cause });
  }
  if (response.ok) return response;
  const text = `${call}: ${address} answers ${response.status} ${response.statusText}.`;
  throw isNotThere(response.status) ? new NotThereError(text) : new NablaError(text);
}

export function isUrl(value: unknown): value is URL {
  return Object.prototype.toString.call(value) === '[object URL]';
}

/** Is the text an address, and not a path? */
export const isAddress = (text: string): boolean => /^(https?|blob|data):/.test(text);
