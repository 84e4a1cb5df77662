/** weightgraph: neural-network weights as weighted multipartite graphs. Runs unchanged in Node, a worker and a browser tab. */
export * from "./errors.ts";
export { createRandom, shuffle, type Random } from "./random.ts";
export type { DType, FloatArray } from "./tensor/dtype.ts";
export type { WeightLayout, AxisRole } from "./tensor/layout.ts";
export {
  blobSource,
  memorySource,
  trackedSource,
  type ByteSource,
  type TrackedSource,
} from "./bytes/source.ts";
export type {
  ChannelNormalisation,
  Model,
  ModelWarning,
  StoredTensor,
  TensorLocation,
  TensorRole,
  WeightKind,
  WeightLayer,
} from "./model/model.ts";
export { topologyBuilder, type NeuronLayer, type Topology, type Wire } from "./model/topology.ts";
export { isGlobPattern } from "./bytes/globPattern.ts";
export type { Series, SeriesLog, SeriesSnapshot, SeriesUnit, Snapshot } from "./model/series.ts";
export { readChunks, type TensorChunk } from "./model/readChunks.ts";
export { summariseLayers, type LayerSummary, type Spread } from "./model/layerSummary.ts";
export { foldNormalisation } from "./model/foldNormalisation.ts";
export { coverageOf, type Coverage } from "./model/coverage.ts";
export { matchTensors, type MatchOptions, type TensorMatch } from "./model/matchTensors.ts";
export { detectFormat, readModel } from "./formats/detect.ts";
export {
  examineSource,
  type Examination,
  type ExamineOptions,
  type Finding,
} from "./formats/examine.ts";
export { readOnnx } from "./formats/onnx/read.ts";
export { writeOnnx, type OnnxFile } from "./formats/onnx/write.ts";
export { readSafetensors } from "./formats/safetensors/read.ts";
export { readTfjs } from "./formats/tfjs/read.ts";
export { writeTfjs, type WrittenTfjs } from "./formats/tfjs/write.ts";
export { readKerasArchive, readKerasHdf5 } from "./formats/keras/read.ts";
export { readNumpy } from "./formats/npz/read.ts";
export { writeModelNpz, writeNpz, type NumpyTensor } from "./formats/npz/write.ts";
export { readGguf } from "./formats/gguf/read.ts";
export { readRaw } from "./formats/raw/read.ts";
export { readPytorch } from "./formats/pytorch/read.ts";
export {
  checkConversion,
  conversionTargets,
  convertModel,
  type Conversion,
  type ConversionTarget,
} from "./formats/convert.ts";
export { checkTensors, patchModel } from "./formats/patch.ts";
export type { PatchedFile, TensorChanges } from "./formats/format.ts";
export { joinPieces, pieceChunks, piecesLength, type Piece } from "./bytes/pieces.ts";
export {
  readSeries,
  type ReadSeriesOptions,
  type SeriesOptions,
} from "./formats/series/readSeries.ts";
export { parseSeriesManifest, type DatedEntry } from "./formats/series/manifest.ts";
export type { CheckpointDate, SeriesFile } from "./formats/series/seriesFile.ts";
export {
  modelSafetensors,
  writeModelSafetensors,
  writeSafetensors,
  type SafetensorsContent,
  type SafetensorsTensor,
} from "./formats/safetensors/write.ts";
export { assembleGraph, layeredGraph, type LayeredGraphOptions } from "./graph/layeredGraph.ts";
export type { Geometry, GeometryStep, Padding, Window } from "./model/geometry.ts";
export {
  defaultMaxEdges,
  forEachUnrolledEdge,
  materialiseUnrolled,
  unrolledGraph,
  type MaterialiseOptions,
  type UnrolledGraph,
} from "./graph/unrolledGraph.ts";
export type {
  UnrolledLayer,
  UnrolledLink,
  UnrolledOptions,
  UnrolledPlan,
} from "./graph/unrolledPlan.ts";
export { unrolledSize, type UnrolledSize } from "./graph/unrolledSize.ts";
export { unrolledMeasure } from "./analysis/unrolledMeasure.ts";
export { unrolledStrength } from "./analysis/unrolledStrength.ts";
export type { BlockPattern, BlockSums, CollapsedTaps, SideSums } from "./graph/block.ts";
export { addBiasNodes, type BiasedGraph } from "./graph/addBiasNodes.ts";
export { splitHeads } from "./graph/splitHeads.ts";
export type { Head } from "./model/attentionHeads.ts";
export { addNormalisationNodes, type NormalisedGraph } from "./graph/addNormalisationNodes.ts";
export { includeRecurrent } from "./graph/includeRecurrent.ts";
export { edgeWeightNames, weighEdges } from "./graph/edgeWeight.ts";
export type { EdgeWeight, GraphTransform, LayerNorm } from "./graph/weighting.ts";
export { transformGraph, type TransformOptions } from "./graph/transformGraph.ts";
export { graphTransforms } from "./graph/transforms.ts";
export type { Block, GraphLayer, LayeredGraph } from "./graph/layeredGraph.ts";
export {
  hypercoreNumber,
  hypercoreOfMatrix,
  type HypercoreOptions,
} from "./analysis/hypercoreNumber.ts";
export { nullable, type NodeValues } from "./analysis/nodeValues.ts";
export { rewirePreferentially } from "./rewrite/rewirePreferentially.ts";
export type {
  Rewired,
  RewireOptions,
  RewirePass,
  RewirePassReport,
  RewireReport,
} from "./rewrite/rewirePreferentially.ts";
export type { OrderSampler } from "./rewrite/drawOrder.ts";
export { strengthVariance, type StrengthVariance } from "./rewrite/strengthVariance.ts";
export { matrixOf, type WeightMatrix } from "./rewrite/weightMatrix.ts";
export { rewireBlocks, type RewiredBlock } from "./rewrite/rewireBlocks.ts";
export { rewireModel, type RewireModelOptions } from "./rewrite/rewireModel.ts";
export type { LayerSelection, RewrittenLayer, RewrittenModel } from "./rewrite/rewriteModel.ts";
export {
  searchByStrengthVariance,
  type SearchOptions,
  type SearchResult,
} from "./rewrite/searchByStrengthVariance.ts";
export {
  graphFromMatrix,
  matrixFromBlocks,
  type MatrixBlock,
  type MatrixForm,
} from "./graph/matrix.ts";
export { reduceGraph, type ReducedGraph, type ReduceOptions } from "./graph/reduce.ts";
export { nodeStrength, type NodeStrengthOptions } from "./analysis/nodeStrength.ts";
export { weightedDegree } from "./analysis/weightedDegree.ts";
export {
  persistence,
  type BlockPersistence,
  type Persistence,
  type PersistenceOptions,
} from "./analysis/persistence.ts";
export {
  bipartiteClustering,
  type BipartiteClusteringOptions,
} from "./analysis/bipartiteClustering.ts";
export {
  subgraphCentrality,
  type SubgraphCentrality,
  type SubgraphCentralityOptions,
} from "./analysis/subgraphCentrality.ts";
export {
  spectrum,
  type BlockSpectrum,
  type Spectrum,
  type SpectrumOptions,
} from "./analysis/spectrum.ts";
export {
  nullModels,
  nullSampler,
  type NullModel,
  type NullModelOptions,
} from "./analysis/nullModel.ts";
export {
  nullTally,
  type MeasureScores,
  type NullRun,
  type NullScore,
  type NullScores,
  type NullTally,
} from "./analysis/nullTally.ts";
export { anyMeasureById, blockMeasures, measureById, measures } from "./analysis/registry.ts";
export type {
  BlockFigures,
  BlockMeasure,
  BlockMeasureResult,
  Measure,
  MeasureParameter,
  MeasureResult,
  MeasureSummary,
  ParameterValue,
  ParameterValues,
} from "./analysis/measure.ts";
export {
  signatureStatistics,
  summarise,
  type SignatureStatistic,
  type Summary,
} from "./analysis/summarise.ts";
export {
  initFromHypercore,
  initFromStrength,
  type HypercoreInitOptions,
  type Reinitialised,
  type ReinitOptions,
} from "./rewrite/initFromHypercore.ts";
export type { MeanLaw, NeuronMeans, NeuronScores } from "./rewrite/neuronMeans.ts";
export { activationGains, type GainedActivation } from "./rewrite/activationGain.ts";
export { reinitModel, type ReinitModelOptions, type ReinitReport } from "./rewrite/reinitModel.ts";
export { viewEpoch, viewStructure } from "./export/viewData.ts";
export type {
  ViewEdges,
  ViewEpoch,
  ViewEpochLabel,
  ViewLayer,
  ViewMeasure,
  ViewStructure,
} from "./export/viewData.ts";
export { nodeEdges, type NodeEdge, type NodeEdges } from "./export/nodeEdges.ts";
export { wasmEngine } from "./train/engines/wasm.ts";
export { referenceEngine } from "./train/engines/reference.ts";
export { engines, type EngineEntry } from "./train/engines/engines.ts";
export type { Engine, Executable } from "./train/engines/engine.ts";
export type * from "./train/ir.ts";
export { programBuilder } from "./train/ir.ts";
export { gradients } from "./train/autodiff.ts";
export type { Registry } from "./train/registry.ts";
export { operations } from "./train/ops/operations.ts";
export { activationLayer, layers } from "./train/layers/layers.ts";
export type { Layer, LayerOptions, LayerPlan, ParameterPlan } from "./train/layers/layer.ts";
export { activations, type Activation } from "./train/activations/activations.ts";
export { initializers } from "./train/initializers/initializers.ts";
export type { Initializer } from "./train/initializers/initializer.ts";
export { losses, type Loss } from "./train/losses/losses.ts";
export { optimizers } from "./train/optimizers/optimizers.ts";
export type { Optimizer, OptimizerOptions, OptimizerUpdate } from "./train/optimizers/optimizer.ts";
export { architectures, buildArchitecture } from "./train/zoo/architectures.ts";
export type { ZooEntry, ZooOptions } from "./train/zoo/zoo.ts";
export { planNetwork, type Architecture, type LayerSpec, type Network } from "./train/network.ts";
export { train, type TrainingEpoch, type TrainOptions } from "./train/run.ts";
export {
  trainPopulation,
  type Member,
  type MemberEpoch,
  type PopulationEpoch,
  type PopulationOptions,
} from "./train/population.ts";
export type {
  GivenOptions,
  RunOptions,
  TrainingProgress,
  TrainingState,
} from "./train/runOptions.ts";
export type { NamedTensor } from "./train/trainer.ts";
export { trainedModel } from "./train/trainedModel.ts";
export {
  recordRun,
  type RecordedEpoch,
  type RecordOptions,
  type RunStore,
  type TensorCodec,
} from "./train/recordRun.ts";
export { firstOf, type Dataset, type Split } from "./data/dataset.ts";
export { readIdx, type IdxArray } from "./data/idx.ts";
export { readImageDataset, type ImageDatasetSources } from "./data/imageDataset.ts";
export { coreNumber, type CoreNumberOptions } from "./analysis/coreNumber.ts";
export {
  eigenvectorCentrality,
  type ComponentCentrality,
  type EigenvectorCentrality,
  type EigenvectorCentralityOptions,
} from "./analysis/eigenvectorCentrality.ts";
export { hits, type Hits, type HitsComponent, type HitsOptions } from "./analysis/hits.ts";
export { katz, type Katz, type KatzOptions } from "./analysis/katz.ts";
export { pagerank, type Pagerank, type PagerankOptions } from "./analysis/pagerank.ts";
export { connectedComponents, type Components } from "./graph/components.ts";
export type { EdgeAttributes } from "./export/edgeAttributes.ts";
export type {
  ExportedEdge,
  ExportedFacts,
  ExportedNode,
  ExportOptions,
} from "./export/exportedGraph.ts";
export {
  toGraphology,
  type GraphologyGraph,
  type GraphologyOptions,
} from "./export/toGraphology.ts";
export {
  fromGraphology,
  type FromGraphology,
  type FromGraphologyOptions,
} from "./export/fromGraphology.ts";
export {
  graphMetricById,
  runGraphMetrics,
  type GraphMetricOptions,
  type GraphMetricResult,
  type GraphMetricResults,
} from "./export/graphMetrics.ts";
export { graphMetrics, type GraphMetric } from "./export/metricTable.ts";
export { toNgraph, type NgraphGraph } from "./export/toNgraph.ts";
export { toTable, type GraphTables } from "./export/toTable.ts";
export { toArrow, toParquet, type TableFiles } from "./export/tableFiles.ts";
export {
  toHif,
  type HifAttributes,
  type HifDocument,
  type HifFacts,
  type HifOptions,
} from "./export/toHif.ts";
export { toGexf, type GexfOptions } from "./export/toGexf.ts";
export {
  snapshotRecords,
  temporalSignature,
  type EpochGraph,
  type SignatureOptions,
  type SignatureRecord,
  type TemporalSignature,
} from "./analysis/temporalSignature.ts";
export { epochTable, type EpochMetrics } from "./export/epochTable.ts";
export {
  curveFeatures,
  featureTable,
  hyperparameterFeatures,
  signatureFeatures,
  type FeatureRow,
  type FeatureTable,
} from "./predict/features.ts";
export {
  compareFeatures,
  type FeatureComparison,
  type FeatureSetScores,
  type LabelledRun,
} from "./predict/compareFeatures.ts";
export {
  crossValidate,
  type CrossValidateOptions,
  type CrossValidation,
  type Score,
} from "./predict/crossValidate.ts";
export { fitRidge, type RidgeOptions } from "./predict/ridge.ts";
export { fitLogistic, type LogisticOptions } from "./predict/logistic.ts";
export { linearScore, sigmoid, type LinearModel } from "./predict/linearModel.ts";
export {
  applyPredictor,
  fitPredictor,
  parsePredictor,
  type FitPredictorOptions,
  type Prediction,
  type Predictor,
} from "./predict/predictor.ts";
export { parseManifest, type RunManifest } from "./train/runManifest.ts";
