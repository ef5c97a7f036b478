using Xunit.Sdk;
using Xunit.v3;

// Each test has a market, a server and machines of its own. Those that mostly wait for clocks, such as a machine's that misses its server,
// wait side by side; the others are of OneWorldAtATime.
[assembly: Parallelization(Mode = ParallelMode.Collections, MaxThreads = 3)]
