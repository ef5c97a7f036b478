using Xunit.Sdk;
using Xunit.v3;

// Each test starts a market, a server, machines and a browser; side by side they would only slow each other down.
[assembly: Parallelization(Mode = ParallelMode.None)]
