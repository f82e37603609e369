"""Layered noisy networks asked like any other: state positions in, posteriors of all variables out.

The frontier sweep gives the causes and log P(evidence) of all cases in one pass. A finding that
nobody looked at, or a risk, takes a pass more for each of its states but one: put in as evidence,
its probability is P(state, evidence) / P(evidence). So these are worked out when they are read.
Groups take part as what they are, noisy-ORs with links of 1 and no leak.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from bayesdx.errors import InvalidNetwork
from bayesdx.inference.arrays import FloatArray, IntArray
from bayesdx.inference.evidence import Evidence, stacked
from bayesdx.inference.noisy.compiling import compile_diagnosis
from bayesdx.inference.noisy.model import NoisyModel
from bayesdx.inference.noisy.query import Answer, posteriors
from bayesdx.network import AnyOfCPD, Network, NoisyMaxCPD, NoisyOrCPD

#: Layers of variables, by position in `LayeredNetwork.place`.
FINDING, ORDINAL, RISK, CAUSE = range(4)
#: The less likely "absent" is, the more digits 1 - p loses: soft evidence below this share is
#: left to the general executors.
LEAST_SHARE = 1e-3
#: Cases put in together; where all variables take no more, reading one works out all of them.
AT_ONCE = 8192


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
    """

    def __init__(self, model: NoisyModel) -> None:
        self.model = model
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
    ) -> tuple[Evidence, FloatArray] | None:
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

            None where some soft evidence cannot be written so without a loss of digits.
        """
        findings, ordinals, risks, causes = (states[:, at] for at in self._at)
        known = np.where(findings < 0, np.nan, findings)
        log_scale = np.zeros(len(states))
        for v, values in soft.items():
            layer, f = self.place[self.names[v]]
            if layer != FINDING:
                return None
            likelihood = np.asarray(values, dtype=np.float64)
            likelihood = np.where(np.isnan(likelihood).all(axis=1, keepdims=True), 1.0, likelihood)
            top = likelihood.max(axis=1)
            absent, present = (likelihood / np.where(top > 0.0, top, 1.0)[:, None]).T
            seen = findings[:, f]
            total = np.where(seen == 0, absent, np.where(seen == 1, present, absent + present))
            equal = (seen < 0) & (absent == present)
            if ((seen < 0) & (absent > 0.0) & (absent < LEAST_SHARE)).any():
                return None
            with np.errstate(divide="ignore", invalid="ignore"):
                log_scale += np.log(np.where(equal, absent, total) * top)
                share = np.where(equal, np.nan, present / total)
            known[:, f] = np.where(seen < 0, share, findings[:, f])
        most = np.array(self.model.ordinal_sizes, dtype=np.intp) - 1
        return Evidence(
            findings=known,
            lower=np.maximum(ordinals, 0).astype(np.int8),
            upper=np.where(ordinals < 0, most, ordinals).astype(np.int8),
            risks=risks.astype(np.int8),
            causes=causes.astype(np.int8),
        ), log_scale

    def query(
        self, evidence: Evidence, log_scale: FloatArray, names: Sequence[str]
    ) -> LayeredPosteriors:
        """Answer every case; of ``names`` the posteriors can be read."""
        answer = posteriors(self.model, evidence, only_evidence=not names)
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


class LayeredPosteriors(Mapping[str, FloatArray]):
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
        self._layered, self._evidence, self._answer = layered, evidence, answer
        self._names = names
        self._possible = ~np.isneginf(self.log_evidence)
        self._found: dict[str, FloatArray] = {}

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
                pending = [one for one in self._names if one not in self._found]
                every = {one: self._passes(one) for one in pending}
                if sum(len(rows) * len(states) for rows, states in every.values()) <= AT_ONCE:
                    passes = every
            ratios = self._ratios(passes)
            for one, (rows, _) in passes.items():
                self._found[one] = self._posterior(one, rows, ratios[one])
        return self._found[name]

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

    def _passes(self, name: str) -> tuple[IntArray, list[int]]:
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

    def _ratios(self, passes: Mapping[str, tuple[IntArray, list[int]]]) -> dict[str, FloatArray]:
        """P(e with the state, or at most that level) / P(e), arrays (states, cases)."""
        waiting: list[tuple[FloatArray, IntArray, Evidence]] = []
        result: dict[str, FloatArray] = {}
        for name, (rows, states) in passes.items():
            layer, i = self._layered.place[name]
            result[name] = np.empty((len(states), len(rows)))
            for at, state in enumerate(states):
                for first in range(0, len(rows), AT_ONCE):
                    some = rows[first : first + AT_ONCE]
                    part = self._evidence.take(some)
                    if layer == FINDING:
                        part.findings[:, i] = state
                    else:
                        (part.upper if layer == ORDINAL else part.risks)[:, i] = state
                    waiting.append((result[name][at, first : first + AT_ONCE], some, part))
        while waiting:
            now: list[tuple[FloatArray, IntArray, Evidence]] = []
            size = 0
            while waiting and (not now or size + len(waiting[-1][1]) <= AT_ONCE):
                now.append(waiting.pop())
                size += len(now[-1][1])
            put_in = stacked([part for _, _, part in now])
            logs = (
                posteriors(self._layered.model, put_in, only_evidence=True).complete().log_evidence
            )
            logs -= self._answer.log_evidence[np.concatenate([rows for _, rows, _ in now])]
            ratio, first = np.exp(logs), 0
            for target, rows, _ in now:
                target[...] = ratio[first : first + len(rows)]
                first += len(rows)
        return result

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
