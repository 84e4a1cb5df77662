#!/usr/bin/env python3
"""Golden values of trained models, by tools that know nothing of this project, into fixtures/golden/peers.json.

Debian's python3-networkx, python3-igraph, python3-scipy and python3-numpy; every value that two of them can give is asked of
both. weightgraph only hands over the raw weights and which neuron each row and column is (scripts/exportBlocks.ts).

usage, in the repository: /usr/bin/python3 scripts/peerGoldens.py
Models that are not there are left as they are in the file.
"""
import hashlib
import json
import os
import subprocess
import tempfile

import igraph
import networkx
import numpy as np
import scipy
import scipy.linalg
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh

from block_folder import read_block_folder

MODELS = [
    "fixtures/mnist-mlp/final.onnx",
    "../shared/data/onnx/hello_deepa.onnx",
    "../shared/data/onnx/version-RFB-320.onnx",
    "../shared/data/onnx/light_squeezenet.onnx",
    "../shared/data/onnx/magika_standard_v3_3.onnx",
    "../shared/data/onnx/silero_vad_16k_op15.onnx",
    "../shared/data/tfjs-layers/doodlenet/model.json",
    "../shared/data/tfjs-graph/basic_pitch/model.json",
]
TARGET = "fixtures/golden/peers.json"
SAMPLES = 9
DENSE_LIMIT = 4000


def digest(values):
    """A vector in few numbers: two sums, the largest magnitude, and some entries, first and last among them."""
    values = np.asarray(values, dtype=np.float64)
    index = np.arange(len(values))
    sampled = np.unique(np.linspace(0, len(values) - 1, SAMPLES).astype(int))
    return {
        "sum": float(values.sum()),
        "projection": float(values @ ((index * 7919 % 1009) / 1009)),
        "sumAbs": float(np.abs(values).sum()),
        "largest": float(np.abs(values).max()),
        "nodes": {str(node): float(values[node]) for node in sampled},
    }


def difference(values, reference):
    return float(np.abs(np.asarray(values) - reference).max())


def strengths(graph):
    """Numpy alone: no library has a strength with a sign. `in` is of what a neuron receives."""
    parts = {
        "signed": lambda w: w,
        "absolute": np.abs,
        "positive": lambda w: np.maximum(w, 0),
        "negative": lambda w: np.maximum(-w, 0),
    }
    result = {}
    for sign, part in parts.items():
        into = np.zeros(graph.node_count)
        out_of = np.zeros(graph.node_count)
        for block in graph.blocks:
            weights = part(block.weights.astype(np.float64))
            np.add.at(into, block.row_nodes, weights.sum(axis=(2, 3)))
            np.add.at(out_of, block.column_nodes, weights.sum(axis=(1, 3)))
        result[sign] = {"in": digest(into), "out": digest(out_of)}
    return result


def eigenvectors(adjacency, labels, as_igraph):
    """Each component with an edge: eigh where it is small enough to be dense, else ARPACK; igraph as the second opinion."""
    values = np.zeros(adjacency.shape[0])
    second = np.zeros(adjacency.shape[0])
    components = []
    for label in range(labels.max() + 1):
        nodes = np.flatnonzero(labels == label)
        if len(nodes) == 1:
            continue
        part = adjacency[nodes][:, nodes]
        if len(nodes) <= DENSE_LIMIT:
            spectrum, vectors = scipy.linalg.eigh(part.toarray(), subset_by_index=[len(nodes) - 1] * 2)
        else:
            spectrum, vectors = eigsh(part, k=1, which="LA", tol=0, maxiter=100000)
        vector = np.abs(vectors[:, 0])
        values[nodes] = vector / np.linalg.norm(vector)
        components.append({"size": len(nodes), "eigenvalue": float(spectrum[0])})
        subgraph = as_igraph.induced_subgraph(nodes.tolist())
        theirs = np.array(subgraph.eigenvector_centrality(weights="weight", scale=True))
        second[nodes] = theirs / np.linalg.norm(theirs)
    return values, components, difference(second, values)


def default_networkx(as_networkx, values, components):
    """What a user meets who calls networkx with nothing but the weights."""
    try:
        found = networkx.eigenvector_centrality(as_networkx, weight="weight")
    except networkx.PowerIterationFailedConvergence as error:
        return {"outcome": "failed", "message": str(error.args[-1])}
    theirs = np.array([found[node] for node in range(len(values))])
    answer = {"outcome": "converged"}
    if len(components) == 1:
        answer["largestError"] = difference(theirs, values)
    return answer


