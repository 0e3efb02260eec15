// The public surface of `nabla/io`: formats as bytes, for Node and browsers. Files of Node: `nabla/io/node`.

export { decodeSafetensors, encodeSafetensors, fromSafetensors, toSafetensors, type RawTensor } from './safetensors.js';
