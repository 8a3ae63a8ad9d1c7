"""Reference answers of the problems in `report.studies.problems`, none of them made by SMC.

Each file has samples `z` (n, P) in the circuit's parameters and units, their `statistics` (n, S),
`eta` and `theta`, natural parameters of the moments and of the standardised ones, `log_z`,
`entropy` in nats and `entropy_se`, and how it was made. Scripts, a method each:

    uniform_references.py, stg_uniform.c   d3, d5, d8, d12: the STG, from uniform draws
    gpu_uniform.py, mixture_reference.py   d12 by more draws and by others
    quadrature.py                          d2: the note's problem, on the library's grid
    rejection.py                           linear2d, rnn5, rnn10: uniform draws, NumPy
    corners.py                             rnn2: draws pushed outwards, weighted, NumPy
    long_chains.py                         a check of rnn5 and rnn10: NUTS at their eta
"""
