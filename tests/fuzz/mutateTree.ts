/** Damage that keeps a document well formed: values that nobody expects, names that mean something else, copies and cycles. */
import type { Random } from "../../src/index.ts";
import { pick } from "./mutateBytes.ts";

type Holder = Record<string | number, unknown>;

/** A place in a tree: `holder[key]`. */
interface Place {
  readonly holder: Holder;
  readonly key: string | number;
}

const strangers: readonly unknown[] = [
  null,
  true,
  0,
  1,
  -1,
  0.5,
  1e308,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 62,
  -(2 ** 62),
  "",
  "1",
  "-1",
  "9".repeat(30),
  "__proto__",
  "constructor",
  "toString",
  "../x",
  "/etc/passwd",
  "\u0000\u202e\u001b[2J",
  "x".repeat(5000),
  [],
  {},
  [-1],
  [2 ** 31, 2 ** 31],
  [2 ** 62, 2 ** 62, 2],
  [[[[[[[[]]]]]]]],
  Array.from({ length: 40 }, () => 1),
];

/** `root` with one to four of its values changed; `root` itself stays as it is. Values must be JSON's own. */
export function mutateTree(root: unknown, random: Random): unknown {
  const copy = structuredClone({ root });
  for (let rounds = 1 + random.integer(4); rounds > 0; rounds--) {
    const places = placesOf(copy);
    if (places.length === 0) break;
    const { holder, key } = pick(places, random);
    const value = holder[key];
    const other = pick(places, random);
    switch (random.integer(7)) {
      case 0:
        holder[key] = structuredClone(pick(strangers, random));
        break;
      case 1:
        remove(holder, key);
        break;
      case 2:
        holder[key] = structuredClone(other.holder[other.key]);
        break;
      case 3:
        holder[key] = sameKind(value, places, random);
        break;
      case 4:
        if (Array.isArray(value) && value.length > 0) {
          holder[key] = repeated(value, pick([2, 3, 50], random));
        }
        break;
      case 5:
        if (Array.isArray(holder)) break;
        Object.defineProperty(holder, pick(["__proto__", "constructor", "length2"], random), {
          value: structuredClone(value),
          enumerable: true,
          configurable: true,
          writable: true,
        });
        break;
      case 6:
        if (typeof value === "number") {
          holder[key] = pick([value + 1, value - 1, -value, value * 2 ** 20, 0], random);
        }
        break;
    }
  }
  return copy.root;
}

/** JSON text of a damaged document, now and then with a key twice or with brackets without end. */
export function mutateJson(root: unknown, random: Random): string {
  const text = JSON.stringify(mutateTree(root, random)) ?? "";
  switch (random.integer(12)) {
    case 0:
      return text.replace(/("[^"]*":(?:\d+|"[^"]*"|\[[^[\]]*\]))/, "$1,$1");
    case 1: {
      const depth = pick([10, 600, 20_000], random);
      return text.replace(/:[^{[,]+/, `:${"[".repeat(depth)}${"]".repeat(depth)}`);
    }
    case 2: {
      const depth = pick([10, 600, 5000], random);
      return text.replace(/:[^{[,]+/, `:${'{"config":'.repeat(depth)}0${"}".repeat(depth)}`);
    }
    case 3:
      return text.replace(/:\d+/, `:${"9".repeat(400)}`);
    default:
      return text;
  }
}

function placesOf(root: Holder): Place[] {
  const places: Place[] = [];
  const open: Holder[] = [root];
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      const value = holder[key];
      if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
        open.push(value as Holder);
      }
    }
  }
  return places;
}

/** Another value of the same type from elsewhere in the tree: how graphs get cycles and tensors get each other's shapes. */
function sameKind(value: unknown, places: readonly Place[], random: Random): unknown {
  const kinds = places
    .map(({ holder, key }) => holder[key])
    .filter(
      (other) => typeof other === typeof value && Array.isArray(other) === Array.isArray(value),
    );
  return kinds.length === 0 ? value : structuredClone(pick(kinds, random));
}

function repeated(values: readonly unknown[], times: number): unknown[] {
  return Array.from({ length: times }, () => structuredClone(values)).flat();
}

function remove(holder: Holder, key: string | number): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}
