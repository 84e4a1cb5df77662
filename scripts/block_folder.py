"""Reads what `blockFolder.ts` wrote: a layered graph as blocks of raw weights, and the usual matrices made of them."""
import json
import os
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp


@dataclass
class Block:
    weights: np.ndarray  # [groups, rows / groups, columns / groups, taps], as stored
    row_nodes: np.ndarray  # [groups, rows / groups]
    column_nodes: np.ndarray  # [groups, columns / groups]

    def pairs(self):
        """Receiver and sender of every edge, both [groups, rows / groups, columns / groups]."""
        shape = self.weights.shape[:3]
        receivers = np.broadcast_to(self.row_nodes[:, :, None], shape)
        senders = np.broadcast_to(self.column_nodes[:, None, :], shape)
        return receivers, senders


@dataclass
class Graph:
    name: str
    node_count: int
    edge_count: int
    blocks: list

    def sparse(self, edge_weight):
        """[receivers, senders] as CSR float64; parallel edges add, zeros are no edges. `edge_weight` turns taps into one number."""
        rows, columns, values = [], [], []
        for block in self.blocks:
            receivers, senders = block.pairs()
            rows.append(receivers.ravel())
            columns.append(senders.ravel())
            values.append(edge_weight(block.weights.astype(np.float64)).ravel())
        shape = (self.node_count, self.node_count)
        joined = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        matrix = sp.coo_matrix(joined, shape=shape).tocsr()
        matrix.eliminate_zeros()
        return matrix

    def adjacency(self):
        """|A| of the rolled graph, symmetric: the L2 norm of the taps, each edge both ways."""
        directed = self.sparse(lambda taps: np.sqrt((taps * taps).sum(axis=-1)))
        return (directed + directed.T).tocsr()


def read_block_folder(folder):
    with open(os.path.join(folder, "graph.json"), encoding="utf-8") as file:
        stored = json.load(file)
    blocks = []
    for block in stored["blocks"]:
        groups = block["groups"]
        shape = (groups, block["rows"] // groups, block["columns"] // groups, block["taps"])
        weights = np.fromfile(os.path.join(folder, block["file"]), dtype=block["dtype"])
        row_nodes = np.array(block["rowNodes"]).reshape(groups, -1)
        column_nodes = np.array(block["columnNodes"]).reshape(groups, -1)
        blocks.append(Block(weights.reshape(shape), row_nodes, column_nodes))
    return Graph(stored["name"], stored["nodeCount"], stored["edgeCount"], blocks)
