"""Answers as pages that people read: one file, offline, printable. Needs the extra ``plot``.

`gathering`   every answer of the engine about one case
`page`        the page; `views` is what its template reads, `drawings` its figures
"""
