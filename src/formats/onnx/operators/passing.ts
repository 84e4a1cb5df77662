/** Operators named by what they do to neurons, where that is all there is to know of them. */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Each element stays where it is and what it is. */
export const passing: readonly string[] = words(`
  Abs Acos Acosh Affine Asin Asinh Atan Atanh BitCast BitmaskDropout BitwiseNot Cast CastLike CastMap Ceil Celu Cos Cosh
  Crop CumProd CumSum DequantizeBFP DequantizeWithOrder Dropout Elu Erf Exp Floor FusedGelu Gelu HardSwish Hardmax
  Identity ImageScaler IsInf IsNaN LeakyRelu Log LogSoftmax LpNormalization LRN MeanVarianceNormalization Mish Neg Normalizer
  Not Optional OptionalGetElement ParametricSoftplus QOrderedGelu QuantizeBFP QuantizeWithOrder QuickGelu
  Reciprocal Relu RemovePadding RestorePadding ReverseSequence RotaryEmbedding MRotaryEmbedding Round ScaledTanh Selu Shrink
  Sign Sin Sinh Snake Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu Trilu Binarizer Imputer MulInteger`);

/** Between 0 and 1: what it is multiplied with is the signal. */
export const gating: readonly string[] = words(`
  Sigmoid HardSigmoid Softmax BiasSoftmax`);

/** Further inputs scale and shift single neurons. */
export const normalising: readonly string[] = words(`
  BatchNormalization InstanceNormalization LayerNormalization GroupNormalization RMSNormalization
  SimplifiedLayerNormalization PRelu GroupNorm GatedRMSNorm QOrderedLayerNormalization SpatialBN Scale`);

/** Elements of two or more become one, chosen or compared; a constant is no parameter. */
export const comparing: readonly string[] = words(`
  Pow Mod Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor BitShift BitwiseAnd BitwiseOr BitwiseXor
  SquaredDifference ComplexMul ComplexMulConj`);

/** Of a length or meaning of its own: what a graph input is it stays, what neurons were there is not followed. */
export const reshaping: readonly string[] = words(`
  DFT STFT Rfft Irfft LabelEncoder OneHotEncoder CategoryMapper DictVectorizer ZipMap StringNormalizer StringConcat
  StringSplit RegexFullMatch TfIdfVectorizer Tokenizer UnfoldTensor ExpandDims Inverse Unique OptionalHasElement
  SequenceLength MurmurHash3 NGramHashMapping ReduceSumInteger Multinomial`);

/** Without neurons of their own, their tensors are no weights. */
export const sources: readonly string[] = words(`
  Shape Size Range ConstantOfShape NonZero NonMaxSuppression EyeLike RandomNormal RandomUniform BlackmanWindow HannWindow
  HammingWindow MelWeightMatrix AffineGrid ImageDecoder SequenceEmpty NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss
  MeanSquaredDistance Gradient Adam Adagrad Momentum IsAllFinite BifurcationDetector NGramRepeatBlock DynamicTimeWarping
  ConstantFill EPContext`);
