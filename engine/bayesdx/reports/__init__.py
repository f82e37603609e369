"""Answers as pages that people read: one file, offline, printable. Needs jinja2 (extra ``plot``).

`gathering`   what is told of one case: its short answer, and with ``--all`` every other one
`page`        the page; `views` is what its template reads
"""
