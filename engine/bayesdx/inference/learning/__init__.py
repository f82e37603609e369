"""Learning the tables of a general network from cases, some of whose cells are missing.

====================  ==========================================================================
`network_parameters`  a network as tables with rows that are learnt, noisy families as mechanisms
`noisy_links`         a noisy family as small tables, and back
`expectation`         expected counts of all tables over all rows, and the log likelihood
`pseudo_counts`       the prior, as imagined observations
`maximisation`        EM: counts to tables and again, until nothing moves
====================  ==========================================================================

The sweeps are `bayesdx.inference.general.family_counts`.
"""
