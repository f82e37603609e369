"""The report as Markdown; also what is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from growing import flatness


def number(value: float | None, digits: int = 3) -> str:
    """A figure of three digits, or a dash."""
    if value is None or value != value:
        return "–"
    if value and abs(value) < 1e-3:
        return f"{value:.1e}"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns are as wide as they must be: it is read as text too."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return "\n".join([line(head), rule, *(line(row) for row in rows)])


HEAD = (
    "network",
    "columns",
    "us a row",
    "first",
    "one case, us",
    "pyAgrum, us a row",
    "ratio",
    "with plan",
    "one case",
    "pgmpy, us a row",
    "ratio",
    "difference",
    "MB",
    "MB pyAgrum",
)


def network_cells(name: str, shape: str, part: Mapping[str, Any]) -> list[str]:
    """One line of the table of networks."""
    mine, peers = part["bayesdx"], part["peers"]
    best, second = part["best_pyAgrum"], part["best_pgmpy"]
    differences = [
        entry["difference"]
        for entry in peers.values()
        if entry.get("us_a_row") is not None and entry["difference"] is not None
    ]
    return [
        name,
        shape,
        number(mine["us_a_row"]) if mine["us_a_row"] is not None else mine["status"],
        number(mine.get("us_first")),
        number(mine.get("us_single")),
        f"{number(peers[best]['us_a_row'])} {best.removeprefix('pyAgrum ')}, "
        f"{peers[best]['rows']} rows"
        if best
        else outcome_words(peers, "pyAgrum"),
        number(part["ratio"]),
        number(part["first_ratio"]),
        number(part["single_ratio"]),
        # A few rows stand for all of them.
        f"{number(peers[second]['us_a_row'])} {second.removeprefix('pgmpy ')}, "
        f"{peers[second]['rows']} rows"
        if second
        else outcome_words(peers, "pgmpy"),
        number(part["pgmpy_ratio"]),
        number(max(differences, default=None)),
        number(mine.get("peak_mb")),
        number(peers[best].get("peak_mb")) if best else "–",
    ]


def outcome_words(peers: Mapping[str, Mapping[str, Any]], family: str) -> str:
    """How the engines of a family ended that gave no time."""
    words = [entry["status"] for name, entry in peers.items() if name.startswith(family)]
    return ", ".join(dict.fromkeys(words)) or "not asked"


def network_line(name: str, shape: str, part: Mapping[str, Any]) -> str:
    """One line while the run goes on."""
    cells = network_cells(name, shape, part)
    return "; ".join(f"{head} {cell}" for head, cell in zip(HEAD, cells, strict=True))


def remarks(networks: Mapping[str, Any]) -> list[str]:
    """Everything that was refused, wrong, late or not answered."""
    lines = []
    for name, found in networks.items():
        for shape, part in found["shapes"].items():
            entries = {"bayesdx": part["bayesdx"], **part["peers"]}
            for engine, entry in entries.items():
                if entry["note"]:
                    note = " ".join(str(entry["note"]).split())
                    lines.append(f"- {name}, {shape}, {engine}: {entry['status']}: {note}")
    return lines


def aims_table(aims: Sequence[Mapping[str, Any]]) -> str:
    words = {True: "reached", False: "not reached", None: "not measured"}
    rows = [[a["what"], a["target"], number(a["got"]), words[a["reached"]]] for a in aims]
    return table(("aim", "target", "measured", ""), rows)


def growth_sections(growth: Mapping[str, Any]) -> list[str]:
    parts: list[str] = []
    found = growth.get("rows", [])
    rows = [[f"{r['n']:,}", number(r["us_a_row"]), number(r["peak"])] for r in found]
    change = flatness(found)
    flat = "" if change is None else f" From 10,000 rows on it changes by {100 * change:.0f} %."
    parts += [
        "## Rows (default knowledge, risks partly unknown)\n",
        f"Each in a process of its own; beyond 100,000 rows streamed in blocks of 100,000.{flat}\n",
        table(("rows", "us a row", "peak MB"), rows),
    ]
    rows = [
        [c["cases"], str(c["workers"]), number(c["rate"]), number(c["peak"])]
        for c in growth.get("cases", [])
    ]
    parts += ["## Cases a second", table(("cases", "cores", "cases/s", "peak MB"), rows)]
    rows = [
        [b["cases"], number(b["ratio"]), number(b["difference"])]
        if "ratio" in b
        else [b["cases"], "–", b.get("reason", "")]
        for b in growth.get("backends", [])
    ]
    parts += ["## Compiled backend over NumPy", table(("cases", "ratio", "difference"), rows)]
    for key, title in (("positives", "Positives"), ("causes", "Causes a finding (50 x 110)")):
        parts += [f"## {title}", latency_table(growth.get(key, []))]
    rows = [
        [f"{d['n']:,}", number(1e6 / d["rate"]), number(d["peak"])] for d in growth.get("draws", [])
    ]
    parts += ["## Parameters drawn", table(("draws", "us a draw", "peak MB"), rows)]
    parts += [
        "## What this core does at best, and our share of it\n",
        *(line for one in growth.get("ceilings", []) for line in ceiling_lines(one)),
        *(f"- failed: {one}" for one in growth["failures"]),
    ]
    return parts


def ceiling_lines(one: Mapping[str, Any]) -> list[str]:
    """The machine's ceilings, and how far below them the default knowledge is answered."""
    lines = [
        f"{one['multiplications_per_s'] / 1e9:.2f} G multiplications/s elementwise in cache, "
        f"{one['flops_per_s'] / 1e9:.1f} GFlop/s in products of matrices. A case of the default "
        f"knowledge takes {one['operations_a_case']:,.0f} elementwise operations in NumPy's sweep "
        f"and {one['product_flops_a_case']:,.0f} in a product of matrices; the compiled loop is "
        "held against the same work, of which it may need less.\n"
    ]
    rows = [
        [
            backend,
            number(rate),
            f"{100 * rate * one['operations_a_case'] / one['multiplications_per_s']:.1f} %",
            f"{100 * rate * one['product_flops_a_case'] / one['flops_per_s']:.2g} %",
        ]
        for backend, rate in one["cases_per_s"].items()
    ]
    head = ("one core", "cases/s", "of the elementwise ceiling", "of that of products")
    return [*lines, table(head, rows)]