def core_numbers(as_networkx, as_igraph):
    cores = networkx.core_number(as_networkx)
    values = [cores[node] for node in range(len(cores))]
    assert values == as_igraph.coreness(), "networkx and igraph disagree on core numbers"
    return values


def weighted_cores(adjacency):
    """s-core numbers by the plainest peel; neither library has them."""
    degrees = np.asarray(adjacency.sum(axis=1)).ravel()
    alive = np.ones(len(degrees), dtype=bool)
    values = np.zeros(len(degrees))
    level = 0.0
    for _ in range(len(degrees)):
        node = int(np.where(alive, degrees, np.inf).argmin())
        level = max(level, degrees[node])
        values[node] = level
        alive[node] = False
        row = adjacency.indices[adjacency.indptr[node] : adjacency.indptr[node + 1]]
        degrees[row] -= adjacency.data[adjacency.indptr[node] : adjacency.indptr[node + 1]]
    return values


def hypercores(graph):
    """(k, 2)-hypercore numbers of the sending neurons, |w| summed over taps, by the plainest peel."""
    by_edge = graph.sparse(lambda taps: np.abs(taps).sum(axis=-1))
    by_vertex = by_edge.T.tocsr()
    members = np.diff(by_edge.indptr)
    living = members >= 2
    degrees = np.asarray(by_edge[living].sum(axis=0)).ravel()
    alive = np.diff(by_vertex.indptr) > 0
    values = np.zeros(graph.node_count)
    level = 0.0
    for _ in range(int(alive.sum())):
        vertex = int(np.where(alive, degrees, np.inf).argmin())
        level = max(level, degrees[vertex])
        values[vertex] = level
        alive[vertex] = False
        for edge in by_vertex.indices[by_vertex.indptr[vertex] : by_vertex.indptr[vertex + 1]]:
            members[edge] -= 1
            if living[edge] and members[edge] < 2:
                living[edge] = False
                span = slice(by_edge.indptr[edge], by_edge.indptr[edge + 1])
                degrees[by_edge.indices[span]] -= by_edge.data[span]
    return values


def directed_networks(graph):
    """Sender to receiver, weighted by norms, the neurons that stand in a block: for networkx and for igraph."""
    edges = graph.sparse(lambda taps: np.sqrt((taps * taps).sum(axis=-1))).tocoo()
    ends = [nodes.ravel() for block in graph.blocks for nodes in (block.row_nodes, block.column_nodes)]
    members = np.unique(np.concatenate(ends))
    as_networkx = networkx.DiGraph()
    as_networkx.add_nodes_from(members.tolist())
    as_networkx.add_weighted_edges_from(zip(edges.col.tolist(), edges.row.tolist(), edges.data.tolist()))
    place = np.zeros(graph.node_count, dtype=int)
    place[members] = np.arange(len(members))
    as_igraph = igraph.Graph(
        n=len(members), edges=list(zip(place[edges.col].tolist(), place[edges.row].tolist())), directed=True
    )
    as_igraph.es["weight"] = edges.data.tolist()
    return edges.tocsr(), as_networkx, as_igraph, members


def by_node(found, node_count):
    """What networkx calls by node, as a vector; 0 for neurons in no block."""
    values = np.zeros(node_count)
    for node, value in found.items():
        values[node] = value
    return values


def pageranks(as_networkx, as_igraph, members, node_count):
    answer = {}
    for name, network in (("forward", as_networkx), ("reverse", as_networkx.reverse())):
        found = networkx.pagerank(network, tol=2e-15 / len(members), max_iter=10000)
        answer[name] = digest(by_node(found, node_count))
        if name == "forward":
            theirs = as_igraph.pagerank(weights="weight", damping=0.85)
            values = np.array([found[node] for node in members.tolist()])
            answer["igraphDifference"] = difference(theirs, values)
    return answer


def singular_pairs(edges):
    """The leading pair of every part of the matrix, by LAPACK, each vector at sum 1."""
    node_count = edges.shape[0]
    twice = scipy.sparse.bmat([[None, edges.T], [edges, None]]).tocsr()
    count, labels = connected_components(twice, directed=False)
    hubs, authorities, singular_values = np.zeros(node_count), np.zeros(node_count), []
    for label in range(count):
        nodes = np.flatnonzero(labels == label)
        if len(nodes) == 1:
            continue
        senders, receivers = nodes[nodes < node_count], nodes[nodes >= node_count] - node_count
        left, spectrum, right = np.linalg.svd(edges[receivers][:, senders].toarray(), full_matrices=False)
        hubs[senders] = np.abs(right[0]) / np.abs(right[0]).sum()
        authorities[receivers] = np.abs(left[:, 0]) / np.abs(left[:, 0]).sum()
        singular_values.append(float(spectrum[0]))
    return hubs, authorities, singular_values


