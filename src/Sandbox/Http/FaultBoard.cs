using System.Collections.Concurrent;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Http;

/// <summary>The rules in force. Which request is struck follows from a rule's seed and how many matched before it, so a run can be repeated.</summary>
internal sealed class FaultBoard(Switches switches)
{
    private readonly ConcurrentDictionary<(string? Method, string Path), RoutePattern> _patterns = [];

    public IReadOnlyList<Fault> All => switches.Read(positions => positions.Faults.ToList());

    public Fault Add(Fault fault) => switches.Change(positions =>
    {
        var added = fault with { Id = positions.NextFaultId++ };
        positions.Faults.Add(added);
        return added;
    });

    public bool Remove(int id) => switches.Change(positions => positions.Faults.RemoveAll(fault => fault.Id == id) > 0);

    public int Clear() => switches.Change(positions =>
    {
        var count = positions.Faults.Count;
        positions.Faults.Clear();
        return count;
    });

    /// <summary>Counts a request and says what happens to it, in the order in which the rules were made.</summary>
    public IReadOnlyList<Fault> Strike(string method, string path)
    {
        if (!All.Any(fault => Matches(fault, method, path)))
        {
            return [];
        }

        return switches.Change(positions =>
        {
            var struck = new List<Fault>();
            for (var index = 0; index < positions.Faults.Count; index++)
            {
                var fault = positions.Faults[index];
                if (!Matches(fault, method, path))
                {
                    continue;
                }

                var strikes = !fault.IsSpent && fault.Matched >= fault.Skip && new Dice(fault.Seed).Roll("fault", fault.Matched) < fault.Probability;
                positions.Faults[index] = fault with { Matched = fault.Matched + 1, Struck = fault.Struck + (strikes ? 1 : 0) };
                if (strikes)
                {
                    struck.Add(positions.Faults[index]);
                }
            }

            return struck;
        });
    }

    /// <summary>The answer that a stale rule gives to a request: the first one there was.</summary>
    public StaleAnswer FirstAnswer(int faultId, string request, StaleAnswer answer) => switches.Change(positions =>
        positions.Faults.Find(fault => fault.Id == faultId) is { } fault && !fault.Remembered.TryAdd(request, answer) ? fault.Remembered[request] : answer);

    private bool Matches(Fault fault, string method, string path) =>
        _patterns.GetOrAdd((fault.Method, fault.Path), route => new RoutePattern(route.Method, route.Path)).Matches(method, path);
}
