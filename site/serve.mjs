// Serves a folder of static files to this machine alone: isolated, so that nabla may use threads, or as a host that sends no such headers.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, resolve, sep } from 'node:path';

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** → the address, and how to end it. */
export function serve(folder, { port = 0, isolated = true } = {}) {
  const root = resolve(folder);
  const server = createServer((request, response) => {
    const file = fileOf(root, request.url ?? '/');
    response.writeHead(file ? 200 : 404, {
      'Content-Type': `${file ? (TYPES[extname(file)] ?? 'application/octet-stream') : 'text/plain'}; charset=utf-8`,
      ...(isolated ? ISOLATED : {}),
    });
    if (file) createReadStream(file).pipe(response);
    else response.end('There is no such page.');
  });
  return new Promise((done, fail) => {
    server.on('error', fail);
    server.listen(port, '127.0.0.1', () =>
      done({ url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() }),
    );
  });
}

/** The file of an address, or undefined where there is none in the folder. */
function fileOf(root, url) {
  let path;
  try {
    path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return undefined; // no address at all
  }
  const file = resolve(root, `.${path.endsWith('/') ? `${path}index.html` : path}`);
  const isOurs = file.startsWith(root + sep) && !file.includes('\0');
  return isOurs && statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}
