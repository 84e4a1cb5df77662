import { numberOfText, recordOf, type LogRecord } from "./logRecord.ts";

/**
 * Metrics in lines such as `Epoch 3/10 - loss: 0.25 - val_loss: 0.3` or `epoch=3 loss=0.25`. Taken only where each epoch has one
 * line: of several nobody knows which is meant. Null for other texts.
 */
export function parseTextLog(text: string): readonly LogRecord[] | null {
  const records = new Map<number, LogRecord>();
  for (const line of text.split("\n")) {
    if (line.length > maxLineLength) continue;
    const match = /(?<![a-z])epochs?[\s:=#[]{0,3}(?<epoch>\d+)(?![\d.])(?:\s*\/\s*\d+)?\]?/i.exec(
      line,
    );
    if (match === null) continue;
    const epoch = Number(match.groups!["epoch"]);
    const rest = line.slice(match.index + match[0].length);
    const values = [...rest.matchAll(pair)].flatMap(({ groups }): [string, number][] => {
      const value = numberOfText(groups!["value"]!);
      return value === null ? [] : [[groups!["name"]!, value]];
    });
    if (values.length === 0) continue;
    if (records.has(epoch) || new Set(values.map(([name]) => name)).size < values.length)
      return null;
    records.set(epoch, { ...recordOf(values), epoch });
  }
  return records.size > 0 ? [...records.values()] : null;
}

/** Longer lines are no lines of a log. */
const maxLineLength = 4096;

/** `val_loss: 0.3`, `acc=0.9`, `loss 0.25`; no share of a whole (`10/100`), no unit behind (`3s`). */
const pair =
  /(?<![\w/@.-])(?<name>[A-Za-z][\w/@.-]*?)(?:\s*[:=]\s*|\s+)(?<value>[-+]?(?:\d+(?:\.\d*)?(?:e[-+]?\d+)?|nan|inf))(?![\w/%:]|\.\d)/gi;
