/** Under which names runs keep what they measured. */
import { baseName } from "../seriesFile.ts";

const words =
  "logs?|metrics?|history|results?|scalars?|stats|losses|trainer_state|training|train|val|eval|progress";
const toldByName = new RegExp(
  `(?:^(?:.*[-_.])?(?:${words})(?:[-_.].*)?|^run|^manifest)\\.(?:json|jsonl|ndjson|csv|tsv|txt|log)$`,
  "i",
);
const quietEndings = /\.(?:jsonl|ndjson|csv|tsv|log)$/i;
const eventFile = /(?:^|[-_.])events\.out\.tfevents\./;
/** Weight manifests of TensorFlow.js. */
const noLog = /weights?[-_]?manifest|(?:^|[-_.])(?:model|config|tokenizer|index)\.json$/i;

/** True for a file that may hold metrics: no checkpoint, whatever number stands in its name. */
export function isLogName(path: string): boolean {
  const name = baseName(path);
  if (noLog.test(name)) return false;
  return isEventFileName(path) || toldByName.test(name) || quietEndings.test(name);
}

/** True where the name itself promises metrics, so that it is told when none are found. */
export function promisesMetrics(path: string): boolean {
  return isEventFileName(path) || toldByName.test(baseName(path));
}

/** `events.out.tfevents.1700000000.host.1.0`, as TensorBoard's writers call them. */
export function isEventFileName(path: string): boolean {
  return eventFile.test(baseName(path));
}

const order = ["log", "metrics", "history", "trainer_state", "run", "manifest"];

/** The most telling name first; of others JSON before tables, event files last. */
export function logRank(path: string): number {
  if (isEventFileName(path)) return 100;
  const [stem = "", ending = ""] = baseName(path)
    .toLowerCase()
    .split(/\.(?=[a-z]+$)/);
  const place = order.indexOf(stem);
  return (place === -1 ? order.length : place) + (ending.startsWith("json") ? 0 : 10);
}
