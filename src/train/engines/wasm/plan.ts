/**
 * Turns procedures into steps over regions of memory. An activation [P, B, …] may lie there in two orders: `plain`, as its shape
 * says, or `lanes`, [P, ceil(B / 8), …, 8], eight images side by side, which is what the kernels take. A tensor is converted when
 * a step asks for the order that it has not got, and not before.
 */
import type { Kernels } from "../../../kernels/load.ts";
import { elementCount } from "../../../tensor/shape.ts";
import type { Procedure, Program, Tensor } from "../../ir.ts";
import { newRegion, newScratch, type Region, type ScratchRegion } from "./regions.ts";

/** What steps run on, once there is memory. */
interface Machine {
  readonly kernels: Kernels;
  readonly buffer: ArrayBuffer;
}

/** Looks up addresses once and returns what is run each time. */
export type Step = (machine: Machine) => () => void;

/** A tensor in lane order. */
interface Lanes {
  readonly region: Region;
  /** True if the lanes beyond the batch hold zeros for certain. */
  readonly clean: boolean;
}

interface Home {
  plain?: Region;
  lanes?: Lanes;
}

/** Regions that last as long as the program: states, inputs, tables. */
export interface Lasting {
  /** By storage. */
  readonly tensors: ReadonlyMap<number, Region>;
  /** By what they are tables of. */
  readonly tables: Map<string, { readonly region: Region; readonly content: Int32Array }>;
}

export function lastingRegions({ states, procedures }: Program): Lasting {
  const tensors = new Map<number, Region>();
  for (const tensor of [...states, ...procedures.flatMap(({ inputs }) => inputs)]) {
    tensors.set(tensor.storage, newRegion(byteLength(tensor)));
  }
  return { tensors, tables: new Map() };
}

/** How a tensor [P, B, …] is cut into blocks of eight images. */
export interface Blocks {
  readonly members: number;
  readonly batch: number;
  /** Elements of one image. */
  readonly features: number;
  /** Blocks of one member. */
  readonly blocks: number;
  readonly blockBytes: number;
  readonly memberBytes: number;
}

export function blocksOf({ shape: [members = 1, batch = 1, ...rest] }: Tensor): Blocks {
  const features = elementCount(rest);
  const blocks = Math.ceil(batch / 8);
  const blockBytes = features * 32;
  return { members, batch, features, blocks, blockBytes, memberBytes: blocks * blockBytes };
}

/** The steps of one procedure, while they are being written. */
export class ProcedurePlan {
  readonly steps: Step[] = [];
  readonly scratchRegions: ScratchRegion[] = [];
  private readonly lasting: Lasting;
  private readonly homes = new Map<number, Home>();
  private touched: Region[] = [];

  constructor(lasting: Lasting) {
    this.lasting = lasting;
  }

  /** Where a tensor lies in plain order. */
  plain(tensor: Tensor): Region {
    const home = this.home(tensor);
    if (home.plain === undefined) {
      const made = this.newScratch(byteLength(tensor));
      this.convert(tensor, made, home.lanes!.region, "fromLanes");
      home.plain = made;
    }
    return this.touch(home.plain);
  }

  /** Where a tensor [P, B, …] lies in lane order; with `clean`, zeros in the lanes beyond the batch are seen to. */
  lanes(tensor: Tensor, clean = false): Region {
    const home = this.home(tensor);
    if (home.lanes === undefined) {
      const { members, memberBytes } = blocksOf(tensor);
      const region = this.newScratch(members * memberBytes);
      this.convert(tensor, region, home.plain!, "toLanes");
      home.lanes = { region, clean: true };
    }
    const { region } = home.lanes;
    if (clean && !home.lanes.clean) {
      this.clearPadding(tensor, region);
      home.lanes = { region, clean: true };
    }
    return this.touch(region);
  }

  /** True if the tensor lies in lane order and nothing has to be converted for it. */
  isInLanes(tensor: Tensor): boolean {
    return this.home(tensor).lanes !== undefined;
  }

  /** True if it lies in lane order with nothing but zeros beyond the batch, or asking for that order would make it so. */
  isClean(tensor: Tensor): boolean {
    return this.home(tensor).lanes?.clean ?? true;
  }

  makePlain(tensor: Tensor): Region {
    const plain = this.newScratch(byteLength(tensor));
    this.homes.set(tensor.id, { plain });
    return this.touch(plain);
  }

