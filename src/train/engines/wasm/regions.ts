/** Stretches of the kernels' memory: who needs which when, and where each one comes to lie. */

/** Its address is known once the whole program has been planned. */
export interface Region {
  readonly byteLength: number;
  address: number;
}

/** A region that only steps `first` to `last` of one procedure need. */
export interface ScratchRegion extends Region {
  first: number;
  last: number;
}

/** A cache line, so that no two regions share one; a multiple of the vectors that kernels read and write whole. */
const alignment = 64;

export function newRegion(byteLength: number): Region {
  return { byteLength: Math.ceil(byteLength / alignment) * alignment, address: 0 };
}

export function newScratch(byteLength: number): ScratchRegion {
  return { ...newRegion(byteLength), first: Infinity, last: -Infinity };
}

/** Puts `regions` one after the other from `start` on. Returns where the last one ends. */
export function placeInLine(regions: Iterable<Region>, start: number): number {
  let end = start;
  for (const region of regions) {
    region.address = end;
    end += region.byteLength;
  }
  return end;
}

/**
 * Puts each region at the lowest address that is free for as long as it is needed: two regions share bytes only if no step needs
 * both. Returns the highest end. Cost: O(n²) for n regions, some dozens in a procedure.
 */
export function placeByLifetime(regions: readonly ScratchRegion[], start: number): number {
  let end = start;
  const live: ScratchRegion[] = [];
  for (const region of [...regions].sort((a, b) => a.first - b.first)) {
    const neighbours = live.filter(({ last }) => last >= region.first);
    let address = start;
    for (const other of neighbours.sort((a, b) => a.address - b.address)) {
      if (address + region.byteLength <= other.address) break;
      address = Math.max(address, other.address + other.byteLength);
    }
    region.address = address;
    live.push(region);
    end = Math.max(end, address + region.byteLength);
  }
  return end;
}