def latency_table(found: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for one in found:
        start = [str(one.get("causes", "")), str(one["positives"])]
        if not one.get("n"):
            rows.append([*start, one.get("reason", "no such case drawn"), *["–"] * 6])
            continue
        ms = one["single_ms"]
        rows.append(
            [
                *start,
                f"{one['n']:,}",
                number(one["rate"]),
                *(number(ms[key]) for key in ("p50", "p90", "p99", "max")),
                number(one["peak"]),
            ]
        )
    head = ("causes", "positives", "rows", "rows/s", "one, ms: p50", "p90", "p99", "max", "MB")
    return table(head, rows)


def markdown(report: Mapping[str, Any]) -> str:
    """The whole report."""
    told = ", ".join(f"{key} {value}" for key, value in report["about"].items())
    parts = [
        "# Speed\n",
        f"{told}.\n",
        "Times are CPU time on one core; they depend on the machine and on what else it does. "
        "Ratios are within this run. A peer has a time only if its answers are those of bayesdx "
        "to 1e-9 on every row that it was asked. Of pyAgrum the best of its exact engines counts, "
        "evidence changed in place; of the packaged knowledge it gets each case parent-divorced, "
        "the making of that network not counted. Where an engine was asked fewer than all rows "
        "(the number stands beside its time), those stand for all: each engine and network has a "
        "time of its own, and one that takes more than 0.1 s a row is asked 5.\n",
    ]
    if report["networks"]:
        rows = [
            network_cells(name, shape, part)
            for name, found in report["networks"].items()
            for shape, part in found["shapes"].items()
        ]
        parts += ["## Networks\n", table(HEAD, rows), "", *remarks(report["networks"]), ""]
    if report["growth"]:
        parts += growth_sections(report["growth"])
    if report["hard"]:
        rows = [[h["question"], h["engine"], h["answer"]] for h in report["hard"]]
        parts += ["\n## What is hard to get right\n", table(("case", "engine", "answer"), rows)]
    if report.get("aims"):
        parts += ["\n## Aims\n", aims_table(report["aims"])]
    parts += [f"\n![{name}]({name})" for name in report["figures"]]
    return "\n".join(parts) + "\n"
