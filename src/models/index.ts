// The public surface of `nabla/models`.

export { CharLSTM, type CharLstmOptions } from './char-lstm.js';
export type { Classifier } from './classifier.js';
export { cnn, type CnnOptions } from './cnn.js';
export { GPT, type GptOptions } from './gpt.js';
export { lenet5, type LeNetOptions } from './lenet.js';
export { mlp } from './mlp.js';
export { ResNet, resnet18, resnet34, type ResNetOptions } from './resnet.js';
