// The public surface of `nabla/io/node`.

export { loadSafetensors, saveSafetensors, writeFileAtomic } from './files.js';
