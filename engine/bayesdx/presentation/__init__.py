"""A result as text, JSON and HTML: one description of each, three renderers, one vocabulary.

`words`      how probabilities, ids and lists are written, and the sentences that several places say
`layout`     what a description is made of: paragraphs and tables
`terminal`, `notebook`, `as_json`    the renderers
`*_view`     one result each

Results are read as they stand: this package imports nothing of what makes them.
"""
