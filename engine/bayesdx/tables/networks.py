"""Any discrete network, asked by tables of state names."""

from __future__ import annotations

from collections.abc import Sequence

from bayesdx.case_frames import CaseTable
from bayesdx.errors import Fault, InvalidNetwork
from bayesdx.inference.compiled_network import NetworkSolver
from bayesdx.inference.general.tree_plan import TreePlan
from bayesdx.inference.machine_code import Backend
from bayesdx.network.network import Network
from bayesdx.tables.case_states import Likelihoods, read_cases
from bayesdx.tables.differentiated_networks import DifferentiatedNetwork
from bayesdx.tables.drawn_networks import DrawnNetwork
from bayesdx.tables.encoding import Encoder
from bayesdx.tables.joints import JointAnswer, joint_answer, joint_faults
from bayesdx.tables.learning import LearningNetwork

#: Bytes that the tables of a plan and the arrays of one case may take.
MEMORY_LIMIT = 2 << 30

#: One row a case, columns among the variables, cells state names; or one case as a mapping.
#: Tables may be of pandas, Arrow, polars, or lists of mappings.
Evidence = CaseTable


class CompiledNetwork(LearningNetwork, DrawnNetwork, DifferentiatedNetwork):
    """A network ready to be queried; made by `compile_network`, safe to share between threads.

    Plans are made as evidence needs them and kept: the first query that observes certain
    variables may take longer than the next. In all methods ``evidence`` is a DataFrame, one row a
    case, columns among the variables, cells state names, of which NaN, None and NA mean unknown. A
    mapping of variables to states is one case, and a list of mappings so many, without the cost of
    a table; cheapest of all is an int array (N, V) of positions of states, -1 unknown, in the order
    of ``network.variables``. Columns ``VARIABLE=STATE``, one for every state of a variable, hold
    soft evidence: numbers of at least 0, the likelihood of what was seen given that state, up to a
    factor; all blank where nothing was. The network is left as it is.

    Attributes
    ----------
    network, memory_limit, backend
    """

    def __init__(
        self, network: Network, memory_limit: float = MEMORY_LIMIT, backend: Backend = "auto"
    ) -> None:
        solver = NetworkSolver(network, memory_limit, backend)
        self.__dict__.update(network=network, memory_limit=memory_limit, backend=backend)
        self.__dict__.update(_solver=solver, _encoder=Encoder(network), _plain=network)

    def joint(
        self, evidence: Evidence, variables: Sequence[str], *, likelihoods: Likelihoods = None
    ) -> JointAnswer:
        """Return P(variables | evidence) of every case, exactly.

        Every joint state is put in as evidence; their probabilities are scaled to sum to 1.

        Parameters
        ----------
        evidence : DataFrame or mapping
            N cases; see the class.
        variables : sequence of str
            Each once; at most 4,096 joint states.
        likelihoods : mapping of str to array (N, S), optional
            Soft evidence, as in `query`.

        Returns
        -------
        JointAnswer

        Raises
        ------
        InvalidCase
            If a variable is unknown or named twice, or there are too many joint states; with every
            fault of the evidence.
        InvalidNetwork
            If a plan would not fit in the memory limit.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable, compile_network
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> compile_network(rain).joint({}, ["rain"]).probabilities.tolist()
        [[0.8, 0.2]]
        """
        faults: list[Fault] = []
        asked = self._encoder.names("variables", variables, faults)
        faults = faults or joint_faults(self.network, asked)
        states, soft, index = read_cases(self._encoder, evidence, likelihoods, faults)
        return joint_answer(self._solver, self.network, asked, states, soft, index)

    def plan(self, observed: Sequence[str] = (), targets: Sequence[str] | None = None) -> TreePlan:
        """Return the plan for cases that observe exactly these variables.

        Parameters
        ----------
        observed : sequence of str
        targets : sequence of str, optional
            Variables whose posteriors are wanted; all by default.

        Returns
        -------
        TreePlan
            A value that prints itself: order, largest clique, cells, memory, estimated time.

        Raises
        ------
        InvalidCase
            If a name is not a variable.
        InvalidNetwork
            If it would not fit in the memory limit; it says what it would need.

        Examples
        --------
        >>> from bayesdx import Network, TableCPD, Variable, compile_network
        >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
        >>> compile_network(rain).plan().tile > 0
        True
        """
        return self._solver.general.plan(observed, (), targets)

    @property
    def road(self) -> str:
        """Which executors answer, why, and about how long a case takes."""
        return str(self._solver)

    def __repr__(self) -> str:
        return (
            f"CompiledNetwork({self.network!r}, memory_limit={self.memory_limit:.3g}; {self.road})"
        )


def compile_network(
    network: Network, memory_limit: float = MEMORY_LIMIT, backend: Backend = "auto"
) -> CompiledNetwork:
    """Make a network ready for queries.

    Parameters
    ----------
    network : Network
        Any discrete network; wide noisy families are decomposed, not expanded.
    memory_limit : float
        Bytes that the tables of a plan, and the arrays of one case, may take. What needs more is
        refused with its estimate; evidence often makes small what is large without it.
    backend : {"auto", "numpy", "compiled"}
        Who does the arithmetic; compiled code needs the extra ``fast``. Answers agree to 1e-12.

    Returns
    -------
    CompiledNetwork

    Raises
    ------
    InvalidNetwork
        If it is no network, a table has more cells than one may hold, or the limit is not positive.
    BayesdxError
        If there is no such backend here.

    Examples
    --------
    >>> from bayesdx import Network, TableCPD, Variable, compile_network
    >>> rain = Network([Variable("rain", ("no", "yes"))], [TableCPD("rain", (), [0.8, 0.2])])
    >>> float(compile_network(rain).query({}).log_evidence[0])
    0.0
    """
    if not isinstance(network, Network):
        raise InvalidNetwork(Fault("network", "a Network (read_network reads files)", network))
    return CompiledNetwork(network, memory_limit, backend)
