"""The weighted core numbers of one dense block in NumPy: the peer of graph.bench, in two forms.

Both keep a float32 matrix of magnitudes; all rows and columns at or below the level leave at once; what is left loses the sums of
what went. `mask_peel` is that and no more, with boolean masks. `dense_peel` takes single rows without a mask, sums afresh from what is left
where that is less to read, and stops when one side is empty. Prints one line of JSON per form: name, seconds, rounds, the largest
core number.

python3 densePeel.py BLOCK ROWS COLUMNS [REPEATS]   (BLOCK: raw float32, a row per receiving neuron)
"""

import json
import sys
import time

import numpy as np


def mask_peel(weights):
    """Core numbers of rows and of columns, and how many rounds it took."""
    size = np.abs(weights)
    row_degree = size.sum(axis=1)
    column_degree = size.sum(axis=0)
    rows = np.ones(len(row_degree), bool)
    columns = np.ones(len(column_degree), bool)
    row_core = np.zeros_like(row_degree)
    column_core = np.zeros_like(column_degree)
    level = np.float32(0)
    rounds = 0
    while rows.any() or columns.any():
        least_row = row_degree[rows].min(initial=np.inf)
        least_column = column_degree[columns].min(initial=np.inf)
        level = max(level, min(least_row, least_column))
        while True:
            rounds += 1
            gone_rows = rows & (row_degree <= level)
            gone_columns = columns & (column_degree <= level)
            if not gone_rows.any() and not gone_columns.any():
                break
            row_core[gone_rows] = level
            column_core[gone_columns] = level
            rows &= ~gone_rows
            columns &= ~gone_columns
            if gone_rows.any():
                column_degree -= size[gone_rows].sum(axis=0)
            if gone_columns.any():
                row_degree -= size[:, gone_columns].sum(axis=1)
    return row_core, column_core, rounds


def dense_peel(weights):
    """The same. A degree of infinity belongs to what has left."""
    size = np.abs(weights)
    rows, columns = size.shape
    row_degree = size.sum(axis=1)
    column_degree = size.sum(axis=0)
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
                lose(column_degree, size, gone_rows, (row_degree, rows_left))
            if rows_left and gone_columns.size:
                lose(row_degree, size.T, gone_columns, (column_degree, columns_left))
    return row_core, column_core, rounds


def lose(degree, weights, gone, others):
    """Takes the rows `gone` of `weights` out of `degree`."""
    other_degree, others_left = others
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
    repeats = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    weights = np.fromfile(path, np.float32).reshape(rows, columns)
    for form in (mask_peel, dense_peel):
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            row_core, column_core, rounds = form(weights)
            seconds.append(time.perf_counter() - start)
        largest = float(max(row_core.max(), column_core.max()))
        line = {"name": form.__name__, "seconds": seconds, "rounds": rounds, "largest": largest}
        print(json.dumps(line))


if __name__ == "__main__":
    main()