  /** `clean` says that the step will leave zeros in the lanes beyond the batch. */
  makeLanes(tensor: Tensor, clean: boolean): Region {
    const { members, batch, memberBytes } = blocksOf(tensor);
    const region = this.newScratch(members * memberBytes);
    this.homes.set(tensor.id, { lanes: { region, clean: clean || batch % 8 === 0 } });
    return this.touch(region);
  }

  /** `tensor` lies where `from` lies. In lane order too if `from` has it and population, batch and image keep their sizes. */
  alias(tensor: Tensor, from: Tensor): void {
    const { shape } = tensor;
    const home = this.home(from);
    const sameBlocks = shape[0] === from.shape[0] && shape[1] === from.shape[1];
    if (home.lanes !== undefined && sameBlocks && shape.length > 1) {
      this.homes.set(tensor.id, { ...home });
    } else {
      this.homes.set(tensor.id, { plain: this.plain(from) });
    }
  }

  /** `tensor` is what a step has written over `from`. */
  overwrite(tensor: Tensor, from: Tensor): void {
    this.homes.set(tensor.id, { plain: this.plain(from) });
  }

  /** Memory for the next step alone. */
  scratch(byteLength: number): Region {
    return this.touch(this.newScratch(byteLength));
  }

  /** A constant table, built once for all steps that name it alike. */
  table(name: string, build: () => Int32Array): Region {
    let table = this.lasting.tables.get(name);
    if (table === undefined) {
      const content = build();
      table = { region: newRegion(content.byteLength), content };
      this.lasting.tables.set(name, table);
    }
    return table.region;
  }

  /** Appends a step. What was asked for since the last one is taken to be in use during it. */
  emit(step: Step): void {
    const at = this.steps.length;
    for (const region of this.touched) use(region, at);
    this.touched = [];
    this.steps.push(step);
  }

  /** Sees to it that the caller can read the outputs when all steps are done; returns where, by tensor id. */
  finish({ outputs }: Procedure): ReadonlyMap<number, Region> {
    const places = new Map(outputs.map((tensor) => [tensor.id, this.plain(tensor)]));
    for (const region of places.values()) use(region, this.steps.length);
    return places;
  }

  private home(tensor: Tensor): Home {
    let home = this.homes.get(tensor.id);
    if (home === undefined) {
      home = { plain: this.lasting.tensors.get(tensor.storage)! };
      this.homes.set(tensor.id, home);
    }
    return home;
  }

  private newScratch(byteLength: number): ScratchRegion {
    const made = newScratch(byteLength);
    this.scratchRegions.push(made);
    return made;
  }

  private touch(region: Region): Region {
    this.touched.push(region);
    return region;
  }

  /** Emits a step on the way to another one, whose regions are not in use yet. */
  private detour(regions: readonly Region[], step: Step): void {
    const outer = this.touched;
    this.touched = [...regions];
    this.emit(step);
    this.touched = outer;
  }

  private convert(tensor: Tensor, to: Region, from: Region, kernel: "toLanes" | "fromLanes"): void {
    const { members, batch, features, memberBytes } = blocksOf(tensor);
    const plainBytes = batch * features * 4;
    const [toBytes, fromBytes] =
      kernel === "toLanes" ? [memberBytes, plainBytes] : [plainBytes, memberBytes];
    this.detour([to, from], ({ kernels }) => () => {
      for (let member = 0; member < members; member++) {
        const target = to.address + member * toBytes;
        kernels[kernel](target, from.address + member * fromBytes, batch, features);
      }
    });
  }

  private clearPadding(tensor: Tensor, region: Region): void {
    const { members, batch, features, memberBytes } = blocksOf(tensor);
    this.detour([region], ({ kernels }) => () => {
      for (let member = 0; member < members; member++) {
        kernels.clearPadding(region.address + member * memberBytes, batch, features);
      }
    });
  }
}

/** Stretches a scratch region's life over step `at`; the others live always. */
function use(region: Region, at: number): void {
  const scratch = region as Partial<ScratchRegion>;
  if (scratch.first === undefined || scratch.last === undefined) return;
  scratch.first = Math.min(scratch.first, at);
  scratch.last = Math.max(scratch.last, at);
}

function byteLength({ shape }: Tensor): number {
  return elementCount(shape) * 4;
}
