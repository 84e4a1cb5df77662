"""The weighted core numbers of one dense block, as one would write them in NumPy: the peer of graph.bench.

Float32 magnitudes; all rows and columns at or below the level leave at once; what is left loses the sums of what went, or is
summed afresh from what is left where that is less to read. A copy by columns pays when it makes single columns contiguous
(`--columns-copy`), which costs a second block of memory. Prints one line of JSON: seconds, rounds, the largest core number.

python3 densePeel.py BLOCK ROWS COLUMNS [--columns-copy]   (BLOCK: raw float32, a row per receiving neuron)
"""

import json
import sys
import time

import numpy as np


def dense_peel(weights, columns_copy=False):
    """Core numbers of rows and of columns, and how many rounds it took."""
    size = np.abs(weights)
    by_column = np.ascontiguousarray(size.T) if columns_copy else size.T
    rows, columns = size.shape
    row_degree = size.sum(axis=1, dtype=np.float32)
    column_degree = size.sum(axis=0, dtype=np.float32)
    row_core = np.zeros(rows, np.float32)
    column_core = np.zeros(columns, np.float32)
    rows_left, columns_left = rows, columns
    level = np.float32(0)
    rounds = 0
    while rows_left or columns_left:
        level = max(level, min(row_degree.min(), column_degree.min()))
        while True:
            rounds += 1
            gone_rows = np.flatnonzero(row_degree <= level)
            gone_columns = np.flatnonzero(column_degree <= level)
            if not gone_rows.size and not gone_columns.size:
                break
            row_core[gone_rows] = level
            column_core[gone_columns] = level
            row_degree[gone_rows] = np.inf
            column_degree[gone_columns] = np.inf
            rows_left -= gone_rows.size
            columns_left -= gone_columns.size
            if columns_left and gone_rows.size:
                lose(column_degree, size, gone_rows, row_degree, rows_left)
            if rows_left and gone_columns.size:
                lose(row_degree, by_column, gone_columns, column_degree, columns_left)
    return row_core, column_core, rounds


def lose(degree, weights, gone, other_degree, others_left):
    """Takes the rows `gone` of `weights` out of `degree`; a degree of infinity stays what it is."""
    if others_left == 0:
        degree[np.isfinite(degree)] = 0
    elif gone.size == 1:
        degree -= weights[gone[0]]
    elif gone.size <= others_left:
        degree -= weights[gone].sum(axis=0)
    else:
        left = np.flatnonzero(np.isfinite(other_degree))
        alive = np.isfinite(degree)
        degree[alive] = weights[left].sum(axis=0)[alive]


def main():
    path, rows, columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    weights = np.fromfile(path, np.float32).reshape(rows, columns)
    start = time.perf_counter()
    row_core, column_core, rounds = dense_peel(weights, "--columns-copy" in sys.argv[4:])
    seconds = time.perf_counter() - start
    largest = float(max(row_core.max(), column_core.max()))
    print(json.dumps({"seconds": seconds, "rounds": rounds, "largest": largest}))


if __name__ == "__main__":
    main()