def hubs_and_authorities(edges, as_networkx, as_igraph, members):
    hubs, authorities, singular_values = singular_pairs(edges)
    whole = [by_node(found, len(hubs)) for found in networkx.hits(as_networkx, tol=0, max_iter=10000)]
    theirs = [as_igraph.hub_score(weights="weight"), as_igraph.authority_score(weights="weight")]
    differences = [
        difference(np.array(scores) / np.sum(scores), values[members]) for scores, values in zip(theirs, whole)
    ]
    return {
        "hub": digest(hubs),
        "authority": digest(authorities),
        "singularValues": sorted(singular_values, reverse=True)[:20],
        "networkx": {"hub": digest(whole[0]), "authority": digest(whole[1])},
        "igraphDifference": max(differences),
    }


def katz_centralities(as_directed, as_undirected, eigenvalue, node_count):
    """networkx by LAPACK; its power iteration takes minutes where the graph is undirected and alpha is near its limit."""
    alpha = 0.9 / eigenvalue
    networks = {"forward": as_directed, "reverse": as_directed.reverse(), "undirected": as_undirected}
    answer = {"alpha": alpha}
    for name, network in networks.items():
        found = networkx.katz_centrality_numpy(network, alpha=alpha, weight="weight")
        answer[name] = digest(by_node(found, node_count))
    return answer


def networkx_eigenvector(as_networkx):
    """Of the whole graph, by ARPACK to machine precision: the part with the largest eigenvalue has it all."""
    found = networkx.eigenvector_centrality_numpy(as_networkx, weight="weight", max_iter=100000, tol=0)
    return digest(by_node(found, len(as_networkx)))


def measure(graph):
    adjacency = graph.adjacency()
    upper = scipy.sparse.triu(adjacency).tocoo()
    assert (upper.row != upper.col).all(), "an edge joins a neuron to itself"
    edges = list(zip(upper.row.tolist(), upper.col.tolist()))
    as_igraph = igraph.Graph(n=graph.node_count, edges=edges)
    as_igraph.es["weight"] = upper.data.tolist()
    as_networkx = networkx.Graph()
    as_networkx.add_nodes_from(range(graph.node_count))
    as_networkx.add_weighted_edges_from(zip(upper.row.tolist(), upper.col.tolist(), upper.data.tolist()))

    count, labels = connected_components(adjacency, directed=False)
    assert count == networkx.number_connected_components(as_networkx) == len(as_igraph.components())
    degrees = np.array([as_networkx.degree(node, weight="weight") for node in range(graph.node_count)])
    assert difference(as_igraph.strength(weights="weight"), degrees) <= 1e-12 * degrees.max()
    values, components, second = eigenvectors(adjacency, labels, as_igraph)
    edges, as_directed, as_directed_igraph, members = directed_networks(graph)
    eigenvalue = max(component["eigenvalue"] for component in components)
    return {
        "nodes": graph.node_count,
        "neighbours": adjacency.nnz // 2,
        "components": sorted(np.bincount(labels).tolist(), reverse=True)[:20],
        "componentCount": int(count),
        "strength": strengths(graph),
        "weightedDegree": digest(degrees),
        "coreNumber": digest(core_numbers(as_networkx, as_igraph)),
        "weightedCore": digest(weighted_cores(adjacency)),
        "hypercore": digest(hypercores(graph)),
        "eigenvector": {**digest(values), "components": components, "igraphDifference": second},
        "networkxDefault": default_networkx(as_networkx, values, components),
        "networkxEigenvector": networkx_eigenvector(as_networkx),
        "pagerank": pageranks(as_directed, as_directed_igraph, members, graph.node_count),
        "hits": hubs_and_authorities(edges, as_directed, as_directed_igraph, members),
        "katz": katz_centralities(as_directed, as_networkx.subgraph(members.tolist()), eigenvalue, graph.node_count),
    }


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
        np.random.seed(0)
        golden[path] = {"sha256": sha256, **measure(graph)}
        default = golden[path]["networkxDefault"]
        print(path, graph.node_count, "nodes; networkx by default:", default, flush=True)
    origin = {
        "script": "scripts/peerGoldens.py",
        "networkx": networkx.__version__,
        "igraph": igraph.__version__,
        "scipy": scipy.__version__,
        "numpy": np.__version__,
    }
    os.makedirs(os.path.dirname(TARGET), exist_ok=True)
    with open(TARGET, "w", encoding="utf-8") as file:
        json.dump({"origin": origin, "models": golden}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
