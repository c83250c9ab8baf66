"""Machine-made wrong answers: what the properties make of every small change to the reference.

    python -m tests.bench.mutants                      # all parts, in some twenty minutes; pip install cosmic-ray
    python -m tests.bench.mutants vae.log_mean_exp     # some of them
    python -m tests.bench.mutants --tell               # the tables of grading/bank/README.md, from the results

A mutant is the reference with one change in the body of one function: by the operators of cosmic-ray, and by those of
`operators`, which are slips of this field. The part's properties judge it as `elbo check` does, in a worker. Those that
no property rejects stand in `equivalent.toml`, each with the reason why no input can tell it from the reference: status
1 where one does not, and where an entry is of no survivor any more.
"""
