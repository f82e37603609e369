"""Small files of formats and families that are read and not written, whole and sound."""

#: What is not written here is broken from small files of our own.
READ_ONLY = {
    ".dne": """bnet N { visual V1 { a = font {b = "c";}; };
node A { states = (x, y); title = "A //"; probs = (0.25, 0.75); }; // c
node B { kind = NATURE; discrete = TRUE; levels = (1, 2, 3); parents = (A);
  probs = ((1, @imposs, 0), (0.2, 0.3, 0.5)); };
node C { chance = DETERMIN; states = (p, q); parents = (A, B); functable = (p, q, #0, p, q, #1); };
};
""",
    ".pgmx": """<ProbModelXML><ProbNet type="BayesianNetwork"><Variables>
<Variable name="A" type="finiteStates" role="chance"><States><State name="x"/><State name="y"/>
</States></Variable><Variable name="B" type="finiteStates" role="chance"><States><State name="p"/>
<State name="q"/></States></Variable></Variables><Potentials><Potential type="Table"><Variables>
<Variable name="A"/></Variables><Values>0.25 0.75</Values></Potential><Potential type="ICIModel">
<Variables><Variable name="B"/><Variable name="A"/></Variables><Model>OR / MAX</Model>
<Subpotentials><Potential><Variables><Variable name="B"/><Variable name="A"/></Variables>
<Values>1 0 0.3 0.7</Values></Potential><Potential><Variables><Variable name="B"/></Variables>
<Values>0.9 0.1</Values></Potential></Subpotentials></Potential></Potentials></ProbNet>
</ProbModelXML>
""",
    ".xdsl": """<smile version="1.0" id="N"><nodes><cpt id="A"><state id="x"/><state id="y"/>
<probabilities>0.1 0.9</probabilities></cpt><noisymax id="B"><state id="x"/><state id="y"/>
<parents>A</parents><strengths>0 1</strengths><parameters>0.8 0.2 0 1 0.05 0.95</parameters>
</noisymax></nodes><extensions><genie><node id="A"><name>An A</name></node></genie></extensions>
</smile>
""",
}
