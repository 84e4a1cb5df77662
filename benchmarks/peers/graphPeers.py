"""The Python peers of graph.bench: one tool on one case, in a process of its own.

python3 graphPeers.py TOOL CASE.json: says it is ready, then answers each line of stdin, the name of a measure, with a line of
JSON: seconds, peak memory in MB, and what the tool says of its own answer; or why it failed. TOOL is numpy, numpy-masks (the plain
form of the core numbers), scipy, networkx, igraph or graph-tool. One thread; at most 8 GB of memory. Seconds are the process's own, user and system.
"""

import json
import os
import resource
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np  # noqa: E402  (the number of threads is read on import)

from densePeel import dense_peel, mask_peel  # noqa: E402


def read_case(path):
    with open(path) as file:
        case = json.load(file)
    flat = np.fromfile(case["file"], np.float32)
    blocks, at = [], 0
    for block in case["blocks"]:
        size = block["rows"] * block["columns"]
        weights = flat[at : at + size].reshape(block["rows"], block["columns"])
        at += size
        blocks.append((weights, np.array(block["rowNodes"]), np.array(block["columnNodes"])))
    return case["nodeCount"], blocks


def edge_list(blocks):
    """[edges, 2] of node numbers and the magnitudes of the weights."""
    ends = [
        np.stack([np.tile(columns, len(rows)), np.repeat(rows, len(columns))], axis=1)
        for _, rows, columns in blocks
    ]
    return np.concatenate(ends), np.abs(np.concatenate([w.ravel() for w, _, _ in blocks]))


def numpy_measures(node_count, blocks):
    def read():
        for weights, _, _ in blocks:
            weights.sum()

    def strengths():
        for weights, _, _ in blocks:
            signed_rows, signed_columns = weights.sum(1), weights.sum(0)
            positive = np.maximum(weights, 0)
            rows, columns = positive.sum(1), positive.sum(0)
            _ = rows, columns, signed_rows - rows, signed_columns - columns

    def core():
        return core_of(dense_peel, blocks)

    def rewiring():
        random = np.random.default_rng(0)
        weights = blocks[0][0].copy()
        rewire_rows(weights, random)
        turned = np.ascontiguousarray(weights.T)
        rewire_rows(turned, random)
        np.ascontiguousarray(turned.T)

    measures = {"read": read, "strengths": strengths, "rewiring": rewiring}
    return {**measures, "core": core} if len(blocks) == 1 else measures


def core_of(peel, blocks):
    rows, columns, _ = peel(blocks[0][0])
    return {"largest": float(max(rows.max(), columns.max()))}


def numpy_masks_measures(node_count, blocks):
    return {"core": lambda: core_of(mask_peel, blocks)}


def rewire_rows(weights, random):
    """A pass of PA rewiring, in place: exponential keys, one argsort and one sort a row."""
    strengths = np.zeros(weights.shape[1])
    for above, row in zip(weights, weights[1:]):
        strengths += above
        chance = strengths + (abs(strengths.min()) + 1)
        order = np.argsort(random.standard_exponential(strengths.size) / chance)
        row[order] = np.sort(row)


def scipy_measures(node_count, blocks):
    from scipy.sparse.linalg import LinearOperator, eigsh

    def eigenvector_in(dtype):
        sizes = [(np.abs(w).astype(dtype), rows, columns) for w, rows, columns in blocks]

        def product(x):
            x = x.ravel().astype(dtype, copy=False)
            y = np.zeros(node_count, dtype)
            for size, rows, columns in sizes:
                y[rows] += size @ x[columns]
                y[columns] += x[rows] @ size
            return y

        operator = LinearOperator((node_count, node_count), product, dtype=dtype)

        def solve(basis):
            values, vectors = eigsh(
                operator, 1, which="LA", ncv=basis, tol=1e-8, v0=np.ones(node_count, dtype)
            )

            def residual():
                rest = product(vectors[:, 0]) - values[0] * vectors[:, 0]
                return float(np.linalg.norm(rest) / values[0])

            return {"residual": residual, "largest": float(values[0])}

        def timed(basis):
            start = time.process_time()
            try:
                solve(basis)
            except Exception:
                return float("inf")
            return time.process_time() - start

        best = []

        def run():
            if not best:
                best.append(min((4, 6, 10, 20), key=timed))
                return {"again": True}
            return solve(best[0])

        return run

    edges = sum(w.size for w, _, _ in blocks)
    if edges > 20_000_000:
        return {"eigenvector": eigenvector_in(np.float32)}
    return {"eigenvector": eigenvector_in(np.float64)}


