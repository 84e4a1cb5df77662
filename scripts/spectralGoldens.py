#!/usr/bin/env python3
"""Golden values of trained models for spectra, persistence, clustering and subgraph centrality, into fixtures/golden/spectral.json.

Debian's python3-numpy, python3-scipy and python3-networkx. weightgraph only hands over the raw weights and which neuron each row
and column is (scripts/exportBlocks.ts).

usage, in the repository: /usr/bin/python3 scripts/spectralGoldens.py
Models that are not there are left as they are in the file.
"""
import hashlib
import json
import os
import subprocess
import tempfile

import networkx
import numpy as np
import scipy
import scipy.linalg
from networkx.algorithms import bipartite
from scipy.sparse.csgraph import minimum_spanning_tree

from block_folder import read_block_folder

MODELS = [
    "fixtures/mnist-mlp/final.onnx",
    "../shared/data/onnx/version-RFB-320.onnx",
    "../shared/data/onnx/magika_standard_v3_3.onnx",
    "../shared/data/tfjs-layers/doodlenet/model.json",
]
TARGET = "fixtures/golden/spectral.json"
MIN_EIGENVALUE = 1e-5
SAMPLES = 25
# networkx compares neighbourhoods as sets: minutes for a graph of more pairs than this.
CLUSTERING_NODES = 900


def power_law(values):
    """Every value but the largest as xmin, maximum likelihood, the least Kolmogorov-Smirnov distance."""
    values = np.sort(values)
    logs = np.log(values)
    best = None
    for i in range(len(values) - 1):
        tail = len(values) - i
        excess = np.mean(logs[i:] - logs[i])
        if excess <= 1e-9:
            continue
        alpha = 1 + 1 / excess
        law = 1 - (values[i:] / values[i]) ** (1 - alpha)
        distance = np.abs(law - np.arange(tail) / tail).max()
        if best is None or distance < best["distance"]:
            error = (alpha - 1) / np.sqrt(tail)
            best = {"alpha": alpha, "alphaError": error, "xmin": values[i], "distance": distance, "tail": tail}
    return best


def block_spectrum(matrices):
    """Squared singular values of all matrices by LAPACK's SVD, pooled."""
    found = [np.linalg.svd(matrix, compute_uv=False) ** 2 for matrix in matrices]
    values = np.concatenate(found)
    if values.max() == 0:
        return None
    largest = float(values.max())
    side = max(min(matrix.shape) for matrix in matrices)
    figures = {
        "eigenvalues": len(values),
        "frobeniusNorm": float(np.sqrt(values.sum())),
        "spectralNorm": float(np.sqrt(largest)),
        "stableRank": float(values.sum() / largest),
        "logNorm": float(np.log10(values.sum())),
        "logSpectralNorm": float(np.log10(largest)),
    }
    fitted = values[(values > MIN_EIGENVALUE) & (values > np.finfo(float).eps * side * largest)]
    law = power_law(fitted) if len(fitted) >= 10 else None
    if law is not None:
        figures.update({name: float(value) for name, value in law.items()})
        figures["alphaHat"] = float(law["alpha"] * np.log10(largest))
        figures["logAlphaNorm"] = float(np.log10((fitted ** law["alpha"]).sum()))
    return figures


def spectra(graph):
    """Of each block: a matrix per group and tap (slices), and a matrix per group of columns times taps (flatten)."""
    result = {"slices": [], "flatten": []}
    for block in graph.blocks:
        weights = block.weights.astype(np.float64)
        groups, rows, _, taps = weights.shape
        result["slices"].append(block_spectrum([weights[g, :, :, t] for g in range(groups) for t in range(taps)]))
        result["flatten"].append(block_spectrum([weights[g].reshape(rows, -1) for g in range(groups)]))
    return result


def norms(block):
    return np.sqrt((block.weights.astype(np.float64) ** 2).sum(axis=-1))


