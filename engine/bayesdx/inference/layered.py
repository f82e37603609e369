"""Layered noisy networks asked like any other: state positions in, posteriors of all variables out.

The frontier sweep gives the causes and log P(evidence) of all cases in one pass. A finding that
nobody looked at, or a risk, takes a pass more for each of its states but one: put in as evidence,
its probability is P(state, evidence) / P(evidence). So these are worked out when they are read: one
by a pass over all cases, many by a pass over each case with all their states side by side.
Groups take part as what they are, noisy-ORs with links of 1 and no leak.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from bayesdx.errors import InvalidNetwork
from bayesdx.frozen import NamedValues
from bayesdx.inference.arrays import BoolArray, FloatArray, IntArray
from bayesdx.inference.evidence import Evidence, stacked
from bayesdx.inference.machine_code import Backend
from bayesdx.inference.noisy.answer import Answer
from bayesdx.inference.noisy.answer_table import FINDING, ORDINAL, RISK, AnswerTable, answer_table
from bayesdx.inference.noisy.careful import doubtful_cases
from bayesdx.inference.noisy.case_lanes import CaseLanes
from bayesdx.inference.noisy.choice import settled
from bayesdx.inference.noisy.compiling import compile_diagnosis
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import posteriors
from bayesdx.network.cpds import AnyOfCPD, NoisyMaxCPD, NoisyOrCPD
from bayesdx.network.network import Network

#: The layer of causes, beside those of questions, in `LayeredNetwork.place`.
CAUSE = 3
#: The less likely "absent" is, the more digits 1 - p loses: soft evidence below this share is
#: left to the general executors.
LEAST_SHARE = 1e-3
#: A likelihood below this loses digits when it is scaled.
LEAST_LIKELIHOOD = 1e-290
#: Cases put in together, and those of which reading one open variable works out all.
AT_ONCE, FEW_CASES = 8192, 4
#: Passes from which a case is answered with all of them side by side, which takes as long as twenty
#: in NumPy; compiled passes are cheaper in any number.
MANY_PASSES = 20

#: Cases that a variable is put in to, and the states that are put in.
Passes = tuple[IntArray, list[int]]


def layered_model(network: Network) -> NoisyModel | str:
    """Compile a network for the noisy executors, or say why it is none of theirs."""
    cpds = [
        NoisyOrCPD(cpd.child, cpd.parents, np.ones(len(cpd.parents)), 0.0)
        if isinstance(cpd, AnyOfCPD)
        else cpd
        for cpd in network.cpds.values()
    ]
    if not any(isinstance(cpd, NoisyOrCPD | NoisyMaxCPD) for cpd in cpds):
        return "it has no noisy-OR and no noisy-MAX"
    try:
        return compile_diagnosis(Network(network.variables.values(), cpds))
    except InvalidNetwork as error:
        return f"it is not layered ({error.faults[0]})"


class LayeredNetwork:
    """A layered noisy network and the place of each of its variables; immutable.

    Parameters
    ----------
    model : NoisyModel
        As `layered_model` made it.
    backend : {"auto", "numpy", "compiled"}
    """

    def __init__(self, model: NoisyModel, backend: Backend = "auto") -> None:
        self.model, self.backend = model, backend
        self.names = tuple(model.network.variables)
        at = {name: v for v, name in enumerate(self.names)}
        layers = (model.findings, model.ordinals, model.risks, model.causes)
        self._at = [np.array([at[name] for name in layer], dtype=np.intp) for layer in layers]
        self.place = {
            name: (k, i) for k, layer in enumerate(layers) for i, name in enumerate(layer)
        }
        self.given_cause = {name: found for name in at if (found := self._given_cause(name))}

    def evidence(
        self, states: IntArray, soft: Mapping[int, ArrayLike]
    ) -> tuple[Evidence, FloatArray, BoolArray]:
        """Write what is known of N cases as the noisy executors read it.

        Parameters
        ----------
        states : intp array (N, V)
            State positions, -1 unknown.
        soft : mapping of int to array (N, S)
            Likelihoods by position of the variable; a row of NaN says nothing.

        Returns
        -------
        evidence : Evidence
        log_scale : array (N,)
            Belongs to the log evidence: what the likelihoods were divided by.
        unwritten : bool array (N,)
            Cases with soft evidence that cannot be written so without a loss of digits; what is
            said of them is not all.
        """
        findings, ordinals, risks, causes = (states[:, at] for at in self._at)
        known = np.where(findings < 0, np.nan, findings)
        log_scale, unwritten = np.zeros(len(states)), np.zeros(len(states), dtype=np.bool_)
        for v, values in soft.items():
            layer, f = self.place[self.names[v]]
            likelihood = np.asarray(values, dtype=np.float64)
            silent = np.asarray(np.isnan(likelihood).all(axis=1))
            if layer != FINDING:
                unwritten |= ~silent
                continue
            likelihood = np.where(silent[:, None], 1.0, likelihood)
            top = likelihood.max(axis=1)
            absent, present = (likelihood / np.where(top > 0.0, top, 1.0)[:, None]).T
            seen = findings[:, f]
            total = np.where(seen == 0, absent, np.where(seen == 1, present, absent + present))
            equal = (seen < 0) & (absent == present)
            unwritten |= (seen < 0) & (absent > 0.0) & (absent < LEAST_SHARE)
            tiny = (likelihood > 0.0) & (likelihood < LEAST_LIKELIHOOD)
            unwritten |= tiny.any(axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                log_scale += np.log(np.where(equal, absent, total)) + np.log(top)
                share = np.where(equal, np.nan, present / total)
            known[:, f] = np.where(seen < 0, share, findings[:, f])
        most = np.array(self.model.ordinal_sizes, dtype=np.intp) - 1
        return (
            Evidence(
                findings=known,
                lower=np.maximum(ordinals, 0).astype(np.int8),
                upper=np.where(ordinals < 0, most, ordinals).astype(np.int8),
                risks=risks.astype(np.int8),
                causes=causes.astype(np.int8),
            ),
            log_scale,
            unwritten,
        )

    @cached_property
    def lanes(self) -> tuple[AnswerTable, CaseLanes]:
        """What answers one case with all states of all variables side by side."""
        return answer_table(self.model), CaseLanes(self.model)

    def question(self, name: str) -> int:
        """Position of a variable that is no cause among the questions of the answer table."""
        layer, i = self.place[name]
        return i + sum(len(self._at[before]) for before in range(layer))

    def query(
        self, evidence: Evidence, log_scale: FloatArray, names: Sequence[str]
    ) -> LayeredPosteriors:
        """Answer every case; of ``names`` the posteriors can be read."""
        answer = posteriors(self.model, evidence, only_evidence=not names, backend=self.backend)
        return LayeredPosteriors(self, evidence, answer, log_scale, tuple(names))

    def _given_cause(self, name: str) -> tuple[int, FloatArray] | None:
        """The only neighbour of a variable, or -1, and P(state | it); None where it has several."""
        model, (layer, i) = self.model, self.place[name]
        if layer == RISK:
            prior = model.risk_priors[i]
            children = [c for c, parents in enumerate(model.cause_parents) if i in parents]
            if not children:
                return -1, prior[None]
            if len(children) > 1 or model.cause_parents[children[0]] != (i,):
                return None
            table = model.cause_tables[children[0]]
            return children[0], prior * np.stack([1.0 - table, table])
        parents = model.network.parents(name)
        if layer == CAUSE or len(parents) > 1:
            return None
        table = model.network.table(name)
        return (model.causes.index(parents[0]), table) if parents else (-1, table[None])


class LayeredPosteriors(NamedValues[FloatArray]):
    """Posterior (N, S) of each variable of N cases, worked out when it is read first.

    Attributes
    ----------
    log_evidence : array (N,)
        -inf where the evidence is impossible, and where a case is too complex; posteriors are 0
        there.
    too_complex : bool array (N,) or (0,)
        Cases whose findings couple too much to be answered; empty where there are none.
    """

    def __init__(
        self,
        layered: LayeredNetwork,
        evidence: Evidence,
        answer: Answer,
        log_scale: FloatArray,
        names: tuple[str, ...],
    ) -> None:
        self.log_evidence = answer.log_evidence + log_scale
        self.too_complex = answer.too_complex
        self.doubtful = doubtful_cases(layered.model, evidence, answer)
        self._layered, self._evidence, self._answer = layered, evidence, answer
        self._names = names
        self._possible = ~np.isneginf(self.log_evidence)
        self._found: dict[str, FloatArray] = {}
        self._passes_made = 0

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __getitem__(self, name: str) -> FloatArray:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._found:
            passes = {name: self._passes(name)}
            if len(passes[name][0]):
                self._passes_made += len(passes[name][1])
                if len(self.log_evidence) <= FEW_CASES or self._passes_made > MANY_PASSES:
                    passes = self._pending()
            self._work_out(passes)
        return self._found[name]

    def items(self) -> ItemsView[str, FloatArray]:
        """All variables, worked out together."""
        self._work_out(self._pending())
        return super().items()

    def _pending(self) -> dict[str, Passes]:
        return {name: self._passes(name) for name in self._names if name not in self._found}

    def _work_out(self, passes: Mapping[str, Passes]) -> None:
        ratios = self._ratios(passes)
        for name, (rows, _) in passes.items():
            found = self._posterior(name, rows, ratios[name])
            found.setflags(write=False)
            self._found[name] = found

    def _likelihood(self, name: str) -> FloatArray:
        """What is known of a variable itself, array (N, S): ones where that is nothing."""
        evidence, (layer, i) = self._evidence, self._layered.place[name]
        if layer == FINDING:
            present = evidence.findings[:, i]
            both = np.stack([1.0 - present, present], axis=1)
            return np.where(np.isnan(both), 1.0, both)
        states = np.arange(self._layered.model.network.variables[name].cardinality)
        if layer == ORDINAL:
            known = (evidence.lower[:, [i]] <= states) & (states <= evidence.upper[:, [i]])
        else:
            state = (evidence.risks if layer == RISK else evidence.causes)[:, [i]]
            known = (state < 0) | (state == states)
        return known.astype(np.float64)

    def _passes(self, name: str) -> Passes:
        """Cases that a variable is put in to as evidence, and its states: all but one, or none."""
        layered = self._layered
        if layered.place[name][0] == CAUSE or name in layered.given_cause:
            return np.zeros(0, dtype=np.intp), []
        rows = np.flatnonzero((self._likelihood(name) > 0.0).sum(axis=1) > 1)
        layer, i = layered.place[name]
        states = list(range(layered.model.network.variables[name].cardinality))
        # Of a risk the most common state is what the others leave, of a finding the last one.
        del states[int(layered.model.risk_priors[i].argmax()) if layer == RISK else -1]
        return rows[self._possible[rows]], states

    def _ratios(self, passes: Mapping[str, Passes]) -> dict[str, FloatArray]:
        """P(e with the state, or at most that level) / P(e), arrays (states, cases)."""
        result = {
            name: np.empty((len(states), len(rows))) for name, (rows, states) in passes.items()
        }
        left = {name: np.arange(len(rows)) for name, (rows, _) in passes.items()}
        together = min(sum(ratios.size for ratios in result.values()), AT_ONCE)
        compiled = settled(self._layered.backend, self._layered.model, together) == "compiled"
        if not compiled and sum(map(len, result.values())) > MANY_PASSES:
            left = self._by_lanes(passes, result)
        jobs = [
            (name, at, columns[first : first + AT_ONCE])
            for name, columns in left.items()
            for at in range(len(result[name]))
            for first in range(0, len(columns), AT_ONCE)
        ]
        while jobs:
            now, size = [jobs.pop()], 0
            while jobs and size + len(now[-1][2]) + len(jobs[-1][2]) <= AT_ONCE:
                size += len(now[-1][2])
                now.append(jobs.pop())
            rows = [passes[name][0][columns] for name, _, columns in now]
            parts = [
                self._with_state(name, passes[name][1][at], some)
                for (name, at, _), some in zip(now, rows, strict=True)
            ]
            whole = self._answer.log_evidence[np.concatenate(rows)]
            answer = posteriors(
                self._layered.model,
                stacked(parts),
                only_evidence=True,
                backend=self._layered.backend,
                share_of=whole,
            )
            logs = answer.log_evidence - whole
            if len(answer.too_complex):
                logs[answer.too_complex] = np.nan
            ends = np.cumsum([len(some) for some in rows])
            for (name, at, columns), ratio in zip(now, np.split(np.exp(logs), ends), strict=False):
                result[name][at, columns] = ratio
        return result

    def _with_state(self, name: str, state: int, rows: IntArray) -> Evidence:
        """Return some cases with a state (of an ordinal: at most that level) put in."""
        layer, i = self._layered.place[name]
        part = self._evidence.take(rows)
        if layer == FINDING:
            part.findings[:, i] = state
        else:
            (part.upper if layer == ORDINAL else part.risks)[:, i] = state
        return part

    def _by_lanes(
        self, passes: Mapping[str, Passes], result: dict[str, FloatArray]
    ) -> dict[str, IntArray]:
        """Fill in ``result`` case by case, each with all its variables side by side.

        Returns
        -------
        dict of str to intp array
            Columns that are left: soft evidence on the variable, or a case that couples too much.
        """
        table, case_lanes = self._layered.lanes
        open_ = {name: one for name, one in passes.items() if len(one[0]) and len(one[1])}
        questions = {name: self._layered.question(name) for name in open_}
        asked = np.isin(table.row_question, list(questions.values()))
        lanes = np.append(np.flatnonzero(asked), -1)
        place = np.zeros(len(table.on), dtype=np.intp)
        place[lanes] = np.arange(len(lanes))
        cases = np.unique(np.concatenate([rows for rows, _ in open_.values()]))
        probability = np.full((len(table.question), len(cases)), np.nan)
        for at, row in enumerate(cases.tolist()):
            one = self._evidence.take(np.array([row]))
            found = case_lanes.reweighted(one, table.on[lanes], None, table.risks[lanes])
            if found is not None:
                shares = np.exp(found[0] - found[0][-1])[place[table.terms]]
                probability[:, at] = (table.shares * shares).sum(axis=1)
        left = {name: np.zeros(0, dtype=np.intp) for name in passes}
        for name, (rows, states) in open_.items():
            first, (layer, i) = table.first[questions[name]], self._layered.place[name]
            values = probability[first + np.array(states)][:, np.searchsorted(cases, rows)]
            result[name][...] = np.cumsum(values, axis=0) if layer == ORDINAL else values
            unknown = np.isnan(values[0])
            if layer == FINDING:
                unknown |= ~np.isnan(self._evidence.findings[rows, i])
            left[name] = np.flatnonzero(unknown)
        return left

    def _posterior(self, name: str, rows: IntArray, ratios: FloatArray) -> FloatArray:
        layer, i = self._layered.place[name]
        if layer == CAUSE:
            present = self._answer.causes[:, i]
            result = np.stack([1.0 - present, present], axis=1)
        else:
            result = self._likelihood(name)
            if name in self._layered.given_cause:
                cause, table = self._layered.given_cause[name]
                weights = result[:, None] * table
                total = weights.sum(axis=2, keepdims=True)
                # A state of the cause that rules out what is known has no probability.
                weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0.0)
                if cause >= 0:
                    present = self._answer.causes[:, cause, None]
                    result = (1.0 - present) * weights[:, 0] + present * weights[:, 1]
                else:
                    result = weights[:, 0]
            elif len(rows):
                result[rows] = self._open(layer, i, result[rows], ratios)
                # With the state put in the case was too complex: of this variable nothing is said.
                result[rows[np.isnan(ratios).any(axis=0)]] = 0.0
        result[~self._possible] = 0.0
        return result

    def _open(self, layer: int, i: int, likelihood: FloatArray, ratios: FloatArray) -> FloatArray:
        """Posterior of a variable where its state is not given, from what was put in."""
        if layer == FINDING:
            absent = np.minimum(likelihood[:, 0] * ratios[0], 1.0)
            return np.stack([absent, 1.0 - absent], axis=1)
        if layer == ORDINAL:
            ends = [np.zeros_like(ratios[:1]), ratios, np.ones_like(ratios[:1])]
            return np.maximum(np.diff(np.concatenate(ends), axis=0), 0.0).T
        usual = int(self._layered.model.risk_priors[i].argmax())
        left = np.maximum(1.0 - ratios.sum(axis=0), 0.0)
        return np.insert(ratios, usual, left, axis=0).T