def networkx_measures(node_count, blocks):
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(range(node_count))
    ends, sizes = edge_list(blocks)
    graph.add_weighted_edges_from(zip(*ends.T.tolist(), sizes.tolist()))

    def default():
        nx.eigenvector_centrality(graph, weight="weight")

    def by_numpy():
        nx.eigenvector_centrality_numpy(graph, weight="weight")

    def k_core():
        return {"largest": max(nx.core_number(graph).values())}

    def strengths():
        dict(graph.degree(weight="weight"))

    return {
        "strengths": strengths,
        "k-core": k_core,
        "eigenvector": by_numpy,
        "eigenvector, default": default,
    }


def igraph_measures(node_count, blocks):
    import igraph

    ends, sizes = edge_list(blocks)
    graph = igraph.Graph(node_count, ends.tolist())
    sizes = sizes.tolist()

    def eigenvector():
        values, largest = graph.eigenvector_centrality(weights=sizes, return_eigenvalue=True)
        return {"largest": largest}

    return {
        "strengths": lambda: {"largest": max(graph.strength(weights=sizes))},
        "eigenvector": eigenvector,
        "k-core": lambda: {"largest": max(graph.coreness())},
    }


def graph_tool_measures(node_count, blocks):
    import graph_tool
    from graph_tool.centrality import eigenvector
    from graph_tool.topology import kcore_decomposition

    graph_tool.openmp_set_num_threads(1)
    ends, sizes = edge_list(blocks)
    graph = graph_tool.Graph(directed=False)
    graph.add_vertex(node_count)
    graph.add_edge_list(ends)
    weight = graph.new_edge_property("double", vals=sizes)
    return {
        "strengths": lambda: {"largest": float(graph.degree_property_map("total", weight).a.max())},
        "k-core": lambda: {"largest": int(kcore_decomposition(graph).a.max())},
        "eigenvector": lambda: {"largest": float(eigenvector(graph, weight=weight)[0])},
    }


TOOLS = {
    "numpy": numpy_measures,
    "numpy-masks": numpy_masks_measures,
    "scipy": scipy_measures,
    "networkx": networkx_measures,
    "igraph": igraph_measures,
    "graph-tool": graph_tool_measures,
}


def timed(measure):
    """The median of as many runs as fit into a quarter of a second, or one that takes longer."""
    times, begin = [], time.process_time()
    while not times or time.process_time() - begin < 0.25:
        start = time.process_time()
        answer = measure() or {}
        times.append(time.process_time() - start)
        if answer.get("again"):
            times, begin = [], time.process_time()
    # What is only checked is not timed.
    told = {name: value() if callable(value) else value for name, value in answer.items()}
    return {"seconds": sorted(times)[len(times) // 2], **told}


def tell(answer):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps({**answer, "peakMb": peak}), flush=True)


def reason(error):
    return f"{type(error).__name__}: {error}".split("\n")[0][:120]


def main():
    tool, path = sys.argv[1:3]
    limit = 8 * 2**30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        measures = TOOLS[tool](*read_case(path))
    except Exception as error:
        return tell({"failure": reason(error)})
    tell({"ready": True})
    for line in sys.stdin:
        try:
            tell(timed(measures[line.strip()]))
        except Exception as error:
            tell({"failure": reason(error)})


if __name__ == "__main__":
    main()
