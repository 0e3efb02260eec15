// `init`, the room of initialisers: for shapes and for parameters.
export * from './init.js';
export * from './init-in-place.js';