def persistences(graph):
    """1 - w over the edges of a maximum spanning tree of each group, by scipy; w is the norm of the taps over the network's largest."""
    largest = max(norms(block).max() for block in graph.blocks)
    blocks = []
    for block in graph.blocks:
        values = []
        for group in norms(block):
            rows, columns = group.shape
            # Distances from 1 to 2, none of them zero, which scipy would take for no edge.
            distances = np.zeros((rows + columns, rows + columns))
            distances[:rows, rows:] = 2 - group / largest
            values.append(minimum_spanning_tree(distances).data - 1)
        values = np.concatenate(values)
        norm = float(np.sqrt((values**2).sum()))
        blocks.append({"persistence": norm, "normalised": norm / np.sqrt(len(values))})
    return {"blocks": blocks, "normalised": float(np.mean([block["normalised"] for block in blocks]))}


def sampled(values):
    values = np.asarray(values, dtype=np.float64)
    nodes = np.unique(np.linspace(0, len(values) - 1, SAMPLES).astype(int))
    return {"sum": float(values.sum()), "nodes": {str(node): float(values[node]) for node in nodes}}


def positive(taps):
    return np.where(taps.sum(axis=-1) > 0, np.sqrt((taps * taps).sum(axis=-1)), 0)


def clusterings(graph):
    """networkx on the graph of positive edges; `in` on its bipartite double, where a neuron as receiver has only its senders."""
    directed = graph.sparse(positive)
    whole = networkx.from_scipy_sparse_array(directed + directed.T)
    count = graph.node_count
    double = networkx.Graph()
    double.add_nodes_from(range(2 * count))
    rows, columns = directed.nonzero()
    double.add_edges_from(zip(rows.tolist(), (columns + count).tolist()))
    result = {}
    for mode in ["dot", "max", "min"]:
        received = bipartite.latapy_clustering(double, nodes=range(count), mode=mode)
        result[mode] = {"in": sampled([received[node] for node in range(count)])}
        if bipartite.is_bipartite(whole):
            both = bipartite.latapy_clustering(whole, mode=mode)
            result[mode]["both"] = sampled([both[node] for node in range(count)])
    return result


def log_exponential_diagonal(matrix):
    values, vectors = scipy.linalg.eigh(matrix)
    return values[-1] + np.log((vectors**2) @ np.exp(values - values[-1]))


def subgraphs(graph):
    """networkx where it counts edges, LAPACK's eigh where they have weights; logarithms."""
    adjacency = graph.adjacency()
    counted = networkx.from_scipy_sparse_array(adjacency != 0)
    centrality = networkx.subgraph_centrality(counted)
    directed = graph.sparse(positive)
    return {
        "unweighted": sampled([np.log(centrality[node]) for node in range(graph.node_count)]),
        "weighted": sampled(log_exponential_diagonal(adjacency.toarray())),
        "positive": sampled(log_exponential_diagonal((directed + directed.T).toarray())),
    }


def measure(graph):
    measured = {"nodes": graph.node_count, "spectrum": spectra(graph), "persistence": persistences(graph)}
    if graph.node_count <= CLUSTERING_NODES:
        measured["clustering"] = clusterings(graph)
        measured["subgraph"] = subgraphs(graph)
    return measured


def main():
    golden = {}
    if os.path.exists(TARGET):
        with open(TARGET, encoding="utf-8") as file:
            golden = json.load(file)["models"]
    for path in MODELS:
        if not os.path.exists(path):
            print("absent:", path)
            continue
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["node_modules/.bin/tsx", "scripts/exportBlocks.ts", path, folder], check=True)
            graph = read_block_folder(folder)
        with open(path, "rb") as file:
            sha256 = hashlib.sha256(file.read()).hexdigest()
        golden[path] = {"sha256": sha256, **measure(graph)}
        print(path, graph.node_count, "nodes", flush=True)
    origin = {
        "script": "scripts/spectralGoldens.py",
        "networkx": networkx.__version__,
        "scipy": scipy.__version__,
        "numpy": np.__version__,
    }
    os.makedirs(os.path.dirname(TARGET), exist_ok=True)
    with open(TARGET, "w", encoding="utf-8") as file:
        json.dump({"origin": origin, "models": golden}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
