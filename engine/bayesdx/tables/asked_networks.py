"""Networks that tables of cases are put to: posteriors, and the most probable explanations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import pandas as pd

from bayesdx.case_frames import CaseTable
from bayesdx.errors import Fault, InvalidNetwork, Phrase
from bayesdx.frozen import PlainParts, ReadOnly
from bayesdx.network.network import Network
from bayesdx.tables.case_states import Likelihoods, read_cases
from bayesdx.tables.encoding import Encoder
from bayesdx.tables.explanations import RANK, column_faults, explanation_frame, search_wanted
from bayesdx.tables.network_answer import NetworkAnswer, StateNames, status_of

if TYPE_CHECKING:
    from bayesdx.inference.compiled_network import NetworkSolver
    from bayesdx.inference.machine_code import Backend


class AskedNetwork(PlainParts, ReadOnly):
    """A network that is asked by tables; the base of `CompiledNetwork` and `CompiledMarkov`."""

    memory_limit: float
    backend: Backend
    _solver: NetworkSolver
    _encoder: Encoder
    #: The variables, which are the columns.
    _plain: Network

    def _described(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in ("network", "memory_limit", "backend")}

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        # Plans are made anew where the copy is used.
        return type(self), tuple(self._described().values())

    def query(
        self,
        evidence: CaseTable,
        *,
        likelihoods: Likelihoods = None,
        targets: Sequence[str] | None = None,
    ) -> NetworkAnswer:
        """Answer every case exactly: the posteriors of all variables.

        Parameters
        ----------
        evidence : DataFrame or mapping
            N cases; see the class.
        likelihoods : mapping of str to array (N, S), optional
            Soft evidence: for a variable, the likelihood of what was seen given each state, up to
            a factor. A row of NaN says nothing.
        targets : sequence of str, optional
            Variables whose posteriors are wanted, all by default; fewer are quicker.

        Returns
        -------
        NetworkAnswer
            Of a Markov network ``log_evidence`` is the natural log of Z(evidence), the sum of the
            product of all functions over the states that agree with the evidence: less
            ``log_partition``, it is log P(evidence).

        Raises
        ------
        InvalidCase
            With every fault at once: unknown columns or states, wrong shapes.
        InvalidNetwork
            If for none of the cases a plan would fit in the memory limit; it says what it would
            need. Where it would for some, the others have the status ``too_complex``.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable, compile_network
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> compile_network(rain).query([{}, {"rain": "yes"}]).posteriors["rain"].tolist()
        [[0.8, 0.2], [0.0, 1.0]]
        """
        faults: list[Fault] = []
        asked = None if targets is None else self._encoder.names("targets", targets, faults)
        states, soft, index = read_cases(self._encoder, evidence, likelihoods, faults)
        answer = self._solver.query(states, soft, asked)
        named, status = StateNames(self._plain, answer.posteriors), status_of(answer)
        return NetworkAnswer(answer.posteriors, named, answer.log_evidence, status, index)

    def mpe(
        self,
        evidence: CaseTable,
        *,
        k: int = 1,
        targets: Sequence[str] | None = None,
        likelihoods: Likelihoods = None,
        time_limit: float | None = None,
        branch_limit: int = 20_000,
    ) -> pd.DataFrame:
        """Return the k most probable explanations of every case, exactly or with a bound.

        An explanation is an assignment of all variables together, or of ``targets`` with the others
        summed out; not the most probable state of each. One elimination answers where it fits in
        the memory limit. Elsewhere branch and bound begins with splitting what does not fit, and
        with straight lines above noisy families of more than 4 parents.

        Parameters
        ----------
        evidence : DataFrame or mapping
            N cases; see the class.
        k : int
            How many explanations of each case, the best first; 1 to 10,000.
        targets : sequence of str, optional
            Variables whose joint assignment is wanted while all others are summed out ("MAP"); all
            by default ("MPE").
        likelihoods : mapping of str to array (N, S), optional
            Soft evidence, as in `query`, but not rescaled.
        time_limit : float, optional
            Seconds that the search of a case may take, if it is not answered by one elimination;
            no limit by default. What it finds may then depend on the machine.
        branch_limit : int
            Branches that such a search may make.

        Returns
        -------
        DataFrame
            A row an explanation, k or fewer a case if no more are possible, with the label of
            the case in the index of ``evidence``. One column a variable, in the order of the
            network, with the name of its state (the observed one where it is observed; None in
            every column where the evidence is impossible); ``rank``, from 1, if k is above 1;
            ``log_probability``, the natural log of P(assignment), of which the evidence is a part,
            times the likelihoods of its states, -inf where impossible (of a Markov network that of
            the product of its functions, not divided by their sum); ``log_bound``, which the
            best assignment of this rank does not exceed, equal to ``log_probability`` where that
            is proved (to 1e-12 of it); ``status``, ``"ok"`` where it is, else ``"unproved"``, or
            ``"impossible"``. Of equally probable assignments always the same ones are returned.

        Raises
        ------
        InvalidCase
            With every fault of the question and the evidence.
        InvalidNetwork
            If the tables, or what is summed out, would need more than the memory limit, with what
            they would need; if a variable is called ``log_probability``, ``log_bound`` or
            ``status``, or ``rank`` where k is above 1.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable, compile_network
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> compile_network(rain).mpe({}, k=2)["rain"].tolist()
        ['no', 'yes']
        """
        encoder, unknown = self._encoder, list[Fault]()
        asked = None if targets is None else encoder.names("targets", targets, unknown)
        if asked == [] and not unknown:
            unknown.append(Fault("targets", "one variable or more", Phrase("none")))
        limits = search_wanted(k, time_limit, branch_limit, unknown)
        faults = column_faults(self._plain, (RANK,) if k > 1 else ())
        if faults:
            raise InvalidNetwork(faults)
        states, soft, index = read_cases(encoder, evidence, likelihoods, [])
        positions = None if asked is None else [encoder.position[name] for name in asked]
        found = self._solver.most_probable(states, soft, positions, limits)
        return explanation_frame(self._plain, found, index, asked)
