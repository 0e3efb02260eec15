// Runs in a page: weights from a File that a user has chosen, from bytes, and from an address, which the page's cache keeps.

import { setDevice } from '../../src/index.js';
import { loadTorch, loadWeights } from '../../src/io/index.js';
import { BatchNorm1d, Linear, ReLU, Sequential } from '../../src/nn/index.js';
import fixture from '../fixtures/torch-files.json' with { type: 'json' };

export async function main() {
  setDevice('reference');
  const bytes = Uint8Array.from(atob(fixture.read['checkpoint, zip'].file), (c) => c.charCodeAt(0));
  const makeNet = () => new Sequential(new Linear(3, 4), new BatchNorm1d(4), new ReLU(), new Linear(4, 2));
  const biases: number[][] = [];
  const load = async (source: File | Blob | Uint8Array | string, options = {}) => {
    const net = makeNet();
    await loadWeights(net, source, options);
    biases.push((await net.parameters()[1].array()) as number[]);
  };
  await load(new File([bytes], 'model.pt'));
  await load(new Blob([bytes]));
  await load(bytes);

  let asked = 0;
  globalThis.fetch = () => {
    asked++;
    return Promise.resolve(new Response(bytes, { headers: { 'content-length': String(bytes.length) } }));
  };
  const heard: number[] = [];
  const onProgress = ({ received }: { readonly received: number }) => void heard.push(received);
  const address = `${location.origin}/model.pt`;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  await load(address, { onProgress, sha256 });
  await load(address, { sha256 });
  await load(address, { cache: false });
  const refused = await load(address, { sha256: 'a'.repeat(64) }).catch((error: unknown) => String(error));
  const path = await loadTorch('model.pt').catch((error: unknown) => String(error));
  const epoch = (await loadTorch(new Blob([bytes]))).at('epoch');
  return { biases, asked, heard: heard.at(-1), bytes: bytes.length, refused, path, epoch };
}
