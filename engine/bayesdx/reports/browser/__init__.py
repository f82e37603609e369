"""A page that answers in the browser of whoever reads it: one file, no network, nothing stored.

`network_data`    the numbers of a compiled network, as plain values
`judging_data`    rules, triage, texts and questions, as plain values
`support_data`    where each number comes from, and the sentences that the program says too
`writing`         all of it with the program in ``assets/`` as one page
"""
