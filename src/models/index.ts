// The public surface of `nabla/models`.

export {
  Autoencoder,
  VAE,
  vaeLoss,
  type AutoencoderOptions,
  type Latent,
  type VAEOutput,
  type VaeLossOptions,
} from './autoencoder.js';
export { CharLSTM, type CharLstmOptions } from './char-lstm.js';
export type { Classifier } from './classifier.js';
export { cnn, cnnBody, type CnnBodyOptions, type CnnOptions } from './cnn.js';
export { SimCLR, type SimCLROptions } from './contrastive.js';
export { ConditionalVAE, type ConditionalVAEOptions } from './generative/conditional-vae.js';
export { ConvAutoencoder, type ConvAutoencoderOptions } from './generative/conv-autoencoder.js';
export { Diffusion, type DiffusionOptions, type DiffusionSampleOptions } from './generative/diffusion.js';
export { DiffusionUNet, type DiffusionUNetOptions } from './generative/diffusion-unet.js';
export { noiseSchedule, type NoiseScheduleName } from './generative/noise-schedule.js';
export {
  Adversaries,
  DCGAN,
  GAN,
  type DCGANOptions,
  type DiscriminatorLossOptions,
  type GANOptions,
} from './generative/gan.js';
export { EdgeClassifier, type EdgeClassifierOptions } from './edge-classifier.js';
export { FrameForecaster, type FrameForecasterOptions } from './forecaster.js';
export { GPT, type GptOptions } from './gpt.js';
export { GAT, GCN, type GATOptions, type GCNOptions, type GraphModelOptions } from './graph.js';
export { GraphClassifier, type GraphClassifierOptions } from './graph-classifier.js';
export { lenet5, type LeNetOptions } from './lenet.js';
export { mlp } from './mlp.js';
export { Captioner, type CaptionerOptions } from './seq2seq/captioner.js';
export type { DecoderMemory, SequenceDecoder } from './seq2seq/decoder.js';
export {
  Seq2SeqGRU,
  Seq2SeqTransformer,
  type Seq2SeqGRUOptions,
  type Seq2SeqOptions,
  type Seq2SeqTransformerOptions,
} from './seq2seq/seq2seq.js';
export {
  LSTMClassifier,
  TransformerClassifier,
  type LSTMClassifierOptions,
  type TextClassifierOptions,
  type TransformerClassifierOptions,
} from './text-classifier.js';
export type { Activation } from './text/activations.js';
export type { Ids } from './text/blocks.js';
export type { CausalModel, EncoderDecoderCache, EncoderDecoderModel, KeyValueCache } from './text/cache.js';
export type { PretrainedClass, PretrainedModel } from './text/architectures.js';
export {
  Bert,
  BertClassifier,
  BertMaskedLM,
  BertQuestionAnswering,
  BertTokenClassifier,
  type BertBodyOptions,
  type BertClassifierOptions,
  type BertMaskedLMOptions,
} from './text/bert.js';
export { Config } from './text/config.js';
export {
  DistilBert,
  DistilBertClassifier,
  DistilBertMaskedLM,
  DistilBertQuestionAnswering,
  DistilBertTokenClassifier,
  type DistilBertAnswerOptions,
  type DistilBertClassifierOptions,
  type DistilBertMaskedLMOptions,
  type DistilBertOptions,
  type DistilBertTokenClassifierOptions,
} from './text/distilbert.js';
export {
  Electra,
  ElectraClassifier,
  ElectraDiscriminator,
  ElectraMaskedLM,
  ElectraQuestionAnswering,
  ElectraTokenClassifier,
  type ElectraClassifierOptions,
  type ElectraMaskedLMOptions,
  type ElectraOptions,
} from './text/electra.js';
export type { BertInputs, BertOptions } from './text/encoder.js';
export type { AnswerLogits, LabelOptions, MaskedLMOptions, TokenEncoder } from './text/encoder-heads.js';
export { GPT2, type Gpt2Options } from './text/gpt2.js';
export { Llama } from './text/llama.js';
export type { LayerType, LlamaOptions } from './text/llama-options.js';
export { type Pretrained, type PretrainedOptions, fromPretrained } from './text/pretrained.js';
export {
  Roberta,
  RobertaClassifier,
  RobertaMaskedLM,
  RobertaQuestionAnswering,
  RobertaTokenClassifier,
  type RobertaBodyOptions,
  type RobertaClassifierOptions,
  type RobertaMaskedLMOptions,
  type RobertaOptions,
} from './text/roberta.js';
export type { RopeScaling } from './text/rope-scaling.js';
export { T5, T5Encoder, type T5Inputs } from './text/t5.js';
export type { T5Options } from './text/t5-options.js';
export { AlexNet, alexnet, alexnet2012, type AlexNetOptions } from './vision/alexnet.js';
export { auxiliaryCrossEntropy, type AuxiliaryLogits } from './vision/auxiliary.js';
export { ConvNeXt, convnextBase, convnextSmall, convnextTiny, type ConvNeXtOptions } from './vision/convnext.js';
export {
  DenseDetector,
  detectionLoss,
  type DenseDetections,
  type DenseDetectorOptions,
  type DetectionLossOptions,
} from './vision/dense-detector.js';
export {
  DenseNet,
  densenet121,
  densenet161,
  densenet169,
  densenet201,
  type DenseNetOptions,
} from './vision/densenet.js';
export {
  EfficientNet,
  efficientNetKey,
  efficientnetB0,
  efficientnetB1,
  efficientnetB2,
  efficientnetB3,
  efficientnetB4,
  efficientnetB5,
  efficientnetB6,
  efficientnetB7,
  type EfficientNetOptions,
} from './vision/efficientnet.js';
export {
  FasterRCNN,
  FeaturePyramid,
  RegionProposal,
  fasterRcnn,
  type DetectOptions,
  type Detections,
} from './vision/faster-rcnn.js';
export { DeepLabV3, FCN, LRASPP, deeplabV3, fcn, lraspp, type FcnOptions } from './vision/fcn.js';
export { GoogLeNet, googlenet, type GoogLeNetOptions } from './vision/googlenet.js';
export { ImageClassifier, type ImageClassifierFn, type ImageOptions } from './vision/image-model.js';
export { InceptionBlock, type InceptionBlockOptions } from './vision/inception-block.js';
export { InceptionV3, inceptionV3, type InceptionOptions } from './vision/inception.js';
export { MobileNetV2, mobilenetV2, type MobileNetV2Options } from './vision/mobilenet-v2.js';
export { MobileNetV3, mobilenetV3Large, mobilenetV3Small, type MobileNetV3Options } from './vision/mobilenet-v3.js';
export {
  ResNet,
  plain18,
  plain34,
  resnet101,
  resnet152,
  resnet18,
  resnet34,
  resnet50,
  resnext50,
  wideResnet50,
  type ResNetBlocks,
  type ResNetBody,
  type ResNetOptions,
} from './vision/resnet.js';
export { type PixelLogits, type SegmentationOptions } from './vision/segmentation.js';
export { SegNet, segnet, type SegNetOptions } from './vision/segnet.js';
export { ShuffleNetV2, shufflenetV2, shufflenetV2Half, type ShuffleNetOptions } from './vision/shufflenet.js';
export { SkipFCN, skipFcn, type SkipFcnOptions } from './vision/skip-fcn.js';
export { SqueezeNet, squeezenet10, squeezenet11, type SqueezeNetOptions } from './vision/squeezenet.js';
export { SwinTransformer, swinB, swinS, swinT, type SwinOptions } from './vision/swin.js';
export {
  ViT,
  ViTClassifier,
  type ViTBodyOptions,
  type ViTClassifierOptions,
  type ViTModelOptions,
} from './vision/transformers-vit.js';
export { UNet, unet, type UNetOptions } from './vision/unet.js';
export { VGG, vgg11, vgg13, vgg16, vgg16c, vgg19, type VggColumn, type VggOptions } from './vision/vgg.js';
export { VisionTransformer, vitB16, vitB32, vitL16, type VitOptions } from './vision/vit.js';
export { Xception, xception, type XceptionOptions } from './vision/xception.js';
