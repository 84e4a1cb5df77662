// The rolled graph of a model file as a folder of raw blocks. usage: tsx scripts/exportBlocks.ts MODEL FOLDER
import { argv } from "node:process";
import { layeredGraph, openModel } from "../src/node.ts";
import { writeBlockFolder } from "./blockFolder.ts";

const [path = "", folder = ""] = argv.slice(2);
writeBlockFolder(await layeredGraph(await openModel(path), { keep: "taps" }), folder);
